/**
 * The OpenAPI document as it is published. The generator writes each schema twice (`X` for answers, `XInput` for
 * requests), repeats the bounds of JavaScript's integers and does not know that any call may answer with a problem;
 * here it becomes what the contract has: one name for one shape.
 */
import { z } from "zod";
import { ProblemDetails } from "./schemas/problem.js";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

const REF = "#/components/schemas/";
const METHODS = ["get", "put", "post", "delete", "patch"];
const PROBLEM_NAME = z.globalRegistry.get(ProblemDetails)?.id;
const PROBLEM = {
  description: "What went wrong, as an RFC 7807 problem",
  content: { "application/problem+json": { schema: { $ref: `${REF}${PROBLEM_NAME}` } } },
};

/** Pure: the generator's document is left as it is. */
export function publishedDocument(generated: object): JsonObject {
  const document = tidy(JSON.parse(JSON.stringify(generated)) as Json) as JsonObject;
  const paths = objectOf(document["paths"]);
  const bodies: Json[] = [];
  for (const path of Object.values(paths)) {
    for (const method of METHODS) {
      const operation = objectOf(objectOf(path)[method]);
      if (operation["responses"] === undefined) continue;
      bodies.push(operation["requestBody"] ?? null);
      operation["responses"] = { ...objectOf(open(describeAnswers(operation["responses"]))), default: PROBLEM };
    }
  }
  const components = objectOf(document["components"]);
  const all = objectOf(components["schemas"]);
  const names = renamed(all, reachable(paths, all));
  const sent = reachable(bodies, all);
  const schemas: JsonObject = {};
  for (const [from, to] of [...names].sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    const schema = all[from];
    if (schema === undefined) continue;
    schemas[to] = rewriteRefs(sent.has(from) ? schema : open(schema), names);
  }
  document["paths"] = rewriteRefs(paths, names);
  document["components"] = { ...components, schemas };
  return document;
}

/** Every component that a path needs, directly or through another. */
function reachable(from: Json, all: JsonObject): Set<string> {
  const found = new Set<string>();
  const visit = (value: Json | undefined): void => {
    for (const name of refsIn(value)) {
      if (found.has(name)) continue;
      if (all[name] === undefined) throw new Error(`the OpenAPI document refers to '${name}', which it does not hold`);
      found.add(name);
      visit(all[name]);
    }
  };
  visit(from);
  return found;
}

/** `XInput` becomes `X` where no answer uses an `X`, or uses one of the same shape. */
function renamed(all: JsonObject, used: ReadonlySet<string>): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of used) {
    const plain = name.endsWith("Input") && all[name.slice(0, -5)] !== undefined ? name.slice(0, -5) : name;
    const same = !used.has(plain) || sameShape(all[name], all[plain]);
    names.set(name, same ? plain : name);
  }
  return names;
}

function sameShape(a: Json | undefined, b: Json | undefined): boolean {
  const plain = (value: Json | undefined) =>
    JSON.stringify(value ?? null).replaceAll(/(#\/components\/schemas\/\w+?)Input"/g, '$1"');
  return plain(a) === plain(b);
}

function refsIn(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === "$ref" && typeof child === "string" && child.startsWith(REF) ? [child.slice(REF.length)] : refsIn(child),
  );
}

function rewriteRefs(value: Json, names: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return value.map((child) => rewriteRefs(child, names));
  if (value === null || typeof value !== "object") return value;
  return mapEntries(value, (key, child) => {
    if (key !== "$ref" || typeof child !== "string" || !child.startsWith(REF)) return rewriteRefs(child, names);
    const name = child.slice(REF.length);
    return `${REF}${names.get(name) ?? name}`;
  });
}

/** Takes away what says nothing. */
function tidy(value: Json): Json {
  if (Array.isArray(value)) return value.map(tidy);
  if (value === null || typeof value !== "object") return value;
  const kept: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    if (key === "maximum" && child === Number.MAX_SAFE_INTEGER) continue;
    if (key === "minimum" && child === Number.MIN_SAFE_INTEGER) continue;
    kept[key] = tidy(child);
  }
  return kept;
}

/** A later version may add fields to an answer without breaking the clients made from this document. */
function open(value: Json): Json {
  if (Array.isArray(value)) return value.map(open);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([key, child]) => key !== "additionalProperties" || child !== false);
  return Object.fromEntries(entries.map(([key, child]) => [key, open(child)]));
}

/** The generator's filler in place of a description. */
function describeAnswers(responses: Json): Json {
  return mapEntries(objectOf(responses), (status, answer) => {
    const described = objectOf(answer);
    if (described["description"] !== "Default Response") return answer;
    return { ...described, description: status === "201" ? "Created" : "Done" };
  });
}

function mapEntries(value: JsonObject, map: (key: string, child: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, map(key, child)]));
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
