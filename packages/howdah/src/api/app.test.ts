import { createConnection } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { errorSpec, HowdahError } from "../kernel/errors.js";
import { API_KEY, type FakeControl, PASSWORD, serviceView } from "./testing/fake-control.js";
import { type RawAnswer, rawRequest } from "./testing/raw-request.js";
import { ServedApi } from "./testing/serve.js";

let served: ServedApi;
let control: FakeControl;
const bearer = { authorization: `Bearer ${API_KEY}` };
const json = { "content-type": "application/json" };

beforeAll(async () => {
  served = await ServedApi.start();
  control = served.control;
});
beforeEach(() => {
  control.rows.clear();
  control.failures.clear();
  control.instantly = true;
  control.set(serviceView());
});
afterAll(async () => served[Symbol.asyncDispose]());

const tcp = (path: string, headers: Record<string, string> = {}, method = "GET", body?: string | Buffer) => {
  const { hostname, port } = new URL(served.url);
  return rawRequest({ hostname, port, path, method, headers }, body);
};
const unix = (path: string, method = "GET", body?: unknown) =>
  rawRequest(
    { socketPath: served.socketPath, path, method, headers: body === undefined ? {} : json },
    body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  );

function problem(answer: RawAnswer) {
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  const body = JSON.parse(answer.text);
  expect(body.status).toBe(answer.status);
  expect(body.type).toBe(`urn:howdah:error:${body.extensions.code}`);
  expect(body.extensions.request_id).toBe(answer.headers["x-request-id"]);
  expect(body.extensions.hint).toMatch(/\.$/);
  return body;
}

describe("who may ask", () => {
  test("the Unix socket needs no key", async () => {
    expect((await unix("/api/external-services")).status).toBe(200);
  });

  test("TCP needs one", async () => {
    const refused = [
      {},
      { authorization: "Bearer wrong" },
      { authorization: `Basic ${API_KEY}` },
      { authorization: API_KEY },
      { authorization: "Bearer" },
      { authorization: `Bearer ${API_KEY} ${API_KEY}` },
    ];
    for (const headers of refused) {
      const answer = await tcp("/api/external-services", headers as Record<string, string>);
      expect(answer.status).toBe(401);
      expect(problem(answer).extensions.code).toBe("UNAUTHORIZED");
      expect(answer.headers["www-authenticate"]).toContain("Bearer");
    }
    expect((await tcp("/api/external-services", bearer)).status).toBe(200);
    expect((await tcp("/api/external-services", { authorization: `bearer ${API_KEY}` })).status).toBe(200);
  });

  test("no header poses as the socket", async () => {
    const posing = {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "unix",
      forwarded: "for=unix",
      "x-real-ip": "",
      "x-howdah-transport": "unix",
      via: "unix",
      upgrade: "h2c",
    };
    expect((await tcp("/api/external-services", posing)).status).toBe(401);
  });

  test("paths that do not exist are not told apart without a key", async () => {
    expect((await tcp("/api/nonsense")).status).toBe(401);
    expect((await tcp("/")).status).toBe(401);
    expect((await tcp("/api/nonsense", bearer)).status).toBe(404);
  });

  test("health and the OpenAPI document are open", async () => {
    expect(JSON.parse((await tcp("/api/health")).text)).toEqual({ status: "ok", version: "1.2.3" });
    expect(JSON.parse((await tcp("/api/openapi.json")).text).openapi).toBe("3.1.0");
    expect((await tcp("/api/health/", {})).status).toBe(401);
  });

  test("a foreign Host is refused, also with a key and for open paths", async () => {
    for (const host of ["attacker.example", "attacker.example:7700", "127.0.0.1.attacker.example", "localhost."]) {
      for (const path of ["/api/external-services", "/api/health"]) {
        const answer = await tcp(path, { ...bearer, host });
        expect(answer.status).toBe(403);
        expect(problem(answer).extensions.code).toBe("FORBIDDEN");
      }
    }
    for (const host of ["localhost", "127.0.0.1:1", "[::1]:7700", "LOCALHOST:7700"]) {
      expect((await tcp("/api/health", { host })).status).toBe(200);
    }
  });

  test("nor does a request without a Host get through", async () => {
    const { port } = new URL(served.url);
    const text = await new Promise<string>((resolve, reject) => {
      let all = "";
      const socket = createConnection({ port: Number(port), host: "127.0.0.1" }, () =>
        socket.end(`GET /api/status HTTP/1.0\r\nAuthorization: Bearer ${API_KEY}\r\n\r\n`),
      );
      socket.on("data", (chunk) => {
        all += String(chunk);
      });
      socket.once("error", reject).once("close", () => resolve(all));
    });
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("no other origin is allowed", async () => {
    const origin = { origin: "http://attacker.example", "access-control-request-method": "GET" };
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await tcp("/api/health", origin, method);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  test("the recovery key goes over the socket only", async () => {
    expect(JSON.parse((await unix("/api/server/recovery-key")).text).key).toBe("howdah-key-1:c2VjcmV0");
    const answer = await tcp("/api/server/recovery-key", bearer);
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain("c2VjcmV0");
  });

  test("a private key goes over the socket only, since the other way in is not encrypted", async () => {
    const body = { cert: "mine", key: "key of mine" };
    expect((await unix("/api/server/certificate", "PUT", body)).status).toBe(200);
    const answer = await tcp("/api/server/certificate", { ...bearer, ...json }, "PUT", JSON.stringify(body));
    expect(answer.status).toBe(403);
    expect(problem(answer).extensions.code).toBe("FORBIDDEN");
  });

  test("answers are neither cached nor guessed at", async () => {
    const { headers } = await unix("/api/external-services/1?reveal=true");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });
});

describe("passwords", () => {
  test("are shown only when asked for", async () => {
    for (const path of [
      "/api/external-services/1",
      "/api/external-services/by-slug/database",
      "/api/external-services/find?name=database",
    ]) {
      const hidden = await unix(path);
      expect(hidden.text).not.toContain(PASSWORD);
      expect(JSON.parse(hidden.text).current_parameters.password).toBe("***");
      const shown = await unix(`${path}${path.includes("?") ? "&" : "?"}reveal=true`);
      expect(JSON.parse(shown.text).current_parameters.password).toBe(PASSWORD);
      expect(JSON.parse(shown.text).service.connection_info).toContain(encodeURIComponent(PASSWORD));
    }
  });

  test("are not logged, nor is anything else that was sent", async () => {
    const parameters = { password: "sent-in-a-body", "set.x": "sent-too" };
    await unix("/api/external-services?wait=false", "POST", { name: "b", service_type: "postgres", parameters });
    await unix("/api/external-services", "POST", '{"name": "sent-in-broken-json');
    await tcp("/api/projects/sent-in-a-path/configs", { authorization: "Bearer sent-as-a-key" });
    expect(served.log).toContain("request answered");
    expect(served.log).not.toContain("sent-");
  });
});

describe("problems", () => {
  test("a HowdahError keeps its code, words, hint and fields", async () => {
    control.projects.environment = () => {
      throw new HowdahError("CONFIG_MISSING", 'missing configs ["A","B"]', { fields: { names: ["A", "B"] } });
    };
    const answer = await unix("/api/projects/shop/environment/web");
    expect(answer.status).toBe(422);
    expect(problem(answer)).toMatchObject({
      title: "Config missing",
      detail: 'missing configs ["A","B"]',
      extensions: { code: "CONFIG_MISSING", hint: errorSpec("CONFIG_MISSING").hint, fields: { names: ["A", "B"] } },
    });
  });

  test("anything else is internal, without its words, and logged without secrets", async () => {
    control.doctor = async () => {
      const cause = new Error('password authentication failed, password="hunter2"');
      const error = new Error("connect postgres://u:hunter2@h/db failed", { cause });
      throw Object.assign(error, { parameters: ["hunter2"], query: "alter role x password 'hunter2'" });
    };
    const answer = await unix("/api/doctor");
    const { detail, extensions } = problem(answer);
    expect(answer.status).toBe(500);
    expect(detail).toBe(`internal error (request ${extensions.request_id})`);
    expect(answer.text).not.toContain("postgres://");
    const logged = served.log
      .split("\n")
      .find((line) => line.includes(extensions.request_id) && line.includes("unforeseen"));
    expect(logged).toContain("connect postgres://u:[redacted]@h/db failed");
    expect(logged).toContain("app.test.ts");
    expect(logged).not.toContain("hunter2");
  });

  test.each([
    ["no name", { service_type: "postgres", parameters: {} }, "name"],
    ["another type", { name: "x", service_type: "redis", parameters: {} }, "service_type"],
    ["parameters of the wrong form", { name: "x", service_type: "postgres", parameters: [] }, "parameters"],
    ["an unknown field", { name: "x", service_type: "postgres", parameters: {}, nmae: "x" }, "nmae"],
    ["a cluster", { name: "x", service_type: "postgres", parameters: {}, topology: "cluster" }, "topology"],
    ["an unknown parameter", { name: "x", service_type: "postgres", parameters: { prot: 1 } }, "prot"],
  ])("%s is INVALID_INPUT that names the field", async (_what, body, field) => {
    const answer = await unix("/api/external-services", "POST", body);
    expect(answer.status).toBe(400);
    const { detail, extensions } = problem(answer);
    expect(extensions.code).toBe("INVALID_INPUT");
    expect(detail).toContain(`'${field}'`);
  });

  test("a deep field is named by its path", async () => {
    const body = { project: "shop", services: [{ name: "db", database: [], username: [], password: null, port: "x" }] };
    const { detail, extensions } = problem(await unix("/api/stacks/plan", "POST", body));
    expect(detail).toContain("field 'services.0.port'");
    expect(extensions.fields.field).toEqual(["services.0.port"]);
  });

  test("a wrong id in the path", async () => {
    for (const id of ["0", "x", "1.5", "99999999999", "-1"]) {
      const answer = await unix(`/api/external-services/${id}`);
      expect(answer.status).toBe(400);
      expect(problem(answer).detail).toContain("field 'id' in the params");
    }
    expect(problem(await unix("/api/external-services/7")).extensions.code).toBe("SERVICE_NOT_FOUND");
  });

  test("an empty body under a JSON content type is none where none is taken", async () => {
    const service = await served.control.services.create({ name: "no-body" });
    for (const action of ["stop", "start"]) {
      const answer = await unix(`/api/external-services/${service.id}/${action}`, "POST", "");
      expect({ action, status: answer.status }).toEqual({ action, status: 200 });
    }
    expect((await unix(`/api/external-services/${service.id}`, "DELETE", "")).status).toBe(204);
  });

  test("what is no JSON", async () => {
    const broken = problem(await unix("/api/keys", "POST", '{"name": '));
    expect(broken).toMatchObject({ status: 400, detail: "the body is not valid JSON" });
    expect(problem(await unix("/api/keys", "POST", "")).detail).toBe("the body is empty");
    const { socketPath } = served;
    const path = "/api/keys";
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await rawRequest({ socketPath, path, method: "POST", headers: form }, "name=x");
    expect(problem(answer).detail).toBe("the body is not of type 'application/json'");
    expect(problem(await unix(path, "POST", '{"name": "x", "__proto__": {}}')).status).toBe(400);
    expect(problem(await unix("/api/projects/%zz/configs")).status).toBe(400);
  });

  test("paths of Temps that are not there yet", async () => {
    for (const path of [
      "/api/external-services/1/projects",
      "/api/external-services/1/query/containers",
      "/api/backups/schedules",
    ]) {
      const answer = await unix(path);
      expect(answer.status).toBe(404);
      expect(problem(answer).extensions.code).toBe("NOT_FOUND");
    }
    expect(
      problem(await unix("/api/external-services/1/upgrade", "POST", { docker_image: "postgres:19" })).status,
    ).toBe(404);
    expect(problem(await unix("/api/external-services", "PATCH")).detail).toBe(
      "there is no 'PATCH /api/external-services'",
    );
  });

  test("bytes that are no HTTP end the connection, not the server", async () => {
    await new Promise<void>((resolve) => {
      const socket = createConnection({ path: served.socketPath }, () => socket.end("\x16\x03\x01 nonsense\r\n\r\n"));
      socket.on("close", () => resolve()).resume();
    });
    expect((await unix("/api/health")).status).toBe(200);
  });
});

describe("large bodies", () => {
  const MIB = 1024 ** 2;

  test("1 MiB at most", async () => {
    const body = { value: "x".repeat(MIB + 1) };
    const answer = await unix("/api/projects/shop/configs/A", "PUT", body);
    expect(answer.status).toBe(413);
    expect(problem(answer).extensions.code).toBe("BODY_TOO_LARGE");
    expect((await unix("/api/projects/shop/configs/A", "PUT", { value: "x".repeat(MIB / 2) })).status).toBe(200);
  });

  test("stacks carry their init scripts", async () => {
    const contentBase64 = Buffer.alloc(3 * MIB, "select 1;\n").toString("base64");
    const text = (name: string) => [{ kind: "literal", text: name }];
    const service = { name: "db", database: text("db"), username: text("db"), password: null };
    const body = { project: "shop", services: [{ ...service, initScripts: [{ name: "1.sql", contentBase64 }] }] };
    expect((await unix("/api/stacks/plan", "POST", body)).status).toBe(200);
    const call = control.calls.findLast((c) => c.name === "plan");
    expect(call?.args[0]).toMatchObject({ project: "shop", services: [{ initScripts: [{ contentBase64 }] }] });
  });

  test("96 MiB at most, refused by the length alone", async () => {
    const headers = { ...json, "content-length": String(97 * MIB) };
    const { socketPath } = served;
    const answer = await rawRequest({ socketPath, path: "/api/stacks/plan", method: "POST", headers });
    expect(answer.status).toBe(413);
  });
});

describe("the contract's services", () => {
  const body = { name: "database", service_type: "postgres", parameters: { version: "18-alpine" } };

  test("create answers when the service runs", async () => {
    control.rows.clear();
    control.instantly = false;
    const asked = unix("/api/external-services", "POST", { ...body, node_id: null, topology: "standalone" });
    await expect.poll(() => control.rows.size).toBe(1);
    control.change(1, { state: "running", busy: false });
    const answer = await asked;
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({
      id: 1,
      name: "database",
      service_type: "postgres",
      status: "running",
    });
  });

  test("create answers at once with wait=false", async () => {
    control.rows.clear();
    control.instantly = false;
    const answer = await unix("/api/external-services?wait=false", "POST", body);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toMatchObject({ status: "creating", busy: true });
  });

  test("a create that fails is a problem with the reason", async () => {
    control.rows.clear();
    control.instantly = false;
    const asked = unix("/api/external-services", "POST", body);
    await expect.poll(() => control.rows.size).toBe(1);
    control.fail(1, new HowdahError("INITDB_FAILED", "initdb: invalid locale name"));
    expect(problem(await asked)).toMatchObject({ status: 502, detail: "initdb: invalid locale name" });
  });

  test("delete answers 204 without a body when the service is gone", async () => {
    control.instantly = false;
    const asked = unix("/api/external-services/1", "DELETE");
    await expect.poll(() => control.rows.get(1)?.state).toBe("deleting");
    control.gone(1);
    expect(await asked).toMatchObject({ status: 204, text: "" });
    control.set(serviceView());
    control.instantly = true;
    expect((await unix("/api/external-services/1", "DELETE")).status).toBe(204);
  });

  test("start, stop and restart answer with the service", async () => {
    expect(JSON.parse((await unix("/api/external-services/1/stop", "POST")).text).status).toBe("stopped");
    expect(JSON.parse((await unix("/api/external-services/1/start", "POST")).text).status).toBe("running");
    expect((await unix("/api/external-services/1/restart", "POST")).status).toBe(200);
  });

  test("an update takes parameters and image", async () => {
    const change = { parameters: { password: "new", port: 5432 }, docker_image: "postgres:18" };
    expect((await unix("/api/external-services/1", "PUT", change)).status).toBe(200);
    expect(control.calls.at(-1)).toEqual({ name: "update", args: [1, { password: "new", major: 18 }] });
  });

  test("types, their parameters and their looks", async () => {
    expect(JSON.parse((await unix("/api/external-services/types")).text)).toEqual(["postgres"]);
    const schema = JSON.parse((await unix("/api/external-services/types/postgres/parameters")).text);
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    expect((await unix("/api/external-services/types/redis/parameters")).status).toBe(404);
    const all = JSON.parse((await unix("/api/external-services/providers/metadata")).text);
    expect(JSON.parse((await unix("/api/external-services/providers/metadata/postgres")).text)).toEqual(all[0]);
    expect((await unix("/api/external-services/providers/metadata/redis")).status).toBe(404);
  });

  test("a name with a slash is one parameter", async () => {
    control.projects.environment = (project, name) => ({ project, name });
    const answer = await unix(`/api/projects/${encodeURIComponent("a/b")}/environment/${encodeURIComponent("ü %")}`);
    expect(JSON.parse(answer.text)).toEqual({ project: "a/b", name: "ü %" });
  });
});
