import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { ERROR_CODES } from "../kernel/errors.js";
import { openApiDocument } from "./openapi.js";

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
}
interface Operation {
  operationId?: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> };
}

/** What of the contract's services is not served yet; everything else must be. */
const NOT_YET =
  /\/(available-containers|import|upgrade)$|\/projects(\/|$)|\/preview-environment-|\/query\/|^\/backups\//;
/** Where the test's checkout has the contracts beside it. */
const CONTRACT = new URL("../../../../../shared/contracts/temps-services.openapi.json", import.meta.url);

let ours: Document;
beforeAll(async () => {
  ours = (await openApiDocument()) as Document;
});

const schemaOf = (document: Document, schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});

describe("the document", () => {
  test("is OpenAPI 3.1, the same each time", async () => {
    expect(ours.openapi).toBe("3.1.0");
    expect(await openApiDocument()).toEqual(ours);
  });

  test("every reference leads somewhere, and every component is used", () => {
    const used = [...JSON.stringify(ours).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1]);
    const known = Object.keys(ours.components.schemas);
    expect(new Set(used)).toEqual(new Set(known));
    expect(known).toEqual([...known].sort());
    expect(known.filter((name) => /Input$|__/.test(name))).toEqual([]);
  });

  test("every operation has an id of its own, a summary, and a problem for an answer", () => {
    const operations = Object.values(ours.paths).flatMap((path) => Object.values(path));
    const ids = operations.map((o) => o.operationId);
    expect(ids).not.toContain(undefined);
    expect(new Set(ids).size).toBe(operations.length);
    for (const operation of operations) {
      expect(operation).toHaveProperty("summary");
      expect(operation.responses["default"]?.content).toHaveProperty(["application/problem+json"]);
    }
  });

  test("the error codes are those of the registry", () => {
    const extensions = ours.components.schemas["ProblemDetails"]?.properties?.["extensions"];
    expect(extensions?.properties?.["code"]?.enum).toEqual(ERROR_CODES);
  });

  test("answers may grow, requests may not hold what is unknown", () => {
    const { schemas } = ours.components;
    expect(schemas["ExternalServiceInfo"]).not.toHaveProperty("additionalProperties");
    expect(schemas["CreateExternalServiceRequest"]?.additionalProperties).toBe(false);
  });
});

describe.skipIf(!existsSync(CONTRACT))(`the contract of Temps (skipped where ${CONTRACT.pathname} is absent)`, () => {
  // Read while tests are collected, skipped or not.
  const theirs: Document = existsSync(CONTRACT)
    ? JSON.parse(readFileSync(CONTRACT, "utf8"))
    : { openapi: "", paths: {}, components: { schemas: {}, securitySchemes: {} } };
  const claimed = Object.entries(theirs.paths)
    .filter(([path]) => !NOT_YET.test(path))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, theirs]) => ({ path, method, theirs })));

  test("its services are served", () => {
    expect(claimed.map(({ method, path }) => `${method} ${path}`)).toMatchInlineSnapshot(`
      [
        "get /external-services",
        "post /external-services",
        "get /external-services/by-slug/{slug}",
        "get /external-services/providers/metadata",
        "get /external-services/providers/metadata/{service_type}",
        "get /external-services/types",
        "get /external-services/types/{service_type}/parameters",
        "get /external-services/{id}",
        "put /external-services/{id}",
        "delete /external-services/{id}",
        "post /external-services/{id}/start",
        "post /external-services/{id}/stop",
      ]
    `);
  });

  test.each(claimed)("$method $path", ({ path, method, theirs: wanted }) => {
    const operation = ours.paths[`/api${path}`]?.[method];
    expect(operation?.operationId).toBe(wanted.operationId);
    for (const parameter of wanted.parameters ?? []) {
      const found = operation?.parameters?.find((p) => p.name === parameter.name && p.in === parameter.in);
      expect(found?.schema.type).toEqual(parameter.schema.type);
    }
    const needed = (operation?.parameters ?? []).filter((p) => p.required).map((p) => p.name);
    expect(needed).toEqual((wanted.parameters ?? []).filter((p) => p.required).map((p) => p.name));
    const body = wanted.requestBody?.content["application/json"]?.schema;
    if (body !== undefined) {
      const taken = operation?.requestBody?.content["application/json"]?.schema ?? {};
      expect(taken.$ref).toBe(body.$ref);
      acceptsAll(schemaOf(theirs, body), schemaOf(ours, taken));
    }
    for (const [status, answer] of Object.entries(wanted.responses)) {
      // Any failure is the document's default answer, a problem.
      if (!status.startsWith("2")) continue;
      expect(operation?.responses).toHaveProperty(status);
      const schema = answer.content?.["application/json"]?.schema;
      if (schema === undefined) continue;
      givesAll(schema, operation?.responses[status]?.content?.["application/json"]?.schema ?? {});
    }
  });

  test("problems", () => {
    givesAll({ $ref: "#/components/schemas/ProblemDetails" }, { $ref: "#/components/schemas/ProblemDetails" });
  });

  /** Our body takes what theirs allows: the same properties and no further duties. */
  function acceptsAll(wanted: Schema, taken: Schema): void {
    expect(Object.keys(taken.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(wanted.properties ?? {})));
    for (const name of taken.required ?? []) expect(wanted.required).toContain(name);
    for (const [name, property] of Object.entries(wanted.properties ?? {})) {
      sameTypes(property, taken.properties?.[name] ?? {});
    }
  }

  /** Our answer has what theirs promises, under the same name, with the same types. */
  function givesAll(wanted: Schema, given: Schema): void {
    if (wanted.$ref !== undefined) expect(given.$ref).toBe(wanted.$ref);
    if (wanted.type === "array") givesAll(wanted.items ?? {}, given.items ?? {});
    const [theirSchema, ourSchema] = [schemaOf(theirs, wanted), schemaOf(ours, given)];
    for (const name of theirSchema.required ?? []) expect(ourSchema.required).toContain(name);
    for (const [name, property] of Object.entries(theirSchema.properties ?? {})) {
      expect(ourSchema.properties).toHaveProperty([name]);
      sameTypes(property, ourSchema.properties?.[name] ?? {});
    }
  }

  function sameTypes(wanted: Schema, found: Schema): void {
    expect(found.$ref).toBe(wanted.$ref);
    const allowed = typesOf(wanted);
    // A narrower type than promised is a promise kept: never null where null was possible.
    if (allowed.length > 0) expect(allowed).toEqual(expect.arrayContaining(typesOf(found)));
    expect(typesOf(found).length > 0 || allowed.length === 0).toBe(true);
  }

  function typesOf(schema: Schema): string[] {
    return [schema.type ?? schema.anyOf?.flatMap(typesOf) ?? []].flat();
  }
});
