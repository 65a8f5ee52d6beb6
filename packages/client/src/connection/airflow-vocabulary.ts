/** Keys of an Airflow connection's `extra` that PostgresHook takes for itself; it passes every other one to libpq. */
export const AIRFLOW_EXTRAS: readonly string[] = [
  "aws_conn_id",
  "azure_conn_id",
  "cluster-identifier",
  "cursor",
  "iam",
  "redshift",
  "redshift-serverless",
  "sqlalchemy_query",
  "sqlalchemy_scheme",
  "workgroup-name",
];
