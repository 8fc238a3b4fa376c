// The server parameters of flexible servers that the emulator serves, with Azure's defaults and allowed values for
// PostgreSQL 18, as Learn's pages of server parameters have them (December 2025 to April 2026). Azure has about 400.

/** What a parameter may be set to. */
export interface Parameter {
  readonly type: "Boolean" | "Enumeration" | "Integer" | "Set" | "String";
  readonly defaultValue: string;
  /** As Azure shows it: names with commas, a range, or a pattern. */
  readonly allowedValues: string;
  /** `static` takes effect at the next restart. */
  readonly kind: "dynamic" | "static" | "read-only";
  /**
   * Where a value has its effect: `sessions` for the new sessions of the server's databases, `log` for the rows of its
   * log. Without it a value is kept and shown.
   */
  readonly effect?: "sessions" | "log";
}

type Given = readonly [Parameter["type"], string, string, Parameter["effect"]?, Parameter["kind"]?];
const parameter = ([type, defaultValue, allowedValues, effect, kind = "dynamic"]: Given): Parameter => ({
  type,
  defaultValue,
  allowedValues,
  kind,
  ...(effect && { effect }),
});

const onOff = "on,off";
const milliseconds = "0-2147483647";
const fromMinusOne = "-1-2147483647";
const messageLevels = "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic";
const extensions =
  "address_standardizer,address_standardizer_data_us,amcheck,anon,azure_storage,bloom,btree_gin,btree_gist,citext," +
  "credcheck,cube,dblink,dict_int,dict_xsyn,earthdistance,fuzzystrmatch,hll,hstore,hypopg,intagg,intarray,ip4r,isn," +
  "lo,login_hook,ltree,oracle_fdw,orafce,pageinspect,pg_buffercache,pg_cron,pg_duckdb,pg_freespacemap,pg_hint_plan," +
  "pg_partman,pg_prewarm,pg_repack,pg_squeeze,pg_stat_statements,pg_trgm,pg_visibility,pgaudit,pgcrypto,pglogical," +
  "pgrouting,pgrowlocks,pgstattuple,plpgsql,plv8,postgis,postgis_raster,postgis_sfcgal,postgis_tiger_geocoder," +
  "postgis_topology,postgres_fdw,postgres_protobuf,semver,session_variable,sslinfo,tablefunc,tdigest,tds_fdw,topn," +
  "tsm_system_rows,tsm_system_time,unaccent,uuid-ossp,vector";
const libraries =
  "age,anon,auto_explain,azure_storage,credcheck,pg_cron,pg_duckdb,pg_hint_plan,pg_ivm,pg_partman_bgw,pg_prewarm," +
  "pg_squeeze,pg_stat_statements,pgaudit,pglogical,timescaledb,wal2json";

const given: { readonly [name: string]: Given } = {
  "azure.extensions": ["Set", "", extensions],
  client_min_messages: [
    "Enumeration",
    "notice",
    "debug5,debug4,debug3,debug2,debug1,log,notice,warning,error",
    "sessions",
  ],
  default_transaction_isolation: [
    "Enumeration",
    "read committed",
    "serializable,repeatable read,read committed,read uncommitted",
    "sessions",
  ],
  default_transaction_read_only: ["Boolean", "off", onOff, "sessions"],
  idle_in_transaction_session_timeout: ["Integer", "0", milliseconds, "sessions"],
  idle_session_timeout: ["Integer", "0", milliseconds, "sessions"],
  listen_addresses: ["String", "*", "*", undefined, "read-only"],
  lock_timeout: ["Integer", "0", milliseconds, "sessions"],
  log_checkpoints: ["Boolean", "on", onOff],
  log_connections: ["Set", "on", "on,off,receipt,authentication,authorization,setup_durations,all", "log"],
  log_disconnections: ["Boolean", "on", onOff],
  log_duration: ["Boolean", "off", onOff, "sessions"],
  log_error_verbosity: ["Enumeration", "default", "terse,default,verbose", "sessions"],
  log_lock_waits: ["Boolean", "off", onOff, "sessions"],
  log_min_duration_statement: ["Integer", "-1", fromMinusOne, "sessions"],
  log_min_error_statement: ["Enumeration", "error", messageLevels, "sessions"],
  log_min_messages: ["Enumeration", "warning", messageLevels, "sessions"],
  log_statement: ["Enumeration", "none", "none,ddl,mod,all", "sessions"],
  log_temp_files: ["Integer", "-1", fromMinusOne, "sessions"],
  log_timezone: ["String", "UTC", "UTC", undefined, "read-only"],
  port: ["Integer", "5432", "5432", undefined, "read-only"],
  require_secure_transport: ["Boolean", "on", onOff],
  row_security: ["Boolean", "on", onOff, "sessions"],
  shared_preload_libraries: ["Set", "pg_cron,pg_stat_statements", libraries, undefined, "static"],
  statement_timeout: ["Integer", "0", milliseconds, "sessions"],
  wal_level: ["Enumeration", "replica", "replica,logical", undefined, "static"],
};

const asOf18: { readonly [name: string]: Parameter } = Object.fromEntries(
  Object.entries(given).map(([name, each]) => [name, parameter(each)]),
);
// Before 18 this one is a switch.
const before18 = { ...asOf18, log_connections: parameter(["Boolean", "on", onOff, "log"]) };

/** Gives the parameters of a server of a PostgreSQL version. */
export const parametersOf = (version: unknown): { readonly [name: string]: Parameter } =>
  Number(version) < 18 ? before18 : asOf18;

const folded = (text: string): string => text.trim().toLowerCase();

/** Reports whether a parameter may have a value. Letter case means nothing in names. */
export function allows({ type, allowedValues }: Parameter, value: string): boolean {
  const names = allowedValues.split(",").map(folded);
  if (type === "Set") return value.trim() === "" || value.split(",").every((each) => names.includes(folded(each)));
  if (type !== "Integer") return names.includes(folded(value));
  const [, least, greatest] = /^(-?\d+)-(\d+)$/.exec(allowedValues) ?? [];
  return /^-?\d+$/.test(value) && Number(value) >= Number(least) && Number(value) <= Number(greatest);
}
