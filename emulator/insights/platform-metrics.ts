// The platform metrics of the served services and their dimensions, as Learn lists them ("Supported metrics with Azure
// Monitor", the pages of each type, read on 2026-11-30: Key Vault of 2026-07-13, Event Grid of 2026-07-31, PostgreSQL
// of 2025-04-16 in its latest form). Those of container apps are on Learn's page and on its "Monitor metrics in Azure
// Container Apps"; their dimensions are those that the metrics service itself names in a refusal, as a public guide
// reports it. Metrics of Java and of GPUs are left out: no container here has either.

/** The dimensions of each metric of a type. */
type Metrics = { readonly [metric: string]: readonly string[] };

const each = (dimensions: readonly string[], ...metrics: readonly string[]): Metrics =>
  Object.fromEntries(metrics.map((metric) => [metric, dimensions]));

const revision = ["revisionName"];
const status = ["statusCodeCategory", "statusCode"];
const calls = ["ActivityType", "ActivityName"];
const answers = [...calls, "StatusCode", "StatusCodeClass"];
const server = ["ServerName"];
const disk = ["LogicalServerName"];
const database = ["DatabaseName", "ServerName"];
const subscribed = ["EventSubscriptionName"];

/** The metrics of a type, whose name is in lower case. */
export const platformMetrics: { readonly [type: string]: Metrics } = {
  "microsoft.app/containerapps": {
    ...each([...revision, "podName"], "UsageNanoCores", "WorkingSetBytes", "RxBytes", "TxBytes", "RestartCount"),
    ...each([...revision, "podName", ...status], "Requests"),
    ...each(revision, "Replicas", "CoresQuotaUsed", "ResiliencyConnectTimeouts", "ResiliencyEjectedHosts"),
    ...each(revision, "ResiliencyEjectionsAborted", "ResiliencyRequestRetries", "ResiliencyRequestTimeouts"),
    ...each(revision, "ResiliencyRequestsPendingConnectionPool"),
    ...each([], "TotalCoresQuotaUsed"),
    ...each(["podName"], "CpuPercentage", "MemoryPercentage"),
    ...each(status, "ResponseTime"),
  },
  "microsoft.dbforpostgresql/flexibleservers": {
    ...each(server, "longest_query_time_sec", "longest_transaction_time_sec", "oldest_backend_time_sec"),
    ...each(server, "oldest_backend_xmin", "oldest_backend_xmin_age", "is_db_alive", "connections_failed"),
    ...each(server, "logical_replication_delay_in_bytes", "physical_replication_delay_in_bytes"),
    ...each(server, "physical_replication_delay_in_seconds", "cpu_percent", "memory_percent", "iops"),
    ...each(server, "storage_free", "storage_percent", "storage_used", "txlogs_storage_used", "active_connections"),
    ...each(server, "connections_succeeded", "max_connections", "maximum_used_transactionIDs"),
    ...each(server, "network_bytes_egress", "network_bytes_ingress"),
    ...each(["State", ...server], "sessions_by_state"),
    ...each(["WaitEventType", ...server], "sessions_by_wait_event_type"),
    ...each(database, "analyze_count_user_tables", "autoanalyze_count_user_tables", "autovacuum_count_user_tables"),
    ...each(database, "bloat_percent", "n_dead_tup_user_tables", "n_live_tup_user_tables"),
    ...each(database, "n_mod_since_analyze_user_tables", "tables_analyzed_user_tables"),
    ...each(database, "tables_autoanalyzed_user_tables", "tables_autovacuumed_user_tables"),
    ...each(database, "tables_counter_user_tables", "tables_vacuumed_user_tables", "vacuum_count_user_tables"),
    ...each(database, "blks_hit", "blks_read", "database_size_bytes", "deadlocks", "numbackends", "temp_bytes"),
    ...each(database, "temp_files", "tps", "tup_deleted", "tup_fetched", "tup_inserted", "tup_returned"),
    ...each(database, "tup_updated", "xact_commit", "xact_rollback", "xact_total", "client_connections_active"),
    ...each(database, "client_connections_waiting", "num_pools", "server_connections_active"),
    ...each(database, "server_connections_idle", "total_pooled_connections"),
    ...each(disk, "backup_storage_used", "cpu_credits_consumed", "cpu_credits_remaining"),
    ...each(disk, "disk_bandwidth_consumed_percentage", "disk_iops_consumed_percentage", "disk_queue_depth"),
    ...each(disk, "read_iops", "read_throughput", "write_iops", "write_throughput"),
    ...each(["ReplicationSlotName", ...disk], "logical_replication_slot_sync_status"),
    ...each([], "postmaster_process_cpu_usage_percent", "tcp_connection_backlog"),
  },
  "microsoft.keyvault/vaults": {
    ...each(answers, "Availability", "ServiceApiLatency", "ServiceApiResult"),
    ...each(calls, "ServiceApiHit"),
    ...each([...calls, "TransactionType"], "SaturationShoebox"),
  },
  "microsoft.eventgrid/systemtopics": {
    ...each(subscribed, "AdvancedFilterEvaluationCount", "DeliverySuccessCount", "DestinationProcessingDurationInMs"),
    ...each(subscribed, "MatchedEventCount", "ServerDeliverySuccessRate"),
    ...each(["DeadLetterReason", ...subscribed], "DeadLetteredCount"),
    ...each(["Error", "ErrorType", ...subscribed], "DeliveryAttemptFailCount"),
    ...each(["DropReason", ...subscribed], "DroppedEventCount"),
    ...each(["ErrorType", "Error"], "PublishFailCount"),
    ...each([], "PublishSuccessCount", "PublishSuccessLatencyInMs", "UnmatchedEventCount"),
  },
};

/** Metrics that Azure has and no resource here has a value of. */
export const otherMetrics = /^(Jvm|Gpu)/i;
