/**
 * Which processes belong to a home's gateway. They are known by their command line, so that they are found whatever
 * became of the file that names the keeper, or of the keeper itself; and by their user, since anybody can give a process
 * such a command line, and a gateway that seems to run would not be started.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { type Layout, type ProcessIdentity, type ProcessInfo, readProcess } from "../../runtime/index.js";

const KEEPER = "keeper-main.js";
const WORKER = "worker-main.js";

/** Keepers of this home that live; more than one only after an accident. The one that gatewayInfo names comes first. */
export function findKeepers(layout: Layout): ProcessIdentity[] {
  const noted = notedKeeper(layout);
  if (noted !== null) return [noted];
  return find(layout.home, [KEEPER]);
}

/** Keepers and workers of this home. */
export function findGatewayProcesses(layout: Layout): ProcessInfo[] {
  const { uid } = readNote(layout.gatewayInfo);
  const named = [...find(layout.home, [KEEPER]), ...find(layout.home, [WORKER], uid)];
  const noted = notedKeeper(layout);
  const all = noted === null ? named : [noted, ...named];
  return [...new Map(all.map((info) => [info.pid, info])).values()];
}

interface Note {
  readonly pid?: unknown;
  readonly startTime?: unknown;
  /** The user that workers become. */
  readonly uid?: unknown;
}

function readNote(gatewayInfo: string): Note {
  try {
    return JSON.parse(readFileSync(gatewayInfo, "utf8")) as Note;
  } catch {
    // Not there, or half written at a crash: the command lines tell.
    return {};
  }
}

function notedKeeper({ home, gatewayInfo }: Layout): ProcessInfo | null {
  const noted = readNote(gatewayInfo);
  const found = typeof noted.pid === "number" ? readProcess(noted.pid) : null;
  if (found === null || found.startTime !== noted.startTime || !isTrusted(found)) return null;
  return isOfAnotherHome(commandLine(found.pid), home) ? null : found;
}

/** A copy of a home has a copy of the file, too, which names the original's keeper. A home that was moved, or is spelled
 *  in another way, is the same one. */
export function isOfAnotherHome(words: readonly string[], home: string): boolean {
  const [, its] = /\/gateway\/process\/keeper-main\.js (.*) (?:\d+|-) (?:\d+|-) ?$/s.exec(words.join(" ")) ?? [];
  if (its === undefined || its === home) return false;
  const theirs = statSync(its, { throwIfNoEntry: false });
  const ours = statSync(home);
  return theirs !== undefined && (theirs.dev !== ours.dev || theirs.ino !== ours.ino);
}

/** `user`: besides our own. */
function find(home: string, programs: readonly string[], user?: unknown): ProcessInfo[] {
  return commandLines()
    .filter(({ words }) => belongsTo(words, home, programs))
    .map(({ pid }) => readProcess(pid))
    .filter((info) => info !== null)
    .filter((info) => isTrusted(info, user));
}

function isTrusted({ uid }: ProcessInfo, user?: unknown): boolean {
  return uid === process.geteuid?.() || uid === user;
}

/** `words`: one joined text where the system does not tell them apart. */
export function belongsTo(words: readonly string[], home: string, programs: readonly string[]): boolean {
  return programs.some((program) => {
    const at = words.findIndex((word) => word.endsWith(`/gateway/process/${program}`));
    if (at !== -1) return words[at + 1] === home;
    return words.length === 1 && words[0]?.includes(`/gateway/process/${program} ${home} `) === true;
  });
}

function commandLine(pid: number): string[] {
  if (process.platform === "linux") return wordsOf(String(pid));
  return commandLines().find((one) => one.pid === pid)?.words ?? [];
}

function commandLines(): { pid: number; words: string[] }[] {
  if (process.platform !== "linux") {
    const table = execFileSync("ps", ["-axww", "-o", "pid=,command="], { encoding: "utf8" });
    return table.split("\n").map((line) => {
      const [, pid = "", command = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
      return { pid: Number(pid), words: [`${command} `] };
    });
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), words: wordsOf(name) }));
}

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    // It ended in between.
    return [];
  }
}
