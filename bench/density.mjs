// Many sleeping services on one machine: what control and gateway cost while all of them sleep (memory, and processor
// time of an idle minute), and whether any of them still answers as fast as the only service of another installation,
// woken in turn with it. `node bench/density.mjs [services] [wakes]`, 1000 and 50 unless said otherwise. A thousand take
// 45 GB of disk and a quarter of an hour on two cores, since each is a real initdb. Ratios count; absolute figures are
// this machine's.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync } from "node:fs";
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

const SERVICES = wholeNumber(process.argv[2], 1_000);
const WAKES = Math.min(wholeNumber(process.argv[3], 50), SERVICES);
const IDLE_SECONDS = Number(process.env.BENCH_IDLE_SECONDS ?? 60);
/** More only make the two cores wait for each other. */
const AT_ONCE = 4;
const GOALS = { memoryMb: 250, cpuPercent: 1 };
/** A fresh cluster with its first segments of WAL, and room for the checkpoint that ends it. */
const BYTES_EACH = 45e6;
const FILES_EACH = 1_100;
const DEADLINE_MS = 600_000;
const ASLEEP_MS = 60_000;
const PARAMETERS = { password: "bench", mode: "flash", timeout: 1, "set.shared_buffers": "16MB" };

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const sorted = (xs) => [...xs].sort((a, b) => a - b);
const quantile = (xs, q) => sorted(xs)[Math.min(xs.length - 1, Math.floor(xs.length * q))];
const median = (xs) => quantile(xs, 0.5);
const sum = (xs) => xs.reduce((a, b) => a + b, 0);
const tell = (text) => process.stderr.write(`${text}\n`);

function wholeNumber(text, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`'${text}' is not a whole number: node bench/density.mjs [services] [wakes]`);
}

/** Said before anything is made: a full disk in the middle would take other programs with it. */
function checkSpace() {
  const { bavail, bsize, ffree } = statfsSync(tmpdir());
  const needed = SERVICES * BYTES_EACH + 2e9;
  const files = SERVICES * FILES_EACH;
  tell(`${SERVICES} services need ${gb(needed)} below ${tmpdir()} (TMPDIR), and ${gb(bavail * bsize)} are free`);
  if (bavail * bsize < needed)
    throw new Error("too little disk is free: make room, set TMPDIR, or ask for fewer services");
  // Some file systems count no inodes.
  if (ffree > 0 && ffree < files) throw new Error(`they need ${files} inodes, and ${ffree} are free`);
}

const gb = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

/** An installation of its own; ended and removed by `close`. */
function installation(firstPort) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-density-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "home");
  const env = {
    ...process.env,
    HOWDAH_HOME: home,
    HOWDAH_API_PORT: "0",
    HOWDAH_POOL_SIZE: "0",
    HOWDAH_FIRST_PORT: String(firstPort),
    HOWDAH_DEFAULT_MEMORY: "64M",
  };
  const cli = (...args) => execFileSync(process.execPath, [howdah, ...args], { env, encoding: "utf8", cwd: folder });
  cli("server", "start");
  return {
    home,
    cli,
    client: createClient({ socketPath: layoutOf(home).apiSocket }),
    close: () => {
      cli("server", "stop", "--all");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function createAll({ client }, count) {
  const began = performance.now();
  let next = 0;
  let made = 0;
  async function work() {
    while (next < count) {
      const name = `db-${++next}`;
      const service = await client.services.create({ name, service_type: "postgres", parameters: PARAMETERS });
      await client.services.wait(service.id, { timeoutMs: DEADLINE_MS });
      made++;
      if (made % Math.max(1, Math.floor(count / 40)) !== 0) continue;
      const seconds = (performance.now() - began) / 1_000;
      tell(
        `created ${made} of ${count}, ${Math.round(seconds)} s, ${Math.round((seconds / made) * (count - made))} s to go`,
      );
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
  return (performance.now() - began) / 1_000;
}

async function allAsleep({ client, home }) {
  const began = performance.now();
  for (;;) {
    const services = await client.services.list();
    const awake = services.filter(({ status }) => status !== "sleeping");
    if (awake.length === 0 && postgresOf(home).length === 0) return services;
    if (performance.now() - began > DEADLINE_MS) {
      const {
        name,
        status,
        sleep: { awake_because: why },
      } = awake[0] ?? { name: "none", status: "gone", sleep: {} };
      throw new Error(`${awake.length} services do not sleep; ${name} is ${status} (${why ?? "no reason told"})`);
    }
    await sleep(1_000);
  }
}

/** Processes of PostgreSQL that belong to this home; none may be there while everything sleeps. */
function postgresOf(home) {
  return processes().filter(({ pid, command }) => {
    if (command.includes(`${home}/services/`)) return true;
    // Children rename themselves, but stay in the data directory.
    return command.startsWith("postgres:") && cwdOf(pid).startsWith(`${home}/services/`);
  });
}

function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), command: readOr(`/proc/${pid}/cmdline`, "").replaceAll("\0", " ") }));
}

function readOr(path, fallback) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process is gone.
    return fallback;
  }
}

function cwdOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

/** Control, the keeper of the listeners, and the gateway proper, by name. */
async function ours({ client, home }) {
  const status = await client.status();
  const keeper = processes().find(({ command }) => command.includes(`/gateway/process/keeper-main.js ${home} `));
  if (keeper === undefined || status.gateway.pid === null) throw new Error("there is no gateway");
  return { control: status.control.pid, keeper: keeper.pid, worker: status.gateway.pid };
}

/** Megabytes. PSS shares what several processes map, above all Node itself, among them. */
function memoryOf(pids) {
  const each = Object.entries(pids).map(([name, pid]) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const mb = (field) => (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1]) * 1_024) / 1e6;
    return [name, { rssMb: round(mb("Rss")), pssMb: round(mb("Pss")) }];
  });
  const of = (field) => round(sum(each.map(([, figures]) => figures[field])));
  return { ...Object.fromEntries(each), rssMb: of("rssMb"), pssMb: of("pssMb") };
}

const round = (value) => Math.round(value * 100) / 100;

/** Percent of one core over some seconds in which nobody asks for anything. */
async function idleCpu(pids, seconds) {
  const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const ticks = () =>
    Object.entries(pids).map(([name, pid]) => {
      // The name in brackets may hold anything; utime and stime are the 12th and 13th field behind it.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
      return [name, Number(fields[11]) + Number(fields[12])];
    });
  const before = Object.fromEntries(ticks());
  await sleep(seconds * 1_000);
  const each = ticks().map(([name, after]) => [name, round(((after - before[name]) / ticksPerSecond / seconds) * 100)]);
  return { ...Object.fromEntries(each), percent: round(sum(each.map(([, percent]) => percent))) };
}

async function wake({ endpoint: { host, port } }) {
  const began = performance.now();
  const client = new pg.Client({ host, port, user: "postgres", database: "postgres", password: "bench" });
  await client.connect();
  await client.query("select 1");
  const ms = performance.now() - began;
  await client.end();
  return ms;
}

async function asleep({ client }, id) {
  const began = performance.now();
  for (;;) {
    const { service } = await client.services.details(id);
    if (service.status === "sleeping") return;
    if (performance.now() - began > ASLEEP_MS) throw new Error(`service ${id} is ${service.status} after a minute`);
    await sleep(50);
  }
}

function pick(all, count) {
  const rest = [...all];
  return Array.from({ length: count }, () => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
}

/** Each chosen one twice: the first time its files may have to come from the disk, the second time they do not. */
async function wakes(many, services, alone, only) {
  const times = { first: [], again: [], alone: [] };
  for (const service of pick(services, WAKES)) {
    times.first.push(await wake(service));
    await asleep(many, service.id);
    times.again.push(await wake(service));
    await asleep(alone, only.id);
    times.alone.push(await wake(only));
    await asleep(many, service.id);
    if (times.first.length % 10 === 0) tell(`woke ${times.first.length} of ${WAKES}`);
  }
  const figures = (xs) => ({
    medianMs: round(median(xs)),
    p95Ms: round(quantile(xs, 0.95)),
    maxMs: round(Math.max(...xs)),
  });
  return {
    first: figures(times.first),
    again: figures(times.again),
    alone: figures(times.alone),
    againRatio: round(median(times.again.map((ms, i) => ms / times.alone[i]))),
    firstRatio: round(median(times.first.map((ms, i) => ms / times.alone[i]))),
  };
}

checkSpace();
const homes = [];
const result = { services: SERVICES, wakes: WAKES };
try {
  const alone = installation(22_000);
  homes.push(alone);
  await createAll(alone, 1);
  const [only] = await allAsleep(alone);
  result.aloneMemory = memoryOf(await ours(alone));

  const many = installation(10_000);
  homes.push(many);
  result.createSeconds = round(await createAll(many, SERVICES));
  const services = await allAsleep(many);
  tell(`all ${services.length} sleep, no process of PostgreSQL is left; now ${IDLE_SECONDS} s of idling`);
  const pids = await ours(many);
  result.idleCpu = await idleCpu(pids, IDLE_SECONDS);
  result.memory = memoryOf(pids);
  result.wake = await wakes(many, services, alone, only);
  await allAsleep(many);
  result.memoryAfterWakes = memoryOf(await ours(many));
  // What creating a thousand left behind in control goes with it; the gateway stays.
  many.cli("server", "stop");
  many.cli("server", "start");
  await allAsleep(many);
  await sleep(5_000);
  result.memoryAfterRestart = memoryOf(await ours(many));
  result.goals = {
    memory: { goalMb: GOALS.memoryMb, rssMb: result.memory.rssMb, met: result.memory.rssMb <= GOALS.memoryMb },
    memoryShared: { goalMb: GOALS.memoryMb, pssMb: result.memory.pssMb, met: result.memory.pssMb <= GOALS.memoryMb },
    idle: { goalPercent: GOALS.cpuPercent, ...result.idleCpu, met: result.idleCpu.percent <= GOALS.cpuPercent },
  };
} finally {
  for (const home of homes) home.close();
}

console.log(JSON.stringify(result, null, 2));
