/** Looks at what commonly goes wrong on a machine and says what to do about it. Changes nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { humanSize } from "../kernel/sizes.js";
import { freeBytes } from "../runtime/index.js";
import { DEFAULT_MAJOR } from "../spec/index.js";
import { MIN_FREE_BYTES } from "./act.js";
import { type Context, titleOf } from "./context.js";
import type { Check } from "./types.js";

const COMFORTABLE_FREE_BYTES = 8 * MIN_FREE_BYTES;

export async function doctor(context: Context): Promise<Check[]> {
  return [await disk(context), node(), await engine(context), ...services(context), await orphans(context)];
}

async function disk({ layout }: Context): Promise<Check> {
  const free = await freeBytes(layout.home);
  const message = `${humanSize(free)} free for '${layout.home}'`;
  if (free >= COMFORTABLE_FREE_BYTES) return { name: "disk", status: "ok", message };
  const status = free < MIN_FREE_BYTES ? "error" : "warning";
  return { name: "disk", status, message, hint: "Free some space, or move HOWDAH_HOME to a larger disk." };
}

function node(): Check {
  const message = `Node.js ${process.versions.node}`;
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 22) return { name: "node", status: "ok", message };
  return {
    name: "node",
    status: "warning",
    message: `${message} is past its end of life`,
    hint: "Move to Node.js 24; Howdah runs on both.",
  };
}

async function engine({ engines }: Context): Promise<Check> {
  const installed = (await engines.list()).filter((e) => e.installed);
  const found = installed.map((e) => `${e.version} (${e.kind})`).join(", ");
  if (installed.some((e) => e.major === DEFAULT_MAJOR))
    return { name: "engines", status: "ok", message: `PostgreSQL ${found}` };
  return {
    name: "engines",
    status: installed.length > 0 ? "warning" : "error",
    message: `PostgreSQL ${DEFAULT_MAJOR} is not installed${found === "" ? "" : `, only ${found}`}`,
    hint: `Run 'howdah engines install ${DEFAULT_MAJOR}'.`,
  };
}

function services({ store }: Context): Check[] {
  const records = store.services.list();
  const failed = records.filter((r) => r.state === "failed");
  const checks: Check[] = failed.map((r) => ({
    name: titleOf(r),
    status: "error",
    message: r.stateDetail ?? "failed",
    hint: `Read 'howdah services logs ${titleOf(r)}'.`,
  }));
  for (const record of records) {
    for (const notice of record.notices) checks.push({ name: titleOf(record), status: "warning", message: notice });
  }
  if (checks.length > 0) return checks;
  return [{ name: "services", status: "ok", message: `${records.length} known, none failed` }];
}

/** A folder without a row appears when an older state.db was put back: it may hold data, so nobody deletes it. */
async function orphans({ store, layout }: Context): Promise<Check> {
  const known = new Set(store.services.list().map((r) => String(r.id)));
  const names = (await readdir(layout.services)).filter((name) => !known.has(name));
  if (names.length === 0)
    return { name: "folders", status: "ok", message: "every service folder belongs to a service" };
  return {
    name: "folders",
    status: "warning",
    message: `${names.length} folder(s) of no known service: ${names.map((n) => join(layout.services, n)).join(", ")}`,
    hint: "Look into them before you delete them; they may hold a database.",
  };
}
