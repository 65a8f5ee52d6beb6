/**
 * `x-howdah`: what only Howdah can do for a service. What the file does not say means the default, so that taking a
 * line away takes its effect away; and every key is known or an error, because one that had no effect today would
 * suddenly have one later.
 */
import type { Place } from "../../kernel/errors.js";
import {
  checkEndpointPolicy,
  DEFAULT_FLASH_TIMEOUT_MS,
  type EndpointPolicy,
  LOOPBACK_ENDPOINT,
  parseFlashTimeout,
  parseHold,
  parseListen,
  parseNetworks,
  parseSsl,
  REGULAR,
  type Service,
} from "../../spec/index.js";
import { type Context, reported, textsOf } from "./context.js";
import { asScalar, describe, entryOf, isNull } from "./node-access.js";
import { suggestion } from "./suggestion.js";
import type { Entry, MapNode, Node } from "./yaml-tree.js";

const HOWDAH_KEY = "x-howdah";
const KEYS = ["engine", "mode", "ssl", "listen", "allow", "hold"] as const;
const MODES = ["regular", "flash"] as const;
const FLASH_KEYS = ["timeout"] as const;
const FLASH_FORM = "mode: { flash: { timeout: 3s } }";

export type HowdahKeys = Pick<Service, "engine" | "mode" | "endpoint">;

export function readHowdahKeys(context: Context, service: string, map: MapNode): HowdahKeys {
  const entry = entryOf(map, HOWDAH_KEY);
  const nothing: HowdahKeys = { engine: null, mode: REGULAR, endpoint: LOOPBACK_ENDPOINT };
  if (entry === undefined || isNull(entry.value)) return nothing;
  const path = `services.${service}.${HOWDAH_KEY}`;
  if (entry.value.kind !== "map") {
    context.report.error("wrong-type", `'${path}' is ${describe(entry.value)}, not a map`, entry.value.place);
    return nothing;
  }
  return new HowdahReader(context, path, entry.value).read();
}

class HowdahReader {
  constructor(
    private readonly context: Context,
    private readonly path: string,
    private readonly map: MapNode,
  ) {}

  read(): HowdahKeys {
    this.#knownOnly(this.path, this.map, KEYS, {
      timeout: `Write it as '${FLASH_FORM}'.`,
      ssl_mode: "Write it as 'ssl'.",
    });
    return { engine: this.#engine(), mode: this.#mode(), endpoint: this.#endpoint() };
  }

  #engine(): Service["engine"] {
    const found = this.#text(this.map, "engine", this.path);
    if (found === undefined) return null;
    if (found.text === "embedded" || found.text === "system") return found.text;
    this.context.report.error(
      "wrong-type",
      `'${this.path}.engine' is neither 'embedded' nor 'system'`,
      found.place,
      suggestion(found.text, ["embedded", "system"]),
    );
    return null;
  }

  #mode(): Service["mode"] {
    const entry = entryOf(this.map, "mode");
    if (entry === undefined || isNull(entry.value)) return REGULAR;
    const path = `${this.path}.mode`;
    if (entry.value.kind === "map") return this.#modeOfMap(path, entry.value);
    const found = this.#text(this.map, "mode", this.path);
    if (found === undefined || found.text === "regular") return REGULAR;
    if (found.text === "flash") return { kind: "flash", timeoutMs: DEFAULT_FLASH_TIMEOUT_MS };
    const hint = suggestion(found.text, MODES) ?? `Write 'regular', 'flash', or '${FLASH_FORM}'.`;
    this.context.report.error("wrong-type", `'${path}' is neither 'regular' nor 'flash'`, found.place, hint);
    return REGULAR;
  }

  /** `{ flash: { timeout: 3s } }`, with nothing behind `flash` or `regular` for all of it by default. */
  #modeOfMap(path: string, map: MapNode): Service["mode"] {
    this.#knownOnly(path, map, MODES, { timeout: `Write it as '${FLASH_FORM}'.` });
    const [first, second] = map.entries.filter(({ key }) => MODES.some((mode) => mode === key));
    if (first === undefined) {
      if (map.entries.length === 0) {
        const hint = `Write 'regular', 'flash', or '${FLASH_FORM}'.`;
        this.context.report.error("wrong-type", `'${path}' is an empty map`, map.place, hint);
      }
      return REGULAR;
    }
    if (second !== undefined) {
      this.context.report.error("exclusive", `'${path}' has two modes`, second.keyPlace, "Keep one of them.");
    }
    const inner = this.#optionsOf(`${path}.${first.key}`, first.value);
    if (first.key === "regular") {
      if (inner !== undefined) this.#knownOnly(`${path}.regular`, inner, []);
      return REGULAR;
    }
    if (inner === undefined) return { kind: "flash", timeoutMs: DEFAULT_FLASH_TIMEOUT_MS };
    this.#knownOnly(`${path}.flash`, inner, FLASH_KEYS);
    const timeout = this.#parsed(inner, "timeout", `${path}.flash`, parseFlashTimeout);
    return { kind: "flash", timeoutMs: timeout?.value ?? DEFAULT_FLASH_TIMEOUT_MS };
  }

  #endpoint(): EndpointPolicy {
    const listen = this.#parsed(this.map, "listen", this.path, parseListen);
    const ssl = this.#parsed(this.map, "ssl", this.path, parseSsl);
    const hold = this.#parsed(this.map, "hold", this.path, parseHold);
    const policy: EndpointPolicy = {
      listen: listen?.value ?? LOOPBACK_ENDPOINT.listen,
      ssl: ssl?.value ?? LOOPBACK_ENDPOINT.ssl,
      allow: this.#allow() ?? LOOPBACK_ENDPOINT.allow,
      holdMs: hold?.value ?? LOOPBACK_ENDPOINT.holdMs,
    };
    const { context } = this;
    const place = ssl?.place ?? listen?.place;
    if (place !== undefined) reported(context, "needs-tls", place, () => checkEndpointPolicy(policy));
    return policy;
  }

  #allow(): string[] | undefined {
    const entry = entryOf(this.map, "allow");
    if (entry === undefined || isNull(entry.value)) return undefined;
    const path = `${this.path}.allow`;
    if (entry.value.kind === "map") {
      const message = `'${path}' is a map, not a list of addresses and networks`;
      this.context.report.error("wrong-type", message, entry.value.place, "Write it as [10.0.0.0/8, 192.168.1.7].");
      return undefined;
    }
    // Each on its own, so that a wrong one is told with its own line.
    const { context } = this;
    const networks = textsOf(context, entry.value, path).flatMap(({ text, place }) => {
      const read = () => parseNetworks(text.split(","));
      return reported(context, "howdah-value", place, read) ?? [];
    });
    return reported(context, "howdah-value", entry.value.place, () => parseNetworks(networks));
  }

  #parsed<T>(
    map: MapNode,
    key: string,
    path: string,
    parse: (text: string) => T,
  ): { readonly value: T; readonly place: Place } | undefined {
    const found = this.#text(map, key, path);
    if (found === undefined) return undefined;
    const { context } = this;
    const value = reported(context, "howdah-value", found.place, () => parse(found.text));
    return value === undefined ? undefined : { value, place: found.place };
  }

  /** As written, its variables filled in from `.env`; undefined when absent or empty. */
  #text(map: MapNode, key: string, path: string): { readonly text: string; readonly place: Place } | undefined {
    const where = `${path}.${key}`;
    const scalar = asScalar(entryOf(map, key)?.value, where, this.context.report);
    const text = scalar && this.context.variables.evaluate(scalar.text, { path: where, place: scalar.place });
    return scalar === undefined || text === undefined ? undefined : { text, place: scalar.place };
  }

  #optionsOf(path: string, node: Node): MapNode | undefined {
    if (isNull(node)) return undefined;
    if (node.kind === "map") return node;
    const hint = `Write it as '${FLASH_FORM}'.`;
    this.context.report.error("wrong-type", `'${path}' is ${describe(node)}, not a map`, node.place, hint);
    return undefined;
  }

  #knownOnly(
    path: string,
    map: MapNode,
    known: readonly string[],
    better: Readonly<Record<string, string>> = {},
  ): void {
    for (const { key, keyPlace } of map.entries as readonly Entry[]) {
      if (known.includes(key)) continue;
      const all = known.length === 0 ? "It takes none." : `Known keys: ${known.join(", ")}.`;
      const hint = (Object.hasOwn(better, key) ? better[key] : undefined) ?? suggestion(key, known) ?? all;
      this.context.report.error("unknown-key", `unknown key '${key}' under '${path}'`, keyPlace, hint);
    }
  }
}
