// What revisions share, as a program says it and as Azure shows it: what Azure fills in is no change.
import { expect, test } from "vitest";
import { scopeChanges } from "../../components/canary-app/app-scope.ts";

const ingress = { external: true, targetPort: 8080, transport: "http" };
const changes = (shown: object, said: object, shownIngress: object = {}, saidIngress: object = {}) =>
  scopeChanges(
    { ...shown, ingress: { ...ingress, transport: "Http", ...shownIngress } },
    { ...said, ingress: { ...ingress, ...saidIngress } },
    {},
  );
const dapr = { enabled: true, appId: "shop", appPort: 8080 };

test.each<[string, object, object]>([
  ["the protocol", { ...dapr, appProtocol: "http" }, dapr],
  ["the sizes and the level", { ...dapr, httpMaxRequestSize: 4, httpReadBufferSize: 65, logLevel: "info" }, dapr],
  ["nothing, in the program's own words", { ...dapr, appProtocol: "http" }, { ...dapr, appProtocol: "HTTP" }],
])("Dapr, where Azure fills in %s", (_what, shown, said) =>
  expect(changes({ dapr: shown }, { dapr: said })).toEqual([]),
);

test.each<[string, object, object]>([
  ["another protocol", { ...dapr, appProtocol: "http" }, { ...dapr, appProtocol: "grpc" }],
  ["a protocol that is left out again", { ...dapr, appProtocol: "grpc" }, dapr],
  ["another port", { ...dapr, appProtocol: "http" }, { ...dapr, appPort: 9090 }],
  ["a size that is left out again", { ...dapr, httpMaxRequestSize: 8 }, dapr],
])("Dapr with %s changes for all revisions", (_what, shown, said) =>
  expect(changes({ dapr: shown }, { dapr: said })).toEqual([expect.stringMatching(/^dapr from /)]),
);

test("domains and ports, where Azure fills in the binding and the exposed port", () => {
  const shown = {
    customDomains: [{ name: "www.example.org", bindingType: "Disabled" }],
    additionalPortMappings: [{ external: false, targetPort: 9090, exposedPort: 9090 }],
  };
  const said = {
    customDomains: [{ name: "www.example.org" }],
    additionalPortMappings: [{ external: false, targetPort: 9090 }],
  };
  expect(changes({}, {}, shown, said)).toEqual([]);
  expect(changes({}, {}, { ...shown, additionalPortMappings: [{ targetPort: 9090, exposedPort: 80 }] }, said)).toEqual([
    expect.stringMatching(/^ingress\.additionalPortMappings from /),
  ]);
  const bound = { customDomains: [{ name: "www.example.org", bindingType: "SniEnabled", certificateId: "/c" }] };
  expect(changes({}, {}, { ...shown, ...bound }, said)).toEqual([
    expect.stringMatching(/^ingress\.customDomains from /),
  ]);
});
