// How long a client waits when its database sleeps: connect through the gateway until the first answer, against what
// nobody could beat, PostgreSQL itself: `postgres` spawned bare on the same data directory with the same command line
// and user, until the first answer over its Unix socket, as the same role by SCRAM. In turn, in one run, so that a
// machine that slows down slows both. For an empty database, and for one of a gigabyte whose cache was warm.
// `node bench/wake.mjs [wakes] [empty|large]`, 200 of both unless said otherwise: five minutes for the empty one, ten for
// the large one, most of it waiting for the next sleep. Ratios count; absolute figures are this machine's.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const repository = resolve(fileURLToPath(new URL(".", import.meta.url)), "..");
const require = createRequire(join(repository, "packages/howdah/package.json"));
const pg = require("pg");
const howdah = join(repository, "packages/howdah/bin/howdah.js");
const { createClient } = await import(join(repository, "packages/howdah/dist/api/client/index.js"));
const { layoutOf } = await import(join(repository, "packages/howdah/dist/runtime/layout.js"));

const WAKES = Number(process.argv[2] ?? 200);
const KINDS = process.argv[3] === undefined ? ["empty", "large"] : [process.argv[3]];
if (!(Number.isInteger(WAKES) && WAKES > 0) || KINDS.some((kind) => !["empty", "large"].includes(kind))) {
  throw new Error("node bench/wake.mjs [wakes] [empty|large]");
}
const GOALS = { ratio: 1.5, tail: 3 };
const ASLEEP_MS = 60_000;
const LOGIN = { user: "postgres", password: "bench", database: "postgres" };
/** Rows of 1,000 bytes with their headers: a gigabyte, and buffers that hold all of it. */
const LARGE = { rows: 1_050_000, buffers: "1280MB" };

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const quantile = (xs, q) => [...xs].sort((a, b) => a - b)[Math.min(xs.length - 1, Math.floor(xs.length * q))];
const median = (xs) => quantile(xs, 0.5);
const round = (value) => Math.round(value * 100) / 100;
const tell = (text) => process.stderr.write(`${text}\n`);

/** An installation of its own; ended and removed by `close`. */
function installation() {
  const folder = mkdtempSync(join(tmpdir(), "howdah-wake-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "home");
  const env = {
    ...process.env,
    HOWDAH_HOME: home,
    HOWDAH_API_PORT: "0",
    HOWDAH_POOL_SIZE: "0",
    HOWDAH_FIRST_PORT: "21000",
    HOWDAH_DEFAULT_MEMORY: "64M",
  };
  const cli = (...args) => execFileSync(process.execPath, [howdah, ...args], { env, encoding: "utf8", cwd: folder });
  cli("server", "start");
  return {
    layout: layoutOf(home),
    client: createClient({ socketPath: layoutOf(home).apiSocket }),
    close: () => {
      cli("server", "stop", "--all");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function makeService({ client, layout }, kind) {
  const parameters = {
    password: LOGIN.password,
    mode: "flash",
    timeout: 1,
    "set.shared_buffers": kind === "large" ? LARGE.buffers : "16MB",
  };
  const service = await client.services.create({ name: kind, service_type: "postgres", parameters });
  await client.services.wait(service.id, { timeoutMs: ASLEEP_MS });
  return { ...service, kind, paths: layout.service(service.id) };
}

async function withClient(service, work) {
  const { host, port } = service.endpoint;
  const client = new pg.Client({ host, port, ...LOGIN });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function fill(service) {
  if (service.kind === "empty") return;
  tell("writing a gigabyte");
  await withClient(service, async (client) => {
    await client.query(
      `CREATE TABLE large AS SELECT n, repeat('x', 950) AS t FROM generate_series(1, ${LARGE.rows}) n`,
    );
    await client.query("VACUUM ANALYZE large");
    await client.query("CREATE EXTENSION pg_prewarm");
    await client.query("SELECT pg_prewarm('large')");
  });
}

/** The running server's own words: what it was started with, and as whom. */
function commandOf({ paths }) {
  const pid = Number.parseInt(readFileSync(join(paths.data, "postmaster.pid"), "utf8"), 10);
  const [command, ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const env = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  return {
    command,
    args,
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
    env: Object.fromEntries(env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])),
  };
}

/** Processes that work in the data directory; PostgreSQL's all do. */
function processesOf({ paths }) {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === paths.data;
    } catch {
      // It is gone.
      return false;
    }
  });
}

async function untilAsleep({ client }, service) {
  const began = performance.now();
  for (;;) {
    const { service: seen } = await client.services.details(service.id);
    if (seen.status === "sleeping") break;
    if (performance.now() - began > ASLEEP_MS) {
      throw new Error(`service ${service.name} is ${seen.status} after a minute: ${seen.sleep.awake_because}`);
    }
    await sleep(50);
  }
  const left = processesOf(service);
  if (left.length > 0) throw new Error(`it sleeps, and process ${left[0]} works in its data directory`);
  // One more breath: the machine should be idle when the next measurement begins.
  await sleep(50);
}

async function wake(service) {
  const began = performance.now();
  return withClient(service, async (client) => {
    await client.query("select 1");
    return performance.now() - began;
  });
}

/** Control is held meanwhile, or it would find a server running that nobody asked for, and take it over. */
async function bare(service, { command, args, uid, env }, control) {
  process.kill(control, "SIGSTOP");
  try {
    const file = join(service.paths.data, "postmaster.pid");
    const user = process.getuid() === 0 ? { uid, gid: uid } : {};
    const began = performance.now();
    const server = spawn(command, args, { cwd: service.paths.data, env, stdio: "ignore", ...user });
    const exit = once(server, "exit");
    while (!(existsSync(file) && /^ready/m.test(readFileSync(file, "latin1").split("\n")[7] ?? ""))) {
      if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
      await sleep(1);
    }
    const client = new pg.Client({ host: service.paths.socket, port: 5432, ...LOGIN });
    await client.connect();
    await client.query("select 1");
    const ms = performance.now() - began;
    await client.end();
    await warmed(service);
    const stopping = performance.now();
    server.kill("SIGINT");
    await exit;
    // Its log collector ends a moment later, and is not to be taken for one of a service that sleeps.
    while (processesOf(service).length > 0) await sleep(1);
    return { ms, stopMs: performance.now() - stopping };
  } finally {
    process.kill(control, "SIGCONT");
  }
}

/** A server that is stopped while it still fills its cache keeps the list of the time before; let both sides finish. */
async function warmed({ kind }) {
  if (kind === "large") await sleep(1_000);
}

async function measure(home, service) {
  await fill(service);
  await untilAsleep(home, service);
  let command;
  await withClient(service, async () => {
    command = commandOf(service);
  });
  tell(`${command.command} ${command.args.join(" ")}`);
  const times = { wake: [], bare: [], bareStop: [], told: [] };
  for (let i = 0; i < WAKES; i++) {
    await untilAsleep(home, service);
    times.wake.push(await wake(service));
    const { service: seen } = await home.client.services.details(service.id);
    times.told.push(seen.sleep.last_wake_ms);
    await untilAsleep(home, service);
    const { control } = await home.client.status();
    const { ms, stopMs } = await bare(service, command, control.pid);
    times.bare.push(ms);
    times.bareStop.push(stopMs);
    if ((i + 1) % 20 === 0) tell(`${service.kind}: ${i + 1} of ${WAKES}`);
  }
  const figures = (xs) => ({ medianMs: round(median(xs)), p99Ms: round(quantile(xs, 0.99)) });
  const ratio = round(median(times.wake.map((ms, i) => ms / times.bare[i])));
  const tail = round(quantile(times.wake, 0.99) / median(times.wake));
  const list = join(service.paths.data, "autoprewarm.blocks");
  return {
    wakes: WAKES,
    wake: figures(times.wake),
    bare: figures(times.bare),
    /** From the client's wish until the server took connections, as control tells it. */
    startMs: round(median(times.told.filter((ms) => typeof ms === "number"))),
    bareStopMs: round(median(times.bareStop)),
    /** Blocks of 8 kB that the next start will read again. */
    warmBlocks: existsSync(list) ? Number(/^<<(\d+)>>/.exec(readFileSync(list, "utf8"))?.[1] ?? 0) : 0,
    ratio: { goal: GOALS.ratio, value: ratio, met: ratio <= GOALS.ratio },
    ratioOfMedians: round(median(times.wake) / median(times.bare)),
    p99OverMedian: { goal: GOALS.tail, value: tail, met: tail <= GOALS.tail },
    bareP99OverMedian: round(quantile(times.bare, 0.99) / median(times.bare)),
  };
}

const home = installation();
const result = {};
try {
  for (const kind of KINDS) result[kind] = await measure(home, await makeService(home, kind));
} finally {
  home.close();
}

console.log(JSON.stringify(result, null, 2));
