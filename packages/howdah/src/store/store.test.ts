import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type App, LOOPBACK_ENDPOINT } from "../spec/index.js";
import { Database } from "./database.js";
import { EVENTS_KEPT } from "./events.js";
import { openStore } from "./open-store.js";
import type { NewService, Store } from "./types.js";

let folder: string;
let store: Store;
let time: number;

function open(): Store {
  return openStore({
    stateDb: join(folder, "state.db"),
    encryptionKey: join(folder, "encryption_key"),
    now: () => time,
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-store-"));
  time = 1_760_000_000_000;
  store = open();
});

afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function newService(change: Partial<NewService> = {}): NewService {
  return {
    project: "shop",
    name: "database",
    origin: "compose",
    definition: {
      major: 18,
      image: "postgres:18",
      database: "postgres",
      username: "postgres",
      memoryBytes: null,
      settings: { work_mem: "64MB" },
      initdbArgs: [],
      mode: { kind: "regular" },
      endpoint: LOOPBACK_ENDPOINT,
    },
    password: "p@ss:w/rd%?#",
    port: 5432,
    uid: null,
    engine: null,
    initScripts: [],
    ...change,
  };
}

/** What `patch` cannot see is what another process would: everything is read back from a second opening. */
function reopen(): void {
  store[Symbol.dispose]();
  store = open();
}

describe("services", () => {
  test("an inserted service is there with every field after reopening", () => {
    const script = { name: "01.sql", contentBase64: "c2VsZWN0IDE7", executable: false };
    const made = store.services.insert(newService({ initScripts: [script], uid: 70_000 }));
    reopen();
    expect(store.services.get(made.id)).toEqual(made);
    expect(made).toMatchObject({
      slug: "database",
      desired: "running",
      state: "creating",
      notices: [],
      generation: 1,
      observedGeneration: 0,
      createdAt: time,
    });
    expect(made.definition.settings).toEqual({ work_mem: "64MB" });
    expect(store.services.password(made.id)).toBe("p@ss:w/rd%?#");
    expect(store.services.initScripts(made.id)).toEqual([script]);
    store.services.clearInitScripts(made.id);
    expect(store.services.initScripts(made.id)).toEqual([]);
  });

  test("a patch changes what it names and nothing else", () => {
    const made = store.services.insert(newService());
    time += 5;
    const patched = store.services.patch(made.id, {
      state: "failed",
      stateDetail: "exit\0ed",
      notices: ["settings were refused"],
      engine: "embedded",
      restartWanted: 3,
      port: 5500,
    });
    reopen();
    expect(store.services.get(made.id)).toEqual(patched);
    expect(patched).toEqual({
      ...made,
      state: "failed",
      stateDetail: "exit\ufffded",
      notices: ["settings were refused"],
      engine: "embedded",
      restartWanted: 3,
      port: 5500,
      updatedAt: time,
    });
    expect(store.services.password(made.id)).toBe("p@ss:w/rd%?#");
  });

  test("a key that is undefined does not erase", () => {
    const made = store.services.insert(newService());
    const patch = { state: "running", engine: undefined, definition: undefined } as object;
    expect(store.services.patch(made.id, patch)).toEqual({ ...made, state: "running" });
  });

  test("names are unique within a project, ports within the installation", () => {
    store.services.insert(newService());
    expect(() => store.services.insert(newService({ port: 5433 }))).toThrow(
      expect.objectContaining({ code: "SERVICE_EXISTS", message: "service 'shop/database' already exists" }),
    );
    expect(() => store.services.insert(newService({ project: "blog" }))).toThrow(
      expect.objectContaining({ code: "PORT_TAKEN", message: "port 5432 belongs to service 'shop/database'" }),
    );
    const other = store.services.insert(newService({ project: "blog", port: 5433 }));
    expect(() => store.services.patch(other.id, { port: 5432 })).toThrow(
      expect.objectContaining({ code: "PORT_TAKEN" }),
    );
    expect(store.services.list()).toHaveLength(2);
    expect(store.services.list("blog")).toEqual([other]);
    expect(store.services.byName("database")).toHaveLength(2);
    expect(store.services.byName("database", "blog")).toEqual([other]);
  });

  test("slugs: the bare name, then with the project, then numbered", () => {
    const slugs = [
      newService({ project: "a", name: "b-c", port: 1 }),
      newService({ project: "a-b", name: "c", port: 2 }),
      newService({ project: "x", name: "b-c", port: 3 }),
      newService({ project: "x", name: "x-b-c", port: 4 }),
      newService({ project: "y", name: "c", port: 5 }),
      newService({ project: "z", name: "a-b-c", port: 6 }),
    ].map((service) => store.services.insert(service).slug);
    expect(slugs).toEqual(["b-c", "c", "x-b-c", "x-x-b-c", "y-c", "a-b-c"]);
    const taken = store.services.insert(newService({ project: "a-b", name: "b-c", port: 7 }));
    expect(taken.slug).toBe("a-b-b-c");
    store.services.insert(newService({ project: "q", name: "w-c", port: 8 }));
    const numbered = store.services.insert(newService({ project: "w", name: "c", port: 9 }));
    expect(numbered.slug).toBe(`w-c-${numbered.id}`);
    expect(store.services.bySlug(numbered.slug)).toEqual(numbered);
    expect(new Set(store.services.list().map((s) => s.slug)).size).toBe(9);
  });

  test("one that is not there is told so", () => {
    const missing = expect.objectContaining({ code: "SERVICE_NOT_FOUND", message: "service 9 does not exist" });
    expect(store.services.get(9)).toBeUndefined();
    expect(() => store.services.patch(9, { state: "running" })).toThrow(missing);
    expect(() => store.services.password(9)).toThrow(missing);
    expect(() => store.services.setPassword(9, "x")).toThrow(missing);
    expect(() => store.trash.put(9, 1)).toThrow(missing);
  });

  test("a uid belongs to one service, also while that one is in the trash", () => {
    const first = store.services.insert(newService({ uid: 70_000 }));
    store.trash.put(first.id, time + 1);
    expect(store.services.uids()).toEqual(new Set([70_000]));
    expect(() => store.services.insert(newService({ uid: 70_000, name: "other", port: 5433 }))).toThrow(/UNIQUE/);
  });
});

describe("trash", () => {
  test("a service comes back with its number, password and scripts", () => {
    const script = { name: "01.sql", contentBase64: "", executable: false };
    const made = store.services.insert(newService({ initScripts: [script] }));
    const record = store.trash.put(made.id, time + 7);
    expect(record).toEqual({ id: made.id, service: made, removedAt: time, expiresAt: time + 7 });
    expect(store.services.list()).toEqual([]);
    expect(store.services.bySlug("database")).toBeUndefined();
    expect(() => store.services.password(made.id)).toThrow(expect.objectContaining({ code: "SERVICE_NOT_FOUND" }));
    expect(store.services.ports()).toEqual(new Set([5432]));
    time += 1;
    expect(store.trash.put(made.id, time + 99)).toEqual(record);
    reopen();
    expect(store.trash.list()).toEqual([record]);
    expect(store.trash.get(made.id)).toEqual(record);
    const restored = store.trash.restore(made.id, { name: "database", port: 5432 });
    expect(restored).toEqual({ ...made, desired: "stopped", state: "stopped", updatedAt: time });
    expect(store.trash.list()).toEqual([]);
    expect(store.services.password(made.id)).toBe("p@ss:w/rd%?#");
    expect(store.services.initScripts(made.id)).toEqual([script]);
  });

  test("its name, slug and port may go to another; then it comes back under others", () => {
    const old = store.services.insert(newService());
    store.trash.put(old.id, time + 7);
    const young = store.services.insert(newService());
    expect(young).toMatchObject({ id: old.id + 1, slug: "database", port: 5432 });
    expect(() => store.trash.restore(old.id, { name: "database", port: 5433 })).toThrow(
      expect.objectContaining({ code: "SERVICE_EXISTS" }),
    );
    expect(() => store.trash.restore(old.id, { name: "old", port: 5432 })).toThrow(
      expect.objectContaining({ code: "PORT_TAKEN" }),
    );
    expect(store.trash.list()).toHaveLength(1);
    expect(store.trash.restore(old.id, { name: "old", port: 5433 })).toMatchObject({ slug: "old", port: 5433 });
  });

  test("what never came to be is taken away with all that is known of it, and the number is never given again", () => {
    const { id } = store.services.insert(newService());
    const other = store.services.insert(newService({ name: "other", port: 5433 }));
    for (const key of [`service/${id}/applied`, `service/${id}0/a`, `Service/${id}/a`, `service_${id}/a`]) {
      store.meta.set(key, "x");
    }
    store.meta.set(`service/${other.id}/applied`, "y");
    store.services.discard(id);
    store.services.discard(id);
    expect(store.services.get(id)).toBeUndefined();
    expect(store.trash.list()).toEqual([]);
    expect(store.meta.get(`service/${id}/applied`)).toBeUndefined();
    for (const key of [`service/${id}0/a`, `Service/${id}/a`, `service_${id}/a`]) expect(store.meta.get(key)).toBe("x");
    expect(store.meta.get(`service/${other.id}/applied`)).toBe("y");
    store.trash.put(other.id, 1);
    store.services.discard(other.id);
    expect(store.trash.get(other.id), "a removed service is not discarded").toBeDefined();
    store.trash.purge(other.id);
    expect(store.meta.get(`service/${other.id}/applied`)).toBeUndefined();
    expect(store.services.insert(newService()).id).toBeGreaterThan(other.id);
  });

  test("purged for good; the number is never given again", () => {
    const { id } = store.services.insert(newService({ uid: 70_000 }));
    store.trash.purge(id);
    expect(store.services.get(id), "a live service is not purged").toBeDefined();
    store.trash.put(id, time);
    store.trash.purge(id);
    store.trash.purge(id);
    expect(store.trash.get(id)).toBeUndefined();
    expect(store.services.uids().size + store.services.ports().size).toBe(0);
    expect(() => store.trash.restore(id, { name: "database", port: 1 })).toThrow(
      expect.objectContaining({ code: "TRASH_NOT_FOUND" }),
    );
    reopen();
    expect(store.services.insert(newService()).id).toBe(id + 1);
  });
});

describe("configs", () => {
  test("are set, kept, replaced and removed for one project", () => {
    expect(store.configs.set("shop", "B", "1")).toBe(true);
    expect(store.configs.set("blog", "B", "other")).toBe(true);
    expect(store.configs.set("shop", "B", "2", { ifNotSet: true })).toBe(false);
    expect(store.configs.set("shop", "A", "", { ifNotSet: true })).toBe(true);
    expect(store.configs.get("shop", "B")).toBe("1");
    time += 1;
    expect(store.configs.set("shop", "B", "nul\0 and ü")).toBe(true);
    reopen();
    expect(store.configs.get("shop", "B")).toBe("nul\0 and ü");
    expect(store.configs.get("shop", "A")).toBe("");
    expect(store.configs.list("shop")).toEqual([
      { name: "A", updatedAt: time - 1 },
      { name: "B", updatedAt: time },
    ]);
    expect(store.configs.remove("shop", "B")).toBe(true);
    expect(store.configs.remove("shop", "B")).toBe(false);
    expect(store.configs.get("shop", "B")).toBeUndefined();
    expect(store.configs.get("blog", "B")).toBe("other");
  });
});

describe("apps", () => {
  const app = (name: string): App => ({
    name,
    image: null,
    command: ["npm", "start"],
    environment: { URL: [{ kind: "literal", text: "postgres://", sensitive: true }] },
    dependsOn: ["database"],
  });

  test("a project's apps are replaced as a whole, in their order", () => {
    store.apps.replace("shop", [app("web"), app("jobs")]);
    store.apps.replace("blog", [app("web")]);
    store.apps.replace("shop", [app("worker"), app("api")]);
    reopen();
    expect(store.apps.list("shop")).toEqual([app("worker"), app("api")]);
    expect(store.apps.projects()).toEqual(["blog", "shop"]);
    expect(() => store.apps.replace("shop", [app("twice"), app("twice")])).toThrow(/UNIQUE/);
    expect(store.apps.list("shop")).toEqual([app("worker"), app("api")]);
    store.apps.replace("blog", []);
    expect(store.apps.projects()).toEqual(["shop"]);
  });
});

describe("API keys", () => {
  test("a key is shown once and verified by its hash", () => {
    const { record, key } = store.apiKeys.create("ci");
    const second = store.apiKeys.create("ci");
    expect(key).toMatch(/^hd_[A-Za-z0-9_-]{43}$/);
    expect(record).toEqual({ id: 1, name: "ci", createdAt: time, lastUsedAt: null });
    reopen();
    expect(store.apiKeys.verify(key)).toEqual({ ...record, lastUsedAt: time });
    for (const wrong of ["", "hd_", `${key}x`, key.slice(0, -1), key.toUpperCase()]) {
      expect(store.apiKeys.verify(wrong)).toBeUndefined();
    }
    expect(store.apiKeys.list()).toEqual([{ ...record, lastUsedAt: time }, second.record]);
    expect(store.apiKeys.remove(record.id)).toBe(true);
    expect(store.apiKeys.remove(record.id)).toBe(false);
    expect(store.apiKeys.verify(key)).toBeUndefined();
    expect(store.apiKeys.verify(second.key)?.id).toBe(second.record.id);
  });

  test("its last use is noted at most once a minute", () => {
    const { key } = store.apiKeys.create("ci");
    const first = time;
    expect(store.apiKeys.verify(key)?.lastUsedAt).toBe(first);
    time += 59_999;
    expect(store.apiKeys.verify(key)?.lastUsedAt).toBe(first);
    time += 1;
    expect(store.apiKeys.verify(key)?.lastUsedAt).toBe(first + 60_000);
    expect(store.apiKeys.list()[0]?.lastUsedAt).toBe(first + 60_000);
  });
});

describe("events and meta", () => {
  test("events come newest first, of one service or all", () => {
    store.events.append({ serviceId: null, kind: "opened", message: "a" });
    store.events.append({ serviceId: 7, kind: "crashed", message: "nul\0 byte" });
    store.events.append({ serviceId: 8, kind: "started", message: "c" });
    reopen();
    expect(store.events.list().map((e) => e.kind)).toEqual(["started", "crashed", "opened"]);
    expect(store.events.list({ serviceId: 7 })).toEqual([
      { id: 2, at: time, serviceId: 7, kind: "crashed", message: "nul\ufffd byte" },
    ]);
    expect(store.events.list({ limit: 1 }).map((e) => e.id)).toEqual([3]);
  });

  test("meta values are kept and replaced", () => {
    expect(store.meta.get("port")).toBeUndefined();
    store.meta.set("port", "1");
    store.meta.set("port", "2");
    reopen();
    expect(store.meta.get("port")).toBe("2");
  });

  test("only the last ones are kept", () => {
    store.events.append({ serviceId: 1, kind: "old", message: "" });
    store.events.append({ serviceId: 1, kind: "kept", message: "" });
    // As if thousands had been appended meanwhile.
    using db = Database.open(join(folder, "state.db"));
    db.run("update sqlite_sequence set seq = :seq where name = 'events'", { seq: EVENTS_KEPT });
    store.events.append({ serviceId: 1, kind: "new", message: "" });
    expect(store.events.list().map((e) => e.kind)).toEqual(["new", "kept"]);
  });
});

describe("sleep", () => {
  const secrets = [{ role: "app", verifier: "SCRAM-SHA-256$4096:c2FsdA==$a:b", canLogin: true, validUntil: null }];

  test("a service that never slept has zeroes; what is observed stays", () => {
    const { id } = store.services.insert(newService());
    expect(store.services.sleep(id)).toEqual({
      asleep: false,
      wakes: 0,
      lastWakeMs: null,
      lastWakeAt: null,
      sleptAt: null,
      asleepMs: 0,
    });
    store.services.observeSleep(id, { asleep: true, sleptAt: 5 });
    store.services.observeSleep(id, { asleep: false, lastWakeMs: 31.5, wakes: 1 });
    reopen();
    expect(store.services.sleep(id)).toMatchObject({ asleep: false, sleptAt: 5, lastWakeMs: 31.5, wakes: 1 });
  });

  test("verifiers are kept encrypted and go with their service", () => {
    const { id } = store.services.insert(newService());
    expect(store.services.roleSecrets(id)).toEqual([]);
    store.services.setRoleSecrets(id, secrets);
    reopen();
    expect(store.services.roleSecrets(id)).toEqual(secrets);
    store[Symbol.dispose]();
    const files = ["state.db", "state.db-wal"].filter((name) => existsSync(join(folder, name)));
    expect(Buffer.concat(files.map((name) => readFileSync(join(folder, name)))).includes("SCRAM-SHA-256")).toBe(false);
    store = open();
    store.services.discard(id);
    expect(store.services.roleSecrets(id)).toEqual([]);
  });

  test("one verifier is found by its role, and never an old one", () => {
    const { id } = store.services.insert(newService());
    expect(store.services.roleSecret(id, "r7")).toBeNull();
    const role = (name: string, verifier: string) => ({ role: name, verifier, canLogin: true, validUntil: null });
    store.services.setRoleSecrets(id, [role("r7", "one"), role("r8", "two")]);
    expect(store.services.roleSecret(id, "r7")).toEqual(role("r7", "one"));
    expect(store.services.roleSecret(id, "nobody")).toBeNull();
    store.services.setRoleSecrets(id, [role("r7", "another")]);
    expect(store.services.roleSecret(id, "r7")?.verifier).toBe("another");
    expect(store.services.roleSecret(id, "r8")).toBeNull();
    store.services.discard(id);
    expect(store.services.roleSecret(id, "r7")).toBeNull();
  });

  test("an observation is a patch of what is only observed, and unknown services have none", () => {
    const { id } = store.services.insert(newService());
    expect(store.services.observe(id, { state: "sleeping" })).toMatchObject({ state: "sleeping" });
    expect(() => store.services.observeSleep(99, { asleep: true })).toThrow("service 99 does not exist");
    expect(() => store.services.setRoleSecrets(99, secrets)).toThrow("service 99 does not exist");
  });

  test("a definition from before the gateway gets its defaults", () => {
    const { mode: _mode, endpoint: _endpoint, ...older } = newService().definition;
    const { id } = store.services.insert(newService({ definition: older as NewService["definition"] }));
    expect(store.services.get(id)?.definition).toMatchObject({
      mode: { kind: "regular" },
      endpoint: { listen: "127.0.0.1", ssl: null, allow: [], holdMs: 60_000 },
    });
  });
});

describe("sealed values", () => {
  test("are kept, replaced and removed", () => {
    expect(store.sealed.get("authority")).toBeUndefined();
    store.sealed.set("authority", "one");
    store.sealed.set("authority", "two");
    reopen();
    expect(store.sealed.get("authority")).toBe("two");
    store.sealed.remove("authority");
    expect(store.sealed.get("authority")).toBeUndefined();
  });
});
