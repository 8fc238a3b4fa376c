// Pulumi's analyzer protocol, method by method: unpacks the request of the Pulumi CLI, asks the session, and packs the
// answer. The pack speaks the protocol itself, because the SDK for policies hides which values are secret, decodes the
// stack once for each policy, and takes four times as long to start (docs/decisions/0019).
import {
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import analyzerServices from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import type { Severity } from "../../analysis/rule.ts";
import { BallastError } from "../../errors/catalogue.ts";
import type { Choice } from "../judgement.ts";
import type { Session, Violation } from "./session.ts";
import { readResource, readResources, type WireResource } from "./wire.ts";

/** The name of the pack, in the Pulumi CLI's output and in its configuration. */
const packName = "ballast";

/** What is loaded when the Pulumi CLI asks first, so that the pack has its port early. */
export interface Judging {
  readonly session: Session;
  readonly catalogue: typeof import("./catalogue.ts");
  readonly decode: typeof import("./decode.ts");
}

const severityNumbers: Readonly<Record<Severity, analyzerProto.PolicySeverity>> = {
  info: analyzerProto.PolicySeverity.POLICY_SEVERITY_LOW,
  low: analyzerProto.PolicySeverity.POLICY_SEVERITY_LOW,
  medium: analyzerProto.PolicySeverity.POLICY_SEVERITY_MEDIUM,
  high: analyzerProto.PolicySeverity.POLICY_SEVERITY_HIGH,
  critical: analyzerProto.PolicySeverity.POLICY_SEVERITY_CRITICAL,
};

/** The service with our own reading of the two large requests. */
export const definition: ServiceDefinition = {
  ...analyzerServices.AnalyzerService,
  analyze: { ...analyzerServices.AnalyzerService.analyze, requestDeserialize: readResource },
  analyzeStack: { ...analyzerServices.AnalyzerService.analyzeStack, requestDeserialize: readResources },
};

/** Implements every method of `pulumirpc.Analyzer`. */
export function service(version: string, load: () => Promise<Judging>): UntypedServiceImplementation {
  const answers: Record<string, (request: never) => object | Promise<object>> = {
    handshake: () => new analyzerProto.AnalyzerHandshakeResponse(),
    getPluginInfo: () => new pluginProto.PluginInfo().setVersion(version),
    cancel: () => new emptyProto.Empty(),
    remediate: () => new analyzerProto.RemediateResponse(),
    configureStack: (request: analyzerProto.AnalyzerStackConfigureRequest) => configuredStack(request, load),
    getAnalyzerInfo: async () => listingOf(version, (await load()).catalogue),
    configure: async (request: analyzerProto.ConfigureAnalyzerRequest) => configured(request, await load()),
    analyze: async (resource: WireResource) => {
      const { session, decode } = await load();
      return answerOf(version, session.analyze(decode.analyzedOf(resource, session.otherwise)));
    },
    analyzeStack: async (resources: readonly WireResource[]) => {
      const { session, decode } = await load();
      const { otherwise } = session;
      const declared = resources.map((each) => decode.declaredOf(each, otherwise, session.knows(each.urn)));
      return answerOf(version, session.analyzeStack(declared));
    },
  };
  const unimplemented = (name: string) => (): never => {
    throw Object.assign(new Error(name), { code: status.UNIMPLEMENTED });
  };
  return Object.fromEntries(
    Object.keys(analyzerServices.AnalyzerService).map((name) => [
      name,
      answering(answers[name] ?? unimplemented(name)),
    ]),
  );
}

/** Answers a call; an error fails the run of the Pulumi CLI, because a pack that cannot judge must not look green. */
const answering =
  (answer: (request: never) => object | Promise<object>) =>
  (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
    Promise.resolve()
      .then(() => answer(call.request as never))
      .then((response) => done(null, response))
      .catch((error: Error & { code?: number }) => {
        const details = error instanceof BallastError ? error.toString() : (error.stack ?? error.message);
        done({ code: error.code ?? status.UNKNOWN, details });
      });
  };

async function configuredStack(
  request: analyzerProto.AnalyzerStackConfigureRequest,
  load: () => Promise<Judging>,
): Promise<analyzerProto.AnalyzerStackConfigureResponse> {
  const config = request.getConfigMap();
  const { session } = await load();
  for (const key of request.getConfigSecretKeysList()) session.hide(key, config.get(key) ?? "");
  return new analyzerProto.AnalyzerStackConfigureResponse();
}

function listingOf(version: string, { policies, choiceSchema }: Judging["catalogue"]): analyzerProto.AnalyzerInfo {
  const schema = new analyzerProto.PolicyConfigSchema().setProperties(structProto.Struct.fromJavaScript(choiceSchema));
  return new analyzerProto.AnalyzerInfo()
    .setName(packName)
    .setDisplayname("Ballast")
    .setDescription("Rules about releases, secrets, alerts and environments.")
    .setVersion(version)
    .setSupportsconfig(true)
    .setPoliciesList(
      policies.map(({ name, title, description, steps }) =>
        new analyzerProto.PolicyInfo()
          .setName(name)
          .setDisplayname(title)
          .setDescription(description)
          .setRemediationSteps(steps)
          .setPolicyType(analyzerProto.PolicyType.POLICY_TYPE_STACK)
          // What "mandatory" means for a finding depends on its severity and on the profile of the stack's tier.
          .setEnforcementlevel(analyzerProto.EnforcementLevel.MANDATORY)
          .setConfigschema(schema),
      ),
    );
}

async function configured(
  request: analyzerProto.ConfigureAnalyzerRequest,
  { session, catalogue }: Judging,
): Promise<emptyProto.Empty> {
  const { policies, choiceOf } = catalogue;
  const names = new Set(["all", ...policies.map(({ name }) => name)]);
  const choices = new Map<string, Choice>();
  const unknown: string[] = [];
  request.getPolicyconfigMap().forEach((config: analyzerProto.PolicyConfig, name: string) => {
    if (!names.has(name)) unknown.push(name);
    const properties = config.getProperties()?.toJavaScript() ?? {};
    choices.set(name, choiceOf(config.getEnforcementlevel(), properties["mandatoryFrom"]));
  });
  const { policyUnknown } = await import("../../errors/policies.ts");
  if (unknown.length > 0) throw policyUnknown({ names: unknown.toSorted() });
  session.choose(withDefaults(choices, policies));
  return new emptyProto.Empty();
}

/** `all` also gives its property to every policy without one of its own. Pulumi itself passes on only its level. */
function withDefaults(
  choices: ReadonlyMap<string, Choice>,
  policies: readonly { readonly name: string }[],
): ReadonlyMap<string, Choice> {
  const from = choices.get("all")?.mandatoryFrom;
  return new Map(
    policies.flatMap(({ name }) => {
      const choice = choices.get(name);
      return choice ? [[name, { ...choice, mandatoryFrom: choice.mandatoryFrom ?? from }] as const] : [];
    }),
  );
}

const answerOf = (version: string, violations: readonly Violation[]): analyzerProto.AnalyzeResponse =>
  new analyzerProto.AnalyzeResponse().setDiagnosticsList(
    violations.map(({ policy, message, level, severity, urn }) =>
      new analyzerProto.AnalyzeDiagnostic()
        .setPolicyname(policy)
        .setPolicypackname(packName)
        .setPolicypackversion(version)
        .setDescription(policy)
        .setMessage(message)
        .setEnforcementlevel(analyzerProto.EnforcementLevel[level === "mandatory" ? "MANDATORY" : "ADVISORY"])
        .setSeverity(severityNumbers[severity])
        .setUrn(urn),
    ),
  );
