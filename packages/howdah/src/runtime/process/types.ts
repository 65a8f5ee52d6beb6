/** One process, told apart from a later one with the same number by its start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks since boot (field 22 of /proc/<pid>/stat); elsewhere `ps -o lstart`. Compared only for equality. */
  readonly startTime: string;
}

export interface ProcessInfo extends ProcessIdentity {
  readonly ppid: number;
  /** The working directory, or null where it may not be read. */
  readonly cwd: string | null;
  /** The effective user. */
  readonly uid: number;
  /** The process group; a PostgreSQL backend leads one of its own, in which the commands that it runs are too. */
  readonly group: number;
  /** The executable's base name, at most 15 bytes of it on Linux. */
  readonly name: string;
}
