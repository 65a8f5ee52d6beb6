import type pg from "pg";
import type { Major } from "../../spec/index.js";

/** A table, materialized view or TOAST table of the database that was asked. */
export interface DueTable {
  readonly schema: string;
  readonly name: string;
  readonly vacuum: boolean;
  readonly analyze: boolean;
  /** Its oldest transaction has to be frozen, whatever the settings say. */
  readonly wraparound: boolean;
}

/**
 * Which tables autovacuum would work on now, decided as it decides (autovacuum.c, relation_needs_vacanalyze): dead rows,
 * inserted rows and changed rows against thresholds that grow with the table, from the server's settings or the table's
 * own (a TOAST table without any has those of its table). Where autovacuum is off, for all or for the table, only the age
 * of transaction numbers counts. Small ones first, so that an interruption costs little.
 *
 * The counters are those of sessions that have ended: a session hands in its own at its end. Throws what `pg` throws.
 */
export async function tablesToVacuum(client: pg.Client, major: Major): Promise<DueTable[]> {
  await client.query("SELECT pg_catalog.pg_stat_clear_snapshot()");
  return (await client.query<DueTable>(dueTables(major))).rows;
}

/** A number from the table's own options, else from the settings. Options below `least` mean "not set". */
function parameter(name: string, least: number, setting = name): string {
  return `coalesce((SELECT o.value FROM (SELECT (options ->> '${name}')::float8 AS value) o WHERE o.value >= ${least}),
                   pg_catalog.current_setting('${setting}', true)::float8)`;
}

function dueTables(major: Major): string {
  // From 18 on only pages that are not frozen yet count for inserts, and the threshold for dead rows has an upper bound.
  const unfrozen =
    major >= 18
      ? "CASE WHEN relpages > 0 AND relallfrozen > 0 THEN 1 - least(relallfrozen, relpages)::float8 / relpages ELSE 1 END"
      : "1";
  return `
  WITH tables AS (
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind, c.relfrozenxid, c.relminmxid,
           greatest(c.reltuples, 0)::float8 AS rows, c.relpages::float8 AS pages, ${unfrozenOf(unfrozen)} AS unfrozen,
           (SELECT pg_catalog.jsonb_object_agg(option_name, option_value)
            FROM pg_catalog.pg_options_to_table(coalesce(c.reloptions, main.reloptions))) AS options
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class main ON c.relkind = 't' AND main.reltoastrelid = c.oid
    WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
  ), limits AS (
    SELECT tables.*,
           coalesce((options ->> 'autovacuum_enabled')::boolean, true)
             AND pg_catalog.current_setting('autovacuum')::boolean
             AND pg_catalog.current_setting('track_counts')::boolean AS enabled,
           ${parameter("autovacuum_vacuum_threshold", 0)} AS vacuum_base,
           ${parameter("autovacuum_vacuum_scale_factor", 0)} AS vacuum_scale,
           ${parameter("autovacuum_vacuum_max_threshold", -1)} AS vacuum_most,
           ${parameter("autovacuum_vacuum_insert_threshold", -1)} AS insert_base,
           ${parameter("autovacuum_vacuum_insert_scale_factor", 0)} AS insert_scale,
           ${parameter("autovacuum_analyze_threshold", 0)} AS analyze_base,
           ${parameter("autovacuum_analyze_scale_factor", 0)} AS analyze_scale,
           least((options ->> 'autovacuum_freeze_max_age')::bigint,
                 pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint) AS freeze_age,
           least((options ->> 'autovacuum_multixact_freeze_max_age')::bigint,
                 pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::bigint) AS multixact_age,
           pg_catalog.pg_stat_get_dead_tuples(oid) AS dead,
           pg_catalog.pg_stat_get_ins_since_vacuum(oid) AS inserted,
           pg_catalog.pg_stat_get_mod_since_analyze(oid) AS changed
    FROM tables
  ), due AS (
    SELECT schema, name, pages,
           relfrozenxid <> '0'::xid AND pg_catalog.age(relfrozenxid) > freeze_age
             OR relminmxid <> '0'::xid AND pg_catalog.mxid_age(relminmxid) > multixact_age AS wraparound,
           enabled AND (
             dead > CASE WHEN vacuum_most >= 0 THEN least(vacuum_base + vacuum_scale * rows, vacuum_most)
                         ELSE vacuum_base + vacuum_scale * rows END
             OR insert_base >= 0 AND inserted > insert_base + insert_scale * rows * unfrozen) AS crowded,
           enabled AND relkind <> 't' AND oid <> 'pg_catalog.pg_statistic'::pg_catalog.regclass
             AND changed > analyze_base + analyze_scale * rows AS "analyze"
    FROM limits
  )
  SELECT schema, name, coalesce(wraparound OR crowded, false) AS vacuum, coalesce("analyze", false) AS "analyze",
         coalesce(wraparound, false) AS wraparound
  FROM due WHERE wraparound OR crowded OR "analyze" ORDER BY pages, schema, name`;
}

function unfrozenOf(expression: string): string {
  return expression.replaceAll(/\brel(pages|allfrozen)\b/g, "c.$&");
}
