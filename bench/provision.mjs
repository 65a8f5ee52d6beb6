// How long until a new database answers its first query: asked over the API's Unix socket, with the pool warm and
// empty and ten at once, against bare `initdb` + start + first query, measured alternately in the same run. And how
// long the command line itself takes to start, against `node -e 0`. Ratios count; absolute figures are this machine's.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const isRoot = process.getuid() === 0;

const median = (xs) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function firstAnswer(config) {
  const client = new pg.Client(config);
  await client.connect();
  await client.query("select 1");
  await client.end();
}

/** An installation of its own; ended and removed by `close`. */
function installation(poolSize) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-bench-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "home");
  const env = {
    ...process.env,
    HOWDAH_HOME: home,
    HOWDAH_API_PORT: "0",
    HOWDAH_POOL_SIZE: String(poolSize),
    HOWDAH_DEFAULT_MEMORY: "64M",
  };
  const cli = (...args) => execFileSync(process.execPath, [howdah, ...args], { env, encoding: "utf8", cwd: folder });
  cli("server", "start");
  return {
    home,
    env,
    cli,
    client: createClient({ socketPath: layoutOf(home).apiSocket }),
    close: () => {
      cli("server", "stop", "--all");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function create({ client }, name, database = "postgres") {
  const began = performance.now();
  const parameters = { password: "bench", database };
  const service = await client.services.create({ name, service_type: "postgres", parameters });
  await client.services.wait(service.id, { timeoutMs: 60_000 });
  await firstAnswer({
    host: service.endpoint.host,
    port: service.endpoint.port,
    user: "postgres",
    password: "bench",
    database,
  });
  return { ms: performance.now() - began, id: service.id };
}

async function remove({ client }, id) {
  await client.services.remove(id);
  await client.services.wait(id, { timeoutMs: 60_000 }).catch((error) => {
    if (error.code !== "SERVICE_NOT_FOUND") throw error;
  });
}

async function poolFilled({ home }, size) {
  const pool = join(home, "pool");
  const shelves = () => readdirSync(pool).filter((name) => name.startsWith("ready-"));
  const ready = () =>
    shelves().reduce((sum, shelf) => sum + readdirSync(join(pool, shelf)).filter(isCluster).length, 0);
  function isCluster(name) {
    return name !== "engine.json";
  }
  for (let i = 0; ready() < size; i++) {
    if (i > 1_500) throw new Error(`the pool holds ${ready()} clusters after 30 s, not ${size}`);
    await sleep(20);
  }
  // One more breath: the machine should be idle when the next measurement begins.
  await sleep(300);
}

/** What a user would do by hand: initdb with the same options, postgres, the first query over TCP. */
async function bare(binaries, port) {
  const folder = mkdtempSync(join(tmpdir(), "howdah-bare-"));
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  if (isRoot) chownSync(folder, 65_534, 65_534);
  const data = join(folder, "data");
  const began = performance.now();
  await run(
    join(binaries, "initdb"),
    [
      "-D",
      data,
      "-U",
      "postgres",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--auth=trust",
    ],
    { ...user, stdio: ["ignore", "ignore", "inherit"] },
  );
  const server = spawn(
    join(binaries, "postgres"),
    [
      "-D",
      data,
      "-p",
      String(port),
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `unix_socket_directories=${folder}`,
      "-c",
      "shared_buffers=16MB",
      "-c",
      "io_method=sync",
    ],
    { ...user, stdio: "ignore" },
  );
  for (;;) {
    let lines = [];
    try {
      lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    } catch {
      // Not there yet.
    }
    if (lines[7]?.trim() === "ready") break;
    await sleep(1);
  }
  await firstAnswer({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  const ms = performance.now() - began;
  server.kill("SIGINT");
  await new Promise((done) => server.once("exit", done));
  rmSync(folder, { recursive: true, force: true });
  return ms;
}

function run(command, args, options) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, options);
    child.once("error", fail);
    child.once("exit", (code) => (code === 0 ? done() : fail(new Error(`${command} exited with ${code}`))));
  });
}

function timed(env, args) {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args, { env, stdio: "ignore" });
  if (status !== 0) throw new Error(`${args.join(" ")} exited with ${status}`);
  return performance.now() - began;
}

const warmPool = installation(10);
const emptyPool = installation(0);
const result = { rounds: ROUNDS };
try {
  // The first service of each home also copies the engine: not what is measured.
  for (const home of [warmPool, emptyPool]) await remove(home, (await create(home, "first")).id);
  const { engines } = layoutOf(emptyPool.home);
  const engine = (await emptyPool.client.engines.list()).find((e) => e.major === 18 && e.kind === "embedded");
  const binaries = engine.path.endsWith("bin") ? engine.path : join(engine.path ?? engines, "bin");

  const times = { bare: [], warm: [], named: [], empty: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bare.push(await bare(binaries, 28_000 + (round % 100)));
    await poolFilled(warmPool, 10);
    const warm = await create(warmPool, `warm-${round}`);
    times.warm.push(warm.ms);
    await remove(warmPool, warm.id);
    await poolFilled(warmPool, 10);
    const named = await create(warmPool, `named-${round}`, "appdb");
    times.named.push(named.ms);
    await remove(warmPool, named.id);
    await poolFilled(warmPool, 10);
    const empty = await create(emptyPool, `empty-${round}`);
    times.empty.push(empty.ms);
    await remove(emptyPool, empty.id);
  }
  result.bareMs = median(times.bare);
  result.warmMs = median(times.warm);
  result.warmNamedDatabaseMs = median(times.named);
  result.emptyMs = median(times.empty);
  result.warmRatio = median(times.warm.map((t, i) => t / times.bare[i]));
  result.emptyRatio = median(times.empty.map((t, i) => t / times.bare[i]));

  const tenBare = [];
  const tenOurs = [];
  const tenWarm = [];
  for (let round = 0; round < 3; round++) {
    let began = performance.now();
    await Promise.all(Array.from({ length: 10 }, (_, i) => bare(binaries, 28_200 + i)));
    tenBare.push(performance.now() - began);
    began = performance.now();
    const made = await Promise.all(Array.from({ length: 10 }, (_, i) => create(emptyPool, `ten-${round}-${i}`)));
    tenOurs.push(performance.now() - began);
    for (const { id } of made) await remove(emptyPool, id);
    await poolFilled(warmPool, 10);
    began = performance.now();
    const warm = await Promise.all(Array.from({ length: 10 }, (_, i) => create(warmPool, `ten-${round}-${i}`)));
    tenWarm.push(performance.now() - began);
    for (const { id } of warm) await remove(warmPool, id);
  }
  result.tenAtOnceBareMs = median(tenBare);
  result.tenAtOnceEmptyMs = median(tenOurs);
  result.tenAtOnceWarmMs = median(tenWarm);
  result.tenAtOnceEmptyRatio = median(tenOurs.map((t, i) => t / tenBare[i]));
  result.tenAtOnceWarmRatio = median(tenWarm.map((t, i) => t / tenBare[i]));

  const cli = { node: [], list: [] };
  for (let round = 0; round < 25; round++) {
    cli.node.push(timed(emptyPool.env, ["-e", "0"]));
    cli.list.push(timed(emptyPool.env, [howdah, "services", "list"]));
  }
  result.nodeMs = median(cli.node);
  result.listMs = median(cli.list);
  result.listRatio = median(cli.list.map((t, i) => t / cli.node[i]));
} finally {
  warmPool.close();
  emptyPool.close();
}

console.log(JSON.stringify(result, null, 2));
