/** One step of the schema. Never edited once released: installations out there have run it as it was. */
export interface Migration {
  /** Counts from 1 without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
