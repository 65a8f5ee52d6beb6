/**
 * `command: postgres -c max_connections=200`: the settings in it, and the port. What else a command can say is done by
 * Howdah itself or has no meaning without a container, and is reported.
 */
import type { Place } from "../../kernel/errors.js";
// Not by way of the room's index: reading a file should not load what runs servers.
import { isOwned, ownedLimit } from "../../postgres/settings/owned-settings.js";
import { SettingName, type Settings } from "../../spec/index.js";
import type { Context } from "./context.js";
import { textsOf } from "./context.js";
import { child } from "./node-access.js";
import { shellWords } from "./shell-words.js";
import type { MapNode, Node } from "./yaml-tree.js";

export interface ServerCommand {
  readonly settings: Settings;
  /** The port that it listens on inside the container. */
  readonly port: number | null;
}

/** Files of a container that is not there. */
const SSL = /^ssl(_.*_file)?$/;
/** postgres(1): short options that stand for a setting. */
const SHORT_SETTINGS: Readonly<Record<string, string>> = { B: "shared_buffers", N: "max_connections", S: "work_mem" };
/** Options with an argument that Howdah does itself. */
const SHORT_OWNED = "DhkirtA";

export function readServerCommand(context: Context, service: string, map: MapNode): ServerCommand {
  const path = `services.${service}.command`;
  const node = child(map, "command");
  const words = commandWords(context, node, path);
  const place = node?.place ?? map.place;
  const parser = new CommandParser(context, service, place);
  parser.parse(words);
  return { settings: parser.settings, port: parser.port };
}

/** A command as words: a text is split as a shell would, a list is taken as it is. */
function commandWords(context: Context, node: Node | undefined, path: string): string[] {
  if (node === undefined) return [];
  const texts = textsOf(context, node, path);
  if (node.kind === "list") return texts.map(({ text }) => text);
  return texts.flatMap(({ text, place }) => {
    const words = shellWords(text);
    if (words === undefined) context.report.error("command", `a quote in '${path}' is not closed`, place);
    return words ?? [];
  });
}

class CommandParser {
  readonly settings: Settings = {};
  port: number | null = null;

  constructor(
    private readonly context: Context,
    private readonly service: string,
    private readonly place: Place,
  ) {}

  parse(all: readonly string[]): void {
    const words = [...all];
    while (/(^|\/)(docker-entrypoint\.sh|docker-ensure-initdb\.sh)$/.test(words[0] ?? "")) words.shift();
    if (words.length === 0) return;
    if (/(^|\/)(postgres|postmaster)$/.test(words[0] ?? "")) words.shift();
    else if (!words[0]?.startsWith("-")) {
      const message = `the command of '${this.service}' is not 'postgres …'; it is not run`;
      this.context.report.warning("not-done", message, this.place, "Write settings as 'postgres -c name=value'.");
      return;
    }
    for (let word = words.shift(); word !== undefined; word = words.shift()) this.#option(word, words);
  }

  #option(word: string, rest: string[]): void {
    const letter = /^-([A-Za-z])/.exec(word)?.[1] ?? "";
    const setting = SHORT_SETTINGS[letter];
    if (word.startsWith("--")) this.#assignment(word.slice(2), word);
    else if (letter === "F") this.#set("fsync", "off");
    else if (letter === "l") this.#set("ssl", "on");
    else if (letter === "i") this.#set("listen_addresses", "*");
    else if (letter === "c") this.#withValue(word, rest, (value) => this.#assignment(value, `-c ${value}`));
    else if (letter === "p") this.#withValue(word, rest, (value) => this.#set("port", value));
    else if (setting !== undefined) this.#withValue(word, rest, (value) => this.#set(setting, value));
    else if (letter !== "" && SHORT_OWNED.includes(letter)) {
      this.#withValue(word, rest, (value) => this.#ignored(`-${letter} ${value}`));
    } else this.#ignored(word);
  }

  /** `-cname=value` as well as `-c name=value`. */
  #withValue(word: string, rest: string[], use: (value: string) => void): void {
    const value = word.length > 2 ? word.slice(2) : rest.shift();
    if (value !== undefined) use(value);
    else
      this.context.report.error("command", `'${word}' in the command of '${this.service}' lacks its value`, this.place);
  }

  #assignment(text: string, shown: string): void {
    const equals = text.indexOf("=");
    const name = text.slice(0, equals).trim().replaceAll("-", "_");
    if (equals === -1 || !SettingName.safeParse(name).success) {
      const hint = "Write 'name=value'.";
      const message = `'${shown}' in the command of '${this.service}' is no setting`;
      this.context.report.error("command", message, this.place, hint);
      return;
    }
    this.#set(name.toLowerCase(), text.slice(equals + 1));
  }

  #set(name: string, value: string): void {
    if (name === "port") {
      if (/^\d+$/.test(value)) this.port = Number(value);
      return;
    }
    const limit = ownedLimit(name, value);
    if (limit !== null || isOwned(name) || SSL.test(name)) {
      const hint = limit === null ? "Leave it out; Howdah sets it." : `${limit}.`;
      this.context.report.warning(
        "setting-owned",
        `setting '${name}' of '${this.service}' has no effect`,
        this.place,
        hint,
      );
      return;
    }
    this.settings[name] = value;
  }

  #ignored(word: string): void {
    this.context.report.warning("not-done", `'${word}' in the command of '${this.service}' is ignored`, this.place);
  }
}
