/**
 * One installation of Howdah for a test: a home of its own, the built command line as a child process, everything
 * ended and removed at the end. What a test does here is what a user does at a terminal.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";

export const REPOSITORY = resolve(fileURLToPath(new URL(".", import.meta.url)), "../../../..");
export const HOWDAH = join(REPOSITORY, "packages/howdah/bin/howdah.js");

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface InstallationOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user (the test must be root). */
  readonly user?: { readonly uid: number; readonly gid: number; readonly home: string };
  readonly home?: string;
  readonly program?: string;
  readonly node?: string;
}

export class Installation implements AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly env: Record<string, string>;
  readonly #options: InstallationOptions;

  constructor(options: InstallationOptions = {}) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "howdah-test-"));
    // As root the services run under uids of their own and must be able to pass through.
    chmodSync(this.folder, 0o755);
    this.home = options.home ?? join(this.folder, "home");
    this.env = {
      PATH: process.env["PATH"] ?? "",
      HOME: options.user?.home ?? process.env["HOME"] ?? "/",
      NO_COLOR: "1",
      HOWDAH_HOME: this.home,
      HOWDAH_API_PORT: "0",
      HOWDAH_POOL_SIZE: "0",
      // A range of its own: while a service is stopped, another test's would take its port.
      HOWDAH_FIRST_PORT: String(20_000 + Math.floor(Math.random() * 120) * 100),
      // 64M makes shared_buffers 16MB: small servers, since several run at once on two cores.
      HOWDAH_DEFAULT_MEMORY: "64M",
      ...options.env,
    };
  }

  spawn(args: readonly string[], options: RunOptions = {}): ChildProcess {
    const { user } = this.#options;
    return spawn(this.#options.node ?? process.execPath, [this.#options.program ?? HOWDAH, ...args], {
      cwd: options.cwd ?? this.folder,
      env: { ...this.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const child = this.spawn(args, options);
    child.stdin?.end(options.input ?? "");
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit(child)]);
    return { code, stdout, stderr };
  }

  /** Runs a command that must succeed. Throws with everything it printed. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0)
      throw new Error(`howdah ${args.join(" ")} exited with ${code}\n${stdout}\n${stderr}\n${this.serverLog()}`);
    return stdout;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a command printed
  async json(args: readonly string[], options: RunOptions = {}): Promise<any> {
    return JSON.parse(await this.ok([...args, "--json"], options));
  }

  async url(name: string, options: RunOptions = {}): Promise<string> {
    return (await this.ok(["services", "url", name], options)).trim();
  }

  async connect(name: string): Promise<pg.Client> {
    return connectTo(await this.url(name));
  }

  async controlPid(): Promise<number> {
    return (await this.json(["server", "status"])).control.pid;
  }

  serverLog(): string {
    const path = join(this.home, "server.log");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-40).join("\n") : "";
  }

  /** Every process of this installation that is alive: control, its supervisor, the gateway's, PostgreSQL servers and
   *  their children. */
  processes(): { pid: number; command: string }[] {
    return listProcesses().filter(
      (p) => p.cwd.startsWith(`${this.home}/`) || p.environ.includes(`HOWDAH_HOME=${this.home}\0`),
    );
  }

  /** Processes of the gateway, which outlives a plain 'server stop'. */
  gateway(): { keepers: number[]; workers: number[] } {
    const all = this.processes();
    const running = (file: string) => all.filter((p) => p.command.includes(`/${file} ${this.home} `)).map((p) => p.pid);
    return { keepers: running("keeper-main.js"), workers: running("worker-main.js") };
  }

  /** All but those of the gateway. */
  processesBesideGateway(): { pid: number; command: string }[] {
    const { keepers, workers } = this.gateway();
    return this.processes().filter(({ pid }) => !keepers.includes(pid) && !workers.includes(pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(this.home)) await this.run(["server", "stop", "--all"]);
    const left = this.processes().filter((p) => p.pid !== process.pid);
    for (const { pid } of left) tryKill(pid);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
    if (left.length > 0) throw new Error(`left running after 'server stop --all': ${JSON.stringify(left)}`);
  }
}

export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // Tests end servers under their clients: the next query tells, not an unhandled event.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Runs one statement on a connection of its own and gives the rows. */
// biome-ignore lint/suspicious/noExplicitAny: rows are whatever the statement says
export async function query(url: string, sql: string, values: unknown[] = []): Promise<any[]> {
  const client = await connectTo(url);
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

export async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = "";
  if (stream !== null) for await (const chunk of stream) all += String(chunk);
  return all;
}

function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code));
  });
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the look and the kill.
  }
}

/** What the kernel says about every process; those that vanish during the look are left out. */
export function listProcesses(): { pid: number; cwd: string; command: string; environ: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const read = (what: () => string) => {
        try {
          return what();
        } catch {
          return "";
        }
      };
      const command = read(() => readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "));
      const state = read(() => readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "")[0] ?? "");
      // Zombies hold nothing; they wait for whoever is process 1 here.
      if (command === "" || state === "Z") return [];
      const cwd = read(() => readlinkSync(`/proc/${name}/cwd`));
      return [{ pid: Number(name), cwd, command, environ: read(() => readFileSync(`/proc/${name}/environ`, "utf8")) }];
    });
}

/** Waits until `look` gives a value other than undefined or false. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}

/** A port that nobody has at this moment; the kernel's choice, so that tests that run side by side get different ones. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
