/**
 * A service's environment out of `env_file` and `environment` in both of their forms. Later files win over earlier
 * ones and `environment` over all of them; a key without a value comes from config.
 */
import type { Place } from "../../kernel/errors.js";
import type { Context } from "./context.js";
import { type DotenvEntry, parseDotenv } from "./dotenv.js";
import { readText } from "./files.js";
import type { Segment } from "./interpolation.js";
import { asMap, asScalar, child, isNull, wrongType } from "./node-access.js";
import { isConfigName, type Pieces, textPiece } from "./pieces.js";
import { lintSecrets } from "./secret-lint.js";
import type { MapNode, Node } from "./yaml-tree.js";

export interface EnvironmentValue {
  readonly key: string;
  readonly place: Place;
  readonly pieces: Pieces;
  /** Written without a value, or as exactly `${KEY}`: its value is a config's. */
  readonly fromConfig: boolean;
}
export type Environment = ReadonlyMap<string, EnvironmentValue>;

/** Lines of an env_file that double each other's values would fill the memory within some thirty lines. */
const MAX_PIECES = 1_000;

interface Written {
  readonly key: string;
  readonly place: Place;
  readonly value: readonly Segment[] | null;
}

export function readEnvironment(context: Context, service: string, map: MapNode): Environment {
  const path = `services.${service}`;
  const result = new Map<string, EnvironmentValue>();
  for (const value of envFiles(context, child(map, "env_file"), `${path}.env_file`)) result.set(value.key, value);
  const written = ownEntries(context, child(map, "environment"), `${path}.environment`);
  const resolver = new SiblingResolver(context, path, written, result);
  for (const entry of written) {
    const { pieces, found } = lintSecrets(entry.key, resolver.resolve(entry.key) ?? []);
    if (found) {
      const message = `service "${service}": environment "${entry.key}" may contain sensitive information; consider using 'howdah config set ${entry.key}'`;
      const hint = `Leave its value empty ('${entry.key}:') and store it with the command.`;
      context.report.warning("secret-in-file", message, entry.place, hint);
    }
    result.delete(entry.key);
    result.set(entry.key, { key: entry.key, place: entry.place, pieces, fromConfig: isFromConfig(entry) });
  }
  return result;
}

/**
 * Values of one `environment`. A name that neither `.env` nor a default defines, but a neighbour in the same
 * environment, takes the neighbour's value unless a config is set: `CONNECTURL: postgresql://${POSTGRES_USER}:…`
 * beside `POSTGRES_USER: postgres` is how Defang's own page writes it.
 */
class SiblingResolver {
  readonly #done = new Map<string, Pieces>();
  readonly #open = new Set<string>();
  #budget = 10_000;
  readonly #written: ReadonlyMap<string, Written>;

  constructor(
    private readonly context: Context,
    private readonly path: string,
    written: readonly Written[],
    private readonly fromFiles: Environment,
  ) {
    this.#written = new Map(written.map((entry) => [entry.key, entry]));
  }

  resolve(key: string): Pieces | undefined {
    const done = this.#done.get(key);
    if (done !== undefined) return done;
    const entry = this.#written.get(key);
    if (entry === undefined) return this.fromFiles.get(key)?.pieces;
    if (entry.value === null) return this.#keep(key, this.#inherited(entry));
    this.#open.add(key);
    const pieces = this.context.variables.pieces(entry.value, {
      path: `${this.path}.environment.${key}`,
      place: entry.place,
      origin: "file",
      // A circle of names ends at the config of that name.
      sibling: (name) => (this.#open.has(name) || this.#budget-- <= 0 ? undefined : this.resolve(name)),
    });
    this.#open.delete(key);
    // Inside a circle the value depends on where one came in, so only the outermost is kept.
    return this.#open.size === 0 ? this.#keep(key, pieces) : pieces;
  }

  #inherited(entry: Written): Pieces {
    if (isConfigName(entry.key)) return this.context.variables.inherited(entry.key, entry.place);
    const message = `'${entry.key}' has no value and is no name of a config`;
    this.context.report.error("config-name", message, entry.place, "Give it a value in the file.");
    return [];
  }

  #keep(key: string, pieces: Pieces): Pieces {
    this.#done.set(key, pieces);
    return pieces;
  }
}

function isFromConfig({ key, value }: Written): boolean {
  const [only] = value ?? [];
  return value === null || (value.length === 1 && only?.kind === "variable" && only.name === key);
}

/** `environment`, as a map or as a list of `KEY=VALUE`. */
function ownEntries(context: Context, node: Node | undefined, path: string): Written[] {
  if (node === undefined) return [];
  if (node.kind === "scalar") {
    wrongType(node, path, "a map or a list", context.report);
    return [];
  }
  const found = new Map<string, Written>();
  const add = (key: string, place: Place, text: string | null) => {
    if (!/^[^\s=\0]+$/.test(key)) {
      context.report.error("environment-name", `'${key}' is no name of an environment variable`, place);
      return;
    }
    const value = text === null ? null : context.variables.lex(text, { path: `${path}.${key}`, place });
    if (value === undefined) return;
    found.delete(key);
    found.set(key, { key, place, value });
  };
  if (node.kind === "map") {
    for (const { key, keyPlace, value } of node.entries) {
      if (isNull(value)) add(key, keyPlace, null);
      else {
        const scalar = asScalar(value, `${path}.${key}`, context.report);
        if (scalar !== undefined) add(key, keyPlace, scalar.text);
      }
    }
  } else {
    for (const [i, item] of node.items.entries()) {
      const scalar = asScalar(item, `${path}[${i}]`, context.report);
      if (scalar === undefined) continue;
      const equals = scalar.text.indexOf("=");
      if (equals === -1) add(scalar.text, scalar.place, null);
      else add(scalar.text.slice(0, equals), scalar.place, scalar.text.slice(equals + 1));
    }
  }
  return [...found.values()];
}

/** A path, or a list of paths and `{path, required, format}`. */
function envFiles(context: Context, node: Node | undefined, path: string): EnvironmentValue[] {
  if (node === undefined) return [];
  const items = node.kind === "list" ? node.items : [node];
  return items.flatMap((item, i) => {
    const where = node.kind === "list" ? `${path}[${i}]` : path;
    const map = item.kind === "map" ? asMap(item, where, context.report) : undefined;
    const scalar = asScalar(map === undefined ? item : child(map, "path"), `${where}.path`, context.report);
    if (scalar === undefined) {
      if (map !== undefined && isNull(child(map, "path"))) wrongType(item, where, "a map with 'path'", context.report);
      return [];
    }
    const file = context.variables.evaluate(scalar.text, { path: where, place: scalar.place });
    if (file === undefined) return [];
    const required = asScalar(child(map, "required"), `${where}.required`, context.report);
    const text = readText(context, file, scalar.place, required?.text === "false");
    if (text === undefined) return [];
    const raw = asScalar(child(map, "format"), `${where}.format`, context.report)?.text === "raw";
    return fileValues(context, parseDotenv(text, context.report, { raw }));
  });
}

function fileValues(context: Context, entries: readonly DotenvEntry[]): EnvironmentValue[] {
  const above = new Map<string, Pieces>();
  return entries.map(({ key, place, value }) => {
    const pieces =
      value === null
        ? isConfigName(key)
          ? context.variables.inherited(key, place)
          : [textPiece("", "dotenv")]
        : context.variables.pieces(value, { path: key, place, origin: "dotenv", above });
    if (pieces.length > MAX_PIECES) {
      context.report.error("value-too-long", `the value of '${key}' is put together from too many others`, place);
      return { key, place, pieces: [], fromConfig: false };
    }
    above.set(key, pieces);
    return { key, place, pieces, fromConfig: value === null };
  });
}
