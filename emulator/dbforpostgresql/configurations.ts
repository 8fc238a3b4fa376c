// Microsoft.DBforPostgreSQL/flexibleServers/configurations: the parameters of a server. Each exists from the start with
// Azure's default, and cannot be deleted. What each may be is in parameters.ts.
import { setTimeout } from "node:timers/promises";
import { sameText } from "../arm/bodies.ts";
import { hold } from "../arm/holds.ts";
import { serverIsBusy } from "../arm/operations.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type PutContext, type Resource, type ResourceType } from "../arm/resource.ts";
import { parentIdOf } from "../arm/resource-path.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { configurationFields } from "./fields.ts";
import type { LoginAspect } from "./log-rows.ts";
import { allows, type Parameter, parametersOf } from "./parameters.ts";

const configurationType = "Microsoft.DBforPostgreSQL/flexibleServers/configurations";
const sources = ["user-override", "system-default"];
/** Azure takes seconds, during which it refuses other writes to the server. */
const takesMilliseconds = 300;

const versionOf = (server: Resource | undefined): unknown => server?.body["properties"].version;

/** Gives the parameter of a configuration. @throws ArmError 400 when the emulator does not serve it */
function parameterNamed(server: Resource | undefined, name: string): Parameter {
  const parameters = parametersOf(versionOf(server));
  const found = Object.hasOwn(parameters, name.toLowerCase()) ? parameters[name.toLowerCase()] : undefined;
  if (!found) throw unsupported(`the server parameter '${name}'`);
  return found;
}

/** Gives the values that a server's parameters were set to, and the parameters. */
export const overridesOf = (
  cloud: Cloud,
  server: Resource,
): readonly { readonly name: string; readonly value: string; readonly parameter: Parameter }[] =>
  cloud.store
    .list(server.id)
    .filter(({ type, body }) => type === configurationType && body["properties"].source === "user-override")
    .map(({ body: { name, properties } }) => ({
      name: String(name).toLowerCase(),
      value: String(properties.value),
      parameter: parameterNamed(server, String(name)),
    }));

/** Reports whether a server's log has the rows of one aspect of logins. `on` means all of PostgreSQL before 18. */
export function logsConnections(cloud: Cloud, server: Resource, aspect: LoginAspect): boolean {
  const { value = "on" } = overridesOf(cloud, server).find(({ name }) => name === "log_connections") ?? {};
  const logged = value.split(",").map((each) => each.trim().toLowerCase());
  return logged.includes("all") || logged.includes(aspect) || (logged.includes("on") && aspect !== "setup_durations");
}

/** Makes the type; `apply` carries a value to the real server. */
export const makeConfigurationType = (
  apply: (cloud: Cloud, server: Resource, name: string, value: string | undefined) => Promise<void>,
): ResourceType => ({
  type: configurationType,
  apiVersions: ["2025-08-01"],
  fields: configurationFields,
  put: "async-operation",
  unwritten: (server) =>
    Object.entries(parametersOf(versionOf(server))).map(([name, { defaultValue }]) => ({
      id: `${server.body["id"]}/configurations/${name}`,
      name,
      type: configurationType,
      properties: { value: defaultValue, source: "system-default" },
    })),
  refuseName: (server, name) => void parameterNamed(server, name),
  inertValues: ({ name, properties }) =>
    properties.source === "user-override" && !parametersOf(18)[String(name).toLowerCase()]?.effect
      ? [{ field: "properties.value", why: "the one PostgreSQL server behind the emulator decides" }]
      : [],
  onPut: (context) => putConfiguration(context, apply),
  present: ({ id, body }, { store }) => {
    const parameter = parameterNamed(store.get(parentIdOf(id)), body["name"]);
    const { isPendingRestart = false, ...properties } = body["properties"];
    return {
      ...body,
      properties: {
        ...properties,
        ...shown(parameter),
        isConfigPendingRestart: isPendingRestart,
      },
    };
  },
});

const shown = ({ type, defaultValue, allowedValues, kind }: Parameter): Body => ({
  dataType: type,
  defaultValue,
  allowedValues,
  isDynamicConfig: kind === "dynamic",
  isReadOnly: kind === "read-only",
});

async function putConfiguration(
  { id, wanted, previous, cloud }: PutContext,
  apply: Parameters<typeof makeConfigurationType>[0],
): Promise<void> {
  const server = cloud.store.get(parentIdOf(id))!;
  const name = String(wanted["name"]).toLowerCase();
  const parameter = parameterNamed(server, name);
  const { value, source } = wanted["properties"];
  // The Azure Postgres team: both must be set (Azure/azure-rest-api-specs#30143).
  if (value === undefined || source === undefined) throw refusedToo("A configuration needs a value and a source.");
  if (!sources.some((each) => sameText(each, source)))
    throw refusedToo(`The source of a configuration must be one of ${sources.join(", ")}, not '${source}'.`);
  if (parameter.kind === "read-only") throw refusedToo(`The server parameter '${name}' is read-only.`);
  if (!allows(parameter, value))
    // pulumi/pulumi-azure-native#898 shows this answer.
    throw new ArmError(
      400,
      "InvalidParameterValue",
      "Invalid value given for parameter configurationValue. Specify a valid parameter value.",
    );
  const release = hold(cloud.store, server.id, () => {
    if (quirksOf(cloud)["one-write-at-a-time"]) throw serverIsBusy(server.id);
  });
  try {
    const isDefault = sameText(value, parameter.defaultValue);
    const before = previous?.body["properties"] ?? {};
    const isChanged = !sameText(value, before.value ?? parameter.defaultValue);
    wanted["properties"] = {
      value,
      source: isDefault ? "system-default" : "user-override",
      isPendingRestart: parameter.kind === "static" && (isChanged || before.isPendingRestart === true),
    };
    await setTimeout(takesMilliseconds);
    if (parameter.effect === "sessions") await apply(cloud, server, name, isDefault ? undefined : value);
  } finally {
    release();
  }
}

/** Takes what waited for a restart into force. */
export function restartParameters({ store }: Cloud, server: Resource): void {
  for (const each of store.list(server.id))
    if (each.type === configurationType && each.body["properties"].isPendingRestart === true) {
      each.body["properties"].isPendingRestart = false;
      store.put(each);
    }
}
