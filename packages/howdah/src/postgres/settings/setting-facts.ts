/**
 * What `postgres --describe-config` does not tell: base units, and the names that it leaves out because they do not
 * belong into a sample file. Read from pg_settings of 15 and 18, united: what one major lacks is left to the server to
 * refuse.
 */
const NAMES_BY_UNIT = {
  "8kB":
    "backend_flush_after bgwriter_flush_after checkpoint_flush_after commit_timestamp_buffers effective_cache_size io_combine_limit io_max_combine_limit min_parallel_index_scan_size min_parallel_table_scan_size multixact_member_buffers multixact_offset_buffers notify_buffers serializable_buffers shared_buffers subtransaction_buffers temp_buffers transaction_buffers wal_buffers wal_writer_flush_after",
  B: "log_parameter_max_length log_parameter_max_length_on_error track_activity_query_size wal_decode_buffer_size",
  MB: "max_slot_wal_keep_size max_wal_size min_dynamic_shared_memory min_wal_size wal_keep_size",
  kB: "autovacuum_work_mem gin_pending_list_limit huge_page_size log_rotation_size log_temp_files logical_decoding_work_mem maintenance_work_mem max_stack_depth temp_file_limit vacuum_buffer_usage_limit wal_skip_threshold work_mem",
  min: "log_rotation_age old_snapshot_threshold wal_summary_keep_time",
  ms: "autovacuum_vacuum_cost_delay bgwriter_delay client_connection_check_interval deadlock_timeout idle_in_transaction_session_timeout idle_session_timeout lock_timeout log_autovacuum_min_duration log_min_duration_sample log_min_duration_statement log_startup_progress_interval max_standby_archive_delay max_standby_streaming_delay recovery_min_apply_delay statement_timeout tcp_user_timeout transaction_timeout vacuum_cost_delay wal_receiver_timeout wal_retrieve_retry_interval wal_sender_timeout wal_writer_delay",
  s: "archive_timeout authentication_timeout autovacuum_naptime checkpoint_timeout checkpoint_warning idle_replication_slot_timeout post_auth_delay pre_auth_delay tcp_keepalives_idle tcp_keepalives_interval wal_receiver_status_interval",
};

const UNLISTED_NAMES =
  "allow_in_place_tablespaces allow_system_table_mods application_name backtrace_functions debug_discard_caches debug_io_direct debug_logical_replication_streaming debug_parallel_query force_parallel_mode ignore_checksum_failure ignore_invalid_pages ignore_system_indexes jit_debugging_support jit_dump_bitcode jit_expressions jit_profiling_support jit_tuple_deforming post_auth_delay pre_auth_delay remove_temp_files_after_crash restrict_nonsystem_relation_kind send_abort_for_crash send_abort_for_kill trace_connection_negotiation trace_notify trace_recovery_messages trace_sort wal_consistency_checking zero_damaged_pages";

/** Base unit of a setting: a plain number means that many of it. */
export const UNITS: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES_BY_UNIT).flatMap(([unit, names]) => names.split(" ").map((name) => [name, unit] as const)),
);
/** Developer settings that exist although `--describe-config` is silent about them. */
export const UNLISTED: ReadonlySet<string> = new Set(UNLISTED_NAMES.split(" "));
