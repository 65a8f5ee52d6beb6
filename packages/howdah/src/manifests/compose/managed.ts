/** The keys that make a service a managed one: `x-defang-postgres` in all its forms, and `x-howdah` beside it. */
import type { Context } from "./context.js";
import { type HowdahKeys, readHowdahKeys } from "./howdah-keys.js";
import { describe, entryOf, isNull } from "./node-access.js";
import { suggestion } from "./suggestion.js";
import type { MapNode } from "./yaml-tree.js";

export const MANAGED_KEY = "x-defang-postgres";
/** Go's strconv.ParseBool, which Defang reads strings with. */
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];
const PARAMETERS = ["allow-downtime", "from-snapshot"];

interface Defang {
  /** null: the key is absent. `false` means not managed, although Defang's own tool counts it as managed. */
  readonly managed: boolean | null;
  readonly allowDowntime: boolean;
}

export type Managed = Defang & HowdahKeys;

export function readManaged(context: Context, service: string, map: MapNode): Managed {
  return { ...readDefang(context, service, map), ...readHowdahKeys(context, service, map) };
}

function readDefang(context: Context, service: string, map: MapNode): Defang {
  const entry = entryOf(map, MANAGED_KEY);
  if (entry === undefined) return { managed: null, allowDowntime: false };
  const path = `services.${service}.${MANAGED_KEY}`;
  const { value } = entry;
  if (isNull(value)) return { managed: true, allowDowntime: false };
  if (value.kind === "map") return { managed: true, allowDowntime: readParameters(context, path, value) };
  if (value.kind === "scalar" && typeof value.value === "boolean") {
    return { managed: value.value, allowDowntime: false };
  }
  if (value.kind === "scalar" && typeof value.value === "string") {
    const text = context.variables.evaluate(value.text, { path, place: value.place });
    if (text === undefined || TRUE.includes(text)) return { managed: true, allowDowntime: false };
    if (FALSE.includes(text)) return { managed: false, allowDowntime: false };
    context.report.error("managed-form", `'${path}' is '${text}', neither true nor false`, value.place);
    return { managed: true, allowDowntime: false };
  }
  const hint = `'${MANAGED_KEY}' takes nothing, true, false or a map; this is ${describe(value)}.`;
  context.report.error("managed-form", "expected parameters in managed storage definition field", value.place, hint);
  return { managed: true, allowDowntime: false };
}

function readParameters(context: Context, path: string, map: MapNode): boolean {
  let allowDowntime = false;
  for (const { key, keyPlace, value } of map.entries) {
    if (!PARAMETERS.includes(key)) {
      const hint = suggestion(key, PARAMETERS) ?? `Known keys: ${PARAMETERS.join(", ")}.`;
      context.report.error("unknown-key", `unknown key '${key}' under '${path}'`, keyPlace, hint);
    } else if (key === "allow-downtime") {
      if (value.kind === "scalar" && typeof value.value === "boolean") allowDowntime = value.value;
      else context.report.error("wrong-type", "'allow-downtime' must be a boolean", value.place);
    } else if (value.kind !== "scalar" || typeof value.value !== "string") {
      if (!isNull(value)) context.report.error("wrong-type", "'from-snapshot' must be a string", value.place);
    } else {
      const message = "'from-snapshot' is not done: the database starts empty";
      context.report.warning("not-done", message, keyPlace, "Load a dump into the new service instead.");
    }
  }
  return allowDowntime;
}
