/**
 * Clients that come all the time, in the ways in which people's clients come: a new connection for each question, a
 * pool, psql. They tell apart who was not let in, which is never right while waiting would have helped, and whose open
 * connection ended, which a restart of the server may do.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { connectTo, text, until } from "./installation.js";

export const PSQL = "/usr/bin/psql";
const PAUSE_MS = 5;

export interface Seen {
  /** Not let in. */
  readonly refused: string[];
  /** Let in, and then cut off. */
  readonly broken: string[];
  readonly answers: number;
}

class Counts implements Seen {
  readonly refused: string[] = [];
  readonly broken: string[] = [];
  readonly byKind = new Map<string, number>();

  answered(kind: string): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
  }

  get answers(): number {
    return [...this.byKind.values()].reduce((a, b) => a + b, 0);
  }
}

type Kind = (url: string, counts: Counts, over: () => boolean) => Promise<void>;

const newConnections: Kind = async (url, counts, over) => {
  while (!over()) {
    const client = await connectTo(url).catch((error: unknown) => void counts.refused.push(`new connection: ${error}`));
    await client?.query("select 1").then(
      () => counts.answered("new connections"),
      (error: unknown) => counts.broken.push(String(error)),
    );
    await client?.end().catch(() => undefined);
    await delay(PAUSE_MS);
  }
};

const pool: Kind = async (url, counts, over) => {
  const clients = new pg.Pool({ connectionString: url, max: 5 });
  // One that ends with its server is replaced; whoever asks it something is told by the answer.
  clients.on("error", () => undefined);
  clients.on("connect", (client) => client.on("error", () => undefined));
  const user = async () => {
    while (!over()) {
      const client = await clients.connect().catch((error: unknown) => void counts.refused.push(`pool: ${error}`));
      try {
        await client?.query("select 1");
        if (client !== undefined) counts.answered("pool");
        client?.release();
      } catch (error) {
        counts.broken.push(String(error));
        client?.release(true);
      }
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: 8 }, user));
  await clients.end();
};

const psql: Kind = async (url, counts, over) => {
  while (!over()) {
    const { code, stderr } = await runPsql(url, "select 1");
    if (code === 0) counts.answered("psql");
    else (stderr.startsWith("psql: error: connection to server") ? counts.refused : counts.broken).push(stderr);
    await delay(PAUSE_MS);
  }
};

export async function runPsql(url: string, sql: string) {
  const child = spawn(PSQL, ["-X", "-At", "-c", sql, url], { env: {}, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Lets clients of every kind come before, while and after `act` runs; each kind is answered at least once before and
 *  three times after it. */
export async function flowDuring(url: string, act: () => Promise<unknown>): Promise<Seen> {
  const kinds: [string, Kind][] = [
    ["new connections", newConnections],
    ["pool", pool],
  ];
  if (existsSync(PSQL)) kinds.push(["psql", psql]);
  else console.warn(`SKIPPED: clients by psql: there is no ${PSQL}`);
  const counts = new Counts();
  let isOver = false;
  const flows = kinds.map(([, kind]) => kind(url, counts, () => isOver));
  const each = (count: number) => {
    const start = new Map(counts.byKind);
    const enough = () => kinds.every(([name]) => (counts.byKind.get(name) ?? 0) >= (start.get(name) ?? 0) + count);
    return until("every kind of client is answered", () => enough() || counts.refused.length > 0, 60_000);
  };
  try {
    await each(1);
    await act();
    await each(3);
  } finally {
    isOver = true;
    await Promise.all(flows);
  }
  console.log(`answers: ${JSON.stringify(Object.fromEntries(counts.byKind))}, ${counts.broken.length} were cut off`);
  return counts;
}
