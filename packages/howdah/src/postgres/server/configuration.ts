import { userInfo } from "node:os";
import { HowdahError } from "../../kernel/errors.js";
import { HeldFolder } from "../../runtime/process/index.js";
import type { Settings } from "../../spec/index.js";
import { parseConf, renderConf, renderHba, renderIdent, sizedSettings } from "../settings/index.js";
import type { ServerSpec } from "../types.js";

/**
 * The configuration files of a server, from the lowest layer up: what initdb found out about the machine
 * (`initdb.conf`), what is sized to the memory and what the user asked for (`postgresql.conf`, written by us at each
 * start), ALTER SYSTEM (`postgresql.auto.conf`, never written by us but to take a refused change back), and on top the
 * command line.
 */
export const CONF = "postgresql.conf";
export const AUTO_CONF = "postgresql.auto.conf";
/** In the service's folder, beside the data. */
export const HBA_FILES = ["pg_hba.conf", "pg_ident.conf"] as const;
const INITDB_CONF = "initdb.conf";
const HEADER = "# Written by Howdah at each start; changes are lost. Use 'howdah services update' or ALTER SYSTEM.\n";

/** Writes what differs, and tells what is there then; a wake that changes nothing writes nothing. */
export function writeConfiguration(spec: ServerSpec): ConfigurationTexts {
  using data = holdData(spec);
  let initdb = data.read(INITDB_CONF);
  if (initdb === null) {
    const conf = data.read(CONF) ?? "";
    initdb = conf.startsWith(HEADER) ? "" : conf;
    // Kept before it is replaced: after a crash in between, this runs again and finds it kept.
    data.write(INITDB_CONF, initdb);
  }
  const conf = renderServerConf(spec);
  writeIfChanged(data, CONF, conf);
  using root = hold(spec.paths.root, spec.uid);
  writeIfChanged(root, HBA_FILES[0], renderHba());
  writeIfChanged(root, HBA_FILES[1], renderIdent(ownName()));
  return { initdb, conf, auto: data.read(AUTO_CONF) ?? "" };
}

let name: string | undefined;

/** Asked for once: the system may go through files and networks for it. */
function ownName(): string {
  name ??= userInfo().username;
  return name;
}

/** The text of postgresql.conf. */
function renderServerConf(spec: Pick<ServerSpec, "memoryBytes" | "settings" | "distribution">): string {
  const own = Object.fromEntries(Object.entries(spec.settings).map(([name, value]) => [name.toLowerCase(), value]));
  const sized = Object.entries(sizedSettings(spec.memoryBytes, spec.distribution.major));
  return [
    HEADER,
    `include_if_exists = '${INITDB_CONF}'\n\n# Sized to the memory of the service\n`,
    renderConf(Object.fromEntries(sized.filter(([name]) => !(name in own)))),
    "\n# Asked for by the user\n",
    renderConf(own),
  ].join("");
}

export interface ConfigurationTexts {
  /** What initdb made of the machine and of its own arguments, included by `conf`. */
  readonly initdb: string;
  readonly conf: string;
  readonly auto: string;
}

export function readConfiguration(spec: Pick<ServerSpec, "paths" | "uid">): ConfigurationTexts {
  using data = holdData(spec);
  const read = (file: string) => data.read(file) ?? "";
  return { initdb: read(INITDB_CONF), conf: read(CONF), auto: read(AUTO_CONF) };
}

/** What the files ask for, ALTER SYSTEM last. */
export function requestedSettings({ initdb, conf, auto }: ConfigurationTexts): Settings {
  return { ...initdbSettings(initdb), ...parseConf(conf), ...parseConf(auto) };
}

/** A long text, the same at every start of every service that was made with the same arguments. */
function initdbSettings(text: string): Settings {
  if (parsed?.text !== text) parsed = { text, settings: parseConf(text) };
  return parsed.settings;
}

let parsed: { readonly text: string; readonly settings: Settings } | undefined;

export function writeIfChanged(folder: HeldFolder, name: string, text: string): void {
  if (folder.read(name) !== text) folder.write(name, text);
}

export function holdData(spec: Pick<ServerSpec, "paths" | "uid">): HeldFolder {
  return hold(spec.paths.data, spec.uid);
}

/** Throws HOME_UNUSABLE when the folder is not there. */
export function hold(path: string, owner: number | null): HeldFolder {
  const folder = HeldFolder.open(path, owner);
  if (folder === null) throw new HowdahError("HOME_UNUSABLE", `folder '${path}' does not exist`);
  return folder;
}
