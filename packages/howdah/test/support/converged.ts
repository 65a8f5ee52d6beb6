/**
 * What must hold of an installation whatever happened to it before: every service is what its row wishes, and there is
 * no process, folder, file, row, claim or unfinished work beyond what the rows and the trash speak of.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";
import { expect } from "vitest";
import { type Installation, listProcesses, query, until } from "./installation.js";

const UID_CLAIMS = "/var/lib/howdah-uids";
/** PostgreSQL's and our own names in a service's folder. */
const OF_A_SERVICE = new Set(["data", "log", "last-good", "pg_hba.conf", "pg_ident.conf"]);
const OF_A_HOME =
  /^(state\.db(-wal|-shm)?|control\.lock\.db(-journal)?|encryption_key|gateway\.secret|(server|gateway)\.(log|log\.1|json)|engines|pool|services|sockets|trash)$/;
const SOCKETS = new Set(["api.sock", "gateway.sock"]);

// biome-ignore lint/suspicious/noExplicitAny: rows as the command line prints them
export async function settledServices(howdah: Installation, timeoutMs = 120_000): Promise<any[]> {
  return await until(
    "every service is settled",
    async () => {
      const services = await howdah.json(["services", "list"]);
      const isSettled = (s: { busy: boolean; status: string; desired: string }) =>
        !s.busy && (s.status === s.desired || (s.desired === "running" && s.status === "sleeping"));
      return services.every(isSettled) && services;
    },
    timeoutMs,
  );
}

/** Waits until the work under way is done, then holds the installation to all of the above. Returns its services. */
export async function expectConverged(howdah: Installation) {
  const services = await settledServices(howdah);
  const removed: { id: number }[] = await howdah.json(["services", "restore-removed"]);
  const ids = services.map((s) => String(s.id)).sort();
  const trash = removed.map((t) => String(t.id)).sort();

  expect(namesIn(join(howdah.home, "services"))).toEqual(ids);
  expect(namesIn(join(howdah.home, "trash"))).toEqual(trash);
  expect(namesIn(join(howdah.home, "sockets")).filter((name) => !SOCKETS.has(name) && !ids.includes(name))).toEqual([]);
  for (const id of ids) {
    expect(namesIn(join(howdah.home, "services", id)).filter((name) => !OF_A_SERVICE.has(name))).toEqual([]);
  }
  expect(readdirSync(howdah.home).filter((name) => !OF_A_HOME.test(name))).toEqual([]);
  await noUnfinishedWork(howdah);
  onlyTheseServers(howdah, services);
  if (process.getuid?.() === 0) claimsMatchFolders(howdah);
  rowsMatch(howdah, [...ids, ...trash].map(Number));
  for (const service of services) {
    if (service.desired !== "running") continue;
    const url = await howdah.url(service.slug);
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
  }
  return services;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Folders of the pool and the engines that are being made; the pool may be at it right now, and ends. */
async function noUnfinishedWork(howdah: Installation): Promise<void> {
  await until("no unfinished work lies about", () =>
    ["pool", "engines"].every((folder) => namesIn(join(howdah.home, folder)).every((name) => !name.startsWith("."))),
  );
}

function onlyTheseServers(howdah: Installation, services: { pid: number | null; status: string }[]): void {
  const postmasters = services.filter((s) => s.status === "running").map((s) => s.pid);
  expect(postmasters.every((pid) => typeof pid === "number")).toBe(true);
  const strays = listProcesses().filter(
    ({ pid, cwd }) =>
      ["services", "trash", "pool", "engines"].some((folder) => cwd.startsWith(join(howdah.home, folder))) &&
      !postmasters.includes(pid) &&
      !postmasters.includes(parentOf(pid)),
  );
  expect(strays).toEqual([]);
}

function parentOf(pid: number): number {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) . /s, "")
        .split(" ")[0],
    );
  } catch {
    // It ended by itself between the two looks: no stray, and no process has parent -1.
    return -1;
  }
}

/** Every claim of a user number belongs to a folder of a service, living or removed, and every folder has its claim. */
function claimsMatchFolders(howdah: Installation): void {
  const claims = readdirSync(UID_CLAIMS).filter((name) => {
    try {
      return readFileSync(join(UID_CLAIMS, name), "utf8").split("\n")[0] === howdah.home;
    } catch {
      // Another installation's, given back in between.
      return false;
    }
  });
  const owners = ["services", "trash"].flatMap((folder) =>
    namesIn(join(howdah.home, folder)).map((name) => String(statSync(join(howdah.home, folder, name)).uid)),
  );
  const gateway = column(howdah, "select value from meta where key = 'gateway/uid'").map(String);
  expect(claims.sort()).toEqual([...owners, ...gateway].sort());
}

function rowsMatch(howdah: Installation, ids: number[]): void {
  expect(column(howdah, "select id from services order by id")).toEqual([...ids].sort((a, b) => a - b));
  for (const table of ["sleeps", "role_secrets"]) {
    const known = column(howdah, `select service_id from ${table}`).map(Number);
    expect(known.filter((id) => !ids.includes(id))).toEqual([]);
  }
  const keys = column(howdah, "select key from meta where key like 'service/%'").map((key) =>
    Number(String(key).split("/")[1]),
  );
  expect(keys.filter((id) => !ids.includes(id))).toEqual([]);
  // What ran once is not kept: init scripts may hold secrets.
  const kept = "select service_id from init_scripts join services s on s.id = service_id where provisioned is not null";
  expect(column(howdah, kept)).toEqual([]);
}

/** The first column of what a query says of the state. */
function column(howdah: Installation, sql: string): unknown[] {
  const db = new Libsql(join(howdah.home, "state.db"));
  try {
    db.exec("pragma busy_timeout = 5000");
    return db
      .prepare(sql)
      .raw()
      .all()
      .map((row) => (row as unknown[])[0]);
  } finally {
    db.close();
  }
}
