/**
 * Writes to a store until it is killed, and tells each acknowledged write on stdout: `<what> <number>`.
 * A child of store/crash.test.ts: node store-writer.mjs FOLDER FIRST-NUMBER
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { acquireLock, openStore } from "../../dist/store/index.js";

const [folder, first] = process.argv.slice(2);
const lock = acquireLock(join(folder, "lock.db"));
if (lock === null) throw new Error("the lock is held although its holder is dead");
const store = openStore({ stateDb: join(folder, "state.db"), encryptionKey: join(folder, "encryption_key") });
const acknowledge = (what, n) => writeSync(1, `${what} ${n}\n`);
acknowledge("open", 0);

const definition = {
  major: 18,
  image: null,
  database: "d",
  username: "u",
  memoryBytes: null,
  settings: {},
  initdbArgs: [],
  mode: { kind: "regular" },
  endpoint: { listen: "127.0.0.1", ssl: null, allow: [], holdMs: 60_000 },
};

for (let n = Number(first); ; n++) {
  const script = { name: `${n}.sql`, contentBase64: Buffer.from(String(n)).toString("base64"), executable: false };
  const place = { project: "p", name: `s${n}`, port: 1024 + (n % 60_000), uid: 70_000 + n };
  const { id } = store.services.insert({
    ...place,
    origin: "api",
    engine: null,
    definition,
    password: `password-${n}`,
    initScripts: [script],
  });
  acknowledge("insert", n);
  store.services.setPassword(id, `changed-${n}`);
  acknowledge("password", n);
  const apps = ["a", "b", "c", "d", "e"].map((name) => ({
    name,
    image: String(n),
    command: null,
    environment: {},
    dependsOn: [],
  }));
  store.apps.replace("p", apps);
  acknowledge("apps", n);
  store.configs.set("p", "LAST", String(n));
  acknowledge("config", n);
  store.events.append({ serviceId: id, kind: "round", message: String(n) });
  acknowledge("event", n);
  if (n % 2 === 0) {
    store.trash.put(id, n);
    acknowledge("trash", n);
    if (n % 4 === 0) {
      store.trash.purge(id);
      acknowledge("purge", n);
    }
  }
}
