import { createHash } from "node:crypto";
import { HowdahError } from "./errors.js";

/** PostgreSQL's NAMEDATALEN − 1: longer identifiers are silently cut there, so two could become one. */
export const MAX_IDENTIFIER_BYTES = 63;
const SERVICE_NAME = /^[a-z][a-z0-9_-]*$/;
const CONFIG_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names of services and projects. Throws NAME_INVALID. */
export function checkName(name: string, what: "service" | "project" | "app" | "api key"): string {
  if (!SERVICE_NAME.test(name) || Buffer.byteLength(name) > MAX_IDENTIFIER_BYTES) {
    throw new HowdahError("NAME_INVALID", `'${name}' is not a valid ${what} name`);
  }
  return name;
}

/** Makes a project name out of a folder's name, as Docker Compose does: lower case, anything else dropped. */
export function projectNameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[^a-z]+/, "");
  return name === "" ? "default" : fitName(name);
}

/** A PostgreSQL identifier: any text of 1 to 63 bytes without NUL. Throws NAME_INVALID. */
export function checkIdentifier(name: string, what: "database" | "role"): string {
  if (name === "" || name.includes("\0") || Buffer.byteLength(name) > MAX_IDENTIFIER_BYTES) {
    throw new HowdahError("NAME_INVALID", `'${name}' is not a valid ${what} name`, {
      hint: "PostgreSQL names have 1 to 63 bytes.",
    });
  }
  return name;
}

/** Throws CONFIG_NAME_INVALID. */
export function checkConfigName(name: string): string {
  if (!CONFIG_NAME.test(name)) {
    throw new HowdahError(
      "CONFIG_NAME_INVALID",
      "invalid config name; must be alphanumeric or _, cannot start with a number",
      { fields: { name } },
    );
  }
  return name;
}

/** Shortens a name to 63 bytes without collisions: what is cut is replaced by 8 hex digits of its SHA-256. */
export function fitName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  const bytes = Buffer.from(name);
  let end = MAX_IDENTIFIER_BYTES - 9;
  // Back to the first byte of a character: the others begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString("utf8", 0, end)}_${hash}`;
}

/** The database of a link: `<project>_<environment>` in lower case, anything but letters and digits as `_`.
 *  Where that loses something, a hash of the exact pair keeps two pairs apart. */
export function databaseNameFor(project: string, environment: string): string {
  const exact = `${project}_${environment}`;
  let name = exact.toLowerCase().replace(/[^a-z0-9_]/g, "_");
  // A role of the same name goes with it, and PostgreSQL keeps those that begin with pg_ to itself.
  if (/^(\d|pg_)/.test(name)) name = `db_${name}`;
  const ambiguous = name !== exact || project.includes("_") || environment.includes("_");
  if (!ambiguous) return fitName(name);
  const hash = createHash("sha256").update(`${project}\0${environment}`).digest("hex").slice(0, 8);
  return `${name.slice(0, MAX_IDENTIFIER_BYTES - 9)}_${hash}`;
}
