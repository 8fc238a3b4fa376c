// The short form of an app: what it returns, and what it refuses.
import { expect, test } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { type HttpAppArgs, httpApp } from "../../components/canary-app/http-app.ts";
import { record } from "../support/program/mocks.ts";

const args: HttpAppArgs = {
  containerAppName: "storefront",
  resourceGroupName: "shop",
  location: "westeurope",
  environmentId: "environment",
  image: "example.azurecr.io/storefront:1",
};
/** The key by which Pulumi marks a secret. */
const secretSignature = "4dabf18193072939515e22adb298388d";

/** Gives the inputs of the app that is declared with the short form. */
async function declaredOf(change: Partial<HttpAppArgs>): Promise<{ readonly [name: string]: any }> {
  const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
  const { declared } = await record(
    () => new CanaryApp("storefront", { ...httpApp({ ...args, ...change }), controlPlane }),
  );
  return declared.find(({ name }) => name === "storefront-app")!.inputs;
}

test("replicas have the given CPU, and memory in Azure's proportion", async () => {
  const resources = async (change: Partial<HttpAppArgs>) =>
    (await declaredOf(change))["template"].containers[0].resources;
  expect(await resources({})).toEqual({ cpu: 0.25, memory: "0.5Gi" });
  expect(await resources({ cpu: 1.75 })).toEqual({ cpu: 1.75, memory: "3.5Gi" });
});

test.each([
  [undefined, 1, 60],
  [20, 1, 20],
  [240, 1, 240],
  [241, 2, 121],
  [3_600, 15, 240],
])(
  "a replica that may take %s s to start has a startup probe of %s s and %s failures",
  async (given, period, failures) => {
    const inputs = await declaredOf(given === undefined ? {} : { startupSeconds: given });
    expect(inputs["template"].containers[0].probes[0]).toEqual({
      type: "Startup",
      httpGet: { path: "/", port: 8080 },
      periodSeconds: period,
      failureThreshold: failures,
    });
  },
);

test.each([0, 1.5, 3_601])("component-arguments-refused refuses %s s for the start", (startupSeconds) =>
  expect(() => httpApp({ ...args, startupSeconds })).toThrow(/^component-arguments-refused .*startupSeconds/),
);

test("secrets stay secrets and are only named in the template, and registries have their identities", async () => {
  const inputs = await declaredOf({
    secrets: { "api-key": "s3cret" },
    secretVariables: { API_KEY: "api-key" },
    registries: [{ server: "shop.azurecr.io", identity: "/identities/puller" }],
    external: false,
  });
  expect(inputs["identity"]).toEqual({ type: "UserAssigned", userAssignedIdentities: ["/identities/puller"] });
  expect(inputs["configuration"]).toHaveProperty(secretSignature); // Pulumi marks the whole configuration
  const { secrets, ...rest } = inputs["configuration"].value;
  expect(secrets).toEqual([{ name: "api-key", value: "s3cret" }]);
  expect(rest).toMatchObject({
    registries: [{ server: "shop.azurecr.io", identity: "/identities/puller" }],
    ingress: { external: false },
  });
  expect(inputs["template"].containers[0].env).toEqual([{ name: "API_KEY", secretRef: "api-key" }]);
});

test("telemetry gives the container its variables and an identity, and the app no secret", async () => {
  const inputs = await declaredOf({
    telemetry: { connectionString: "InstrumentationKey=key", identity: "/identities/sender" },
    registries: [{ server: "shop.azurecr.io", identity: "/identities/puller" }],
    variables: { RELEASE: "1" },
  });
  expect(inputs["identity"].userAssignedIdentities).toEqual(["/identities/puller", "/identities/sender"]);
  expect(inputs["configuration"]).not.toHaveProperty("secrets");
  expect(inputs["template"].containers[0].env).toEqual([
    { name: "APPLICATIONINSIGHTS_CONNECTION_STRING", value: "InstrumentationKey=key" },
    { name: "TELEMETRY_IDENTITY", value: "/identities/sender" },
    { name: "RELEASE", value: "1" },
  ]);
});

test.each([0.3, 4.25, 0])("http-app-size-unfit refuses a cpu of %s", (cpu) =>
  expect(() => httpApp({ ...args, cpu })).toThrow(new RegExp(`^http-app-size-unfit .*"storefront" sets cpu to ${cpu}`)),
);

test.each(["Storefront", "a-name-that-is-longer-than-thirty-two", "store--front"])(
  "component-arguments-refused names the rule that the app's name %s breaks",
  (containerAppName) =>
    expect(() => httpApp({ ...args, containerAppName })).toThrow(
      /^component-arguments-refused .*containerAppName is .*2 to 32 lower-case letters, digits and single hyphens/,
    ),
);
