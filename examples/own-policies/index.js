// A team's own rules on Pulumi's SDK for policies. They run beside Ballast's pack, which knows nothing of them: `pulumi
// preview --policy-pack <ballast's pack> --policy-pack examples/own-policies`. The SDK runs packs with a TypeScript of
// 2020, so plain JavaScript is the simplest form that lasts.
const { PolicyPack } = require("@pulumi/policy");

new PolicyPack("own-policies", {
  policies: [
    {
      name: "resource-group-has-owner",
      description: "Every resource group says in a tag who answers for it.",
      enforcementLevel: "mandatory",
      validateResource: ({ type, props }, reportViolation) => {
        if (type === "azure-native:resources:ResourceGroup" && !props.tags?.owner)
          reportViolation("The resource group has no tag owner. Fix: add tags: { owner: <team> }.");
      },
    },
  ],
});
