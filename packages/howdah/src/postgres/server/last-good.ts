import type { ProcessIdentity } from "../../runtime/process/index.js";
import { diffSettings, formatChange, parseConf } from "../settings/index.js";
import type { ServerSpec } from "../types.js";
import { AUTO_CONF, CONF, type ConfigurationTexts, hold, holdData, writeIfChanged } from "./configuration.js";

/**
 * The configuration of the last start that succeeded. A superuser can write anything with ALTER SYSTEM, and what the
 * server cannot start with would keep it down for good; so a start that fails is tried again with these files.
 * What was refused is noted before anything is replaced: after a crash in between, the next start, or whoever adopts
 * the server, still tells it.
 */
const NOTE = "refused.json";

interface Note {
  readonly refused: readonly string[];
  /** The server that runs without them; null until it was up. */
  readonly postmaster: ProcessIdentity | null;
}

type Place = Pick<ServerSpec, "paths" | "uid">;
/** What initdb wrote stays as it is. */
type ChangeableTexts = Pick<ConfigurationTexts, "conf" | "auto">;

export function readLastGood(spec: Place): ChangeableTexts | null {
  using folder = hold(spec.paths.lastGood, spec.uid);
  const conf = folder.read(CONF);
  return conf === null ? null : { conf, auto: folder.read(AUTO_CONF) ?? "" };
}

export function saveLastGood(spec: Place, texts: ChangeableTexts): void {
  using folder = hold(spec.paths.lastGood, spec.uid);
  // The second file is the one whose presence counts.
  writeIfChanged(folder, AUTO_CONF, texts.auto);
  writeIfChanged(folder, CONF, texts.conf);
}

/** What one set of files changes in another, for people; empty when the texts are the same. */
export function describeDifference(from: ChangeableTexts, to: ChangeableTexts): string[] {
  const changes = [
    ...diffSettings(parseConf(from.auto), parseConf(to.auto)),
    ...diffSettings(parseConf(from.conf), parseConf(to.conf)),
  ].map(formatChange);
  if (changes.length > 0) return changes;
  // Lines that PostgreSQL cannot read, which no parser makes a setting of.
  const names = [...(from.auto === to.auto ? [] : [AUTO_CONF]), ...(from.conf === to.conf ? [] : [CONF])];
  return names.map((name) => `an unreadable line in ${name}`);
}

/** Puts the last good files in the place of the present ones, which are kept beside them as `….refused`. */
export function takeBack(spec: Place, present: ChangeableTexts, good: ChangeableTexts, refused: string[]): void {
  using data = holdData(spec);
  for (const [name, now, then] of pairs(present, good)) if (now !== then) data.write(`${name}.refused`, now);
  writeNote(spec, { refused, postmaster: null });
  for (const [name, now, then] of pairs(present, good)) if (now !== then) data.write(name, then);
}

/** Undoes `takeBack` when the last good files did not help: they were not the cause. */
export function putBack(spec: Place, present: ChangeableTexts, good: ChangeableTexts): void {
  using data = holdData(spec);
  for (const [name, now, then] of pairs(present, good)) {
    if (now === then) continue;
    data.write(name, now);
    data.remove(`${name}.refused`);
  }
  writeNote(spec, null);
}

/** What an earlier attempt took back and the server now coming up therefore lacks; noted as told with its identity. */
export function settleNote(spec: Place, postmaster: ProcessIdentity): readonly string[] {
  const note = readNote(spec);
  if (note === null) return [];
  if (note.postmaster === null) writeNote(spec, { ...note, postmaster });
  // Told with an earlier server: this one came up by itself.
  else if (!sameProcess(note.postmaster, postmaster)) writeNote(spec, null);
  return readNote(spec)?.refused ?? [];
}

function pairs(a: ChangeableTexts, b: ChangeableTexts): [string, string, string][] {
  return [
    [AUTO_CONF, a.auto, b.auto],
    [CONF, a.conf, b.conf],
  ];
}

function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

function writeNote(spec: Place, note: Note | null): void {
  using folder = hold(spec.paths.lastGood, spec.uid);
  if (note === null) folder.remove(NOTE);
  else folder.write(NOTE, JSON.stringify(note));
}

function readNote(spec: Place): Note | null {
  using folder = hold(spec.paths.lastGood, spec.uid);
  const text = folder.read(NOTE);
  return text === null ? null : parseNote(text);
}

/** The folder belongs to the service's user: what does not look like a note is none. */
function parseNote(text: string): Note | null {
  try {
    const { refused, postmaster } = JSON.parse(text);
    const isRefused = Array.isArray(refused) && refused.every((r) => typeof r === "string");
    const isIdentity = Number.isInteger(postmaster?.pid) && typeof postmaster?.startTime === "string";
    if (!isRefused || (postmaster !== null && !isIdentity)) return null;
    return { refused, postmaster: isIdentity ? { pid: postmaster.pid, startTime: postmaster.startTime } : null };
  } catch {
    // Not JSON.
    return null;
  }
}
