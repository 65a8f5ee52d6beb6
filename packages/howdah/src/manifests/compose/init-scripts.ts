/**
 * What is mounted onto /docker-entrypoint-initdb.d, read where the user is. As in the official image, scripts run once
 * on a fresh server in the order of their names; what the image would ignore is ignored, but said.
 */
import type { Place } from "../../kernel/errors.js";
import { humanSize } from "../../kernel/sizes.js";
import type { InitScript } from "../../spec/index.js";
import type { Context } from "./context.js";
import { describeFailure, hostPath } from "./files.js";
import type { MountedFile } from "./mounted-files.js";
import type { Mount } from "./mounts.js";
import { staticText } from "./pieces.js";

const INIT_FOLDER = "/docker-entrypoint-initdb.d";
/** A Stack travels as one JSON request; larger seeds belong into a dump that is loaded afterwards. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
const RUNS = /\.(sql|sql\.gz|sh)$/;
const COMPRESSED_OTHERWISE = /\.sql\.(xz|zst)$/;

export function isInitTarget(target: string): boolean {
  return target === INIT_FOLDER || target.startsWith(`${INIT_FOLDER}/`);
}

export function readInitScripts(
  context: Context,
  files: readonly MountedFile[],
  mounts: readonly Mount[],
): InitScript[] {
  const collector = new Collector(context);
  for (const { kind, source, target, place } of mounts) {
    if (kind === "bind" || !isInitTarget(target)) continue;
    const named = source === null ? "an anonymous volume" : `volume '${source}'`;
    const message = `${named} on ${target} cannot be read; its scripts are not run`;
    context.report.warning("not-done", message, place, "Mount a folder of the project instead, './init:…'.");
  }
  for (const file of files.filter(({ target }) => isInitTarget(target))) collector.add(file);
  return collector.scripts();
}

class Collector {
  readonly #scripts = new Map<string, InitScript>();
  #total = 0;

  constructor(private readonly context: Context) {}

  scripts(): InitScript[] {
    return [...this.#scripts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  add({ target, source, executable, place }: MountedFile): void {
    const name = target.slice(INIT_FOLDER.length + 1);
    if (source.kind === "pieces") {
      const text = staticText(source.pieces);
      if (text === undefined) {
        const message = `init script '${name}' refers to a config, but only .env and defaults count in scripts`;
        this.context.report.error("unset-variable", message, place);
      } else if (name !== "") {
        this.#keep(name, Buffer.from(text), executable, place);
      }
      return;
    }
    const result = this.context.reader.read(hostPath(this.context, source.path), MAX_TOTAL_BYTES - this.#total);
    if (result.kind === "folder" && name === "") {
      for (const child of [...result.names].sort())
        this.#file(`${source.path.replace(/\/$/, "")}/${child}`, child, place);
    } else if (result.kind === "folder") {
      this.context.report.warning(
        "init-ignored",
        `folder '${name}' in ${INIT_FOLDER} is ignored, as the image does`,
        place,
      );
    } else {
      this.#file(source.path, name === "" ? (source.path.split("/").at(-1) ?? "") : name, place);
    }
  }

  #file(path: string, name: string, place: Place): void {
    if (name.includes("/")) {
      const message = `'${name}' lies in a folder below ${INIT_FOLDER}; it is ignored, as the image does`;
      this.context.report.warning("init-ignored", message, place);
      return;
    }
    if (!this.#runs(name, place)) return;
    const left = MAX_TOTAL_BYTES - this.#total;
    const result = this.context.reader.read(hostPath(this.context, path), left);
    if (result.kind === "file") {
      this.#keep(name, result.bytes, result.executable, place);
    } else if (result.kind === "too-large") {
      const message = `the init scripts are larger than ${humanSize(MAX_TOTAL_BYTES)} together; '${path}' does not fit`;
      const hint = "Load large data into the running service with psql or pg_restore.";
      this.context.report.error("init-too-large", message, place, hint);
    } else if (result.kind === "folder") {
      this.context.report.warning(
        "init-ignored",
        `folder '${name}' in ${INIT_FOLDER} is ignored, as the image does`,
        place,
      );
    } else {
      this.context.report.error("file-unreadable", `init script: ${describeFailure(path, result)}`, place);
    }
  }

  #runs(name: string, place: Place): boolean {
    if (RUNS.test(name)) return true;
    if (COMPRESSED_OTHERWISE.test(name)) {
      const hint = "Compress it with gzip, or leave it uncompressed.";
      this.context.report.warning(
        "not-done",
        `init script '${name}' is not run: only .sql, .sql.gz and .sh are`,
        place,
        hint,
      );
    } else {
      const message = `'${name}' in ${INIT_FOLDER} is ignored, as the image does`;
      this.context.report.warning("init-ignored", message, place);
    }
    return false;
  }

  /** A later mount on the same name wins. */
  #keep(name: string, bytes: Uint8Array, executable: boolean, place: Place): void {
    if (!this.#runs(name, place)) return;
    this.#total += bytes.byteLength;
    const contentBase64 = Buffer.from(bytes).toString("base64");
    this.#scripts.set(name, { name, contentBase64, executable: executable && name.endsWith(".sh") });
  }
}
