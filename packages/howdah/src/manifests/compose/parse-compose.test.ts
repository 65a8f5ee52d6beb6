import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveExpression } from "../../control/resolve.js";
import { formatDuration } from "../../kernel/durations.js";
import { LOOPBACK_ENDPOINT, REGULAR, Stack } from "../../spec/index.js";
import { parse, said, show, stackOf } from "./testing/parse.js";

const managed = (rest = "") => `services:\n  database:\n    image: postgres:18\n    x-defang-postgres: true\n${rest}`;
const environment = (...lines: string[]) => managed(`    environment:\n${lines.map((l) => `      ${l}\n`).join("")}`);
const app = (...lines: string[]) =>
  managed(`  app:\n    image: app\n    environment:\n${lines.map((l) => `      ${l}\n`).join("")}`);
const appValue = (result: ReturnType<typeof parse>, key: string) => show(stackOf(result).apps[0]?.environment[key]);
const database = (result: ReturnType<typeof parse>) => {
  const service = stackOf(result).services[0];
  if (service === undefined) throw new Error("no service");
  return service;
};

describe("x-howdah", () => {
  const vectors = (engine: string) =>
    `services:\n  database:\n    image: pgvector/pgvector:pg16\n    x-defang-postgres: true\n    x-howdah: { engine: ${engine} }\n`;

  it("chooses whose binaries make the server, and then an extension is not missed", () => {
    const result = parse(vectors("system"));
    expect(database(result).engine).toBe("system");
    expect(JSON.stringify(result.diagnostics)).not.toContain("lacks the extension");
    expect(JSON.stringify(parse(vectors("embedded")).diagnostics)).toContain("lacks the extension 'vector'");
  });

  it("refuses an engine that there is not, with its place", () => {
    const { stack, diagnostics } = parse(vectors("docker"));
    expect(stack).toBeNull();
    expect(diagnostics.find((d) => d.severity === "error")?.place).toMatchObject({ line: 5, column: 25 });
  });
});

describe("when it sleeps and how it is reached", () => {
  const howdah = (keys: string) => managed(`    x-howdah: { ${keys} }\n`);

  it("is by default what it is without x-howdah, so that a removed line has no effect any more", () => {
    const { mode, endpoint } = database(parse(managed()));
    expect({ mode, endpoint }).toEqual({ mode: REGULAR, endpoint: LOOPBACK_ENDPOINT });
    expect(database(parse(howdah("mode: , listen: , ssl: , allow: , hold: ,")))).toMatchObject({ mode, endpoint });
    expect(database(parse(howdah("engine: embedded")))).toMatchObject({ mode, endpoint });
  });

  it("reads any duration that the kernel writes, and numbers as seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 86_400_000 }), (timeoutMs) => {
        const { mode } = database(parse(howdah(`mode: { flash: { timeout: ${formatDuration(timeoutMs)} } }`)));
        expect(mode).toEqual({ kind: "flash", timeoutMs });
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600 }), (seconds) => {
        expect(database(parse(howdah(`hold: ${seconds}`))).endpoint.holdMs).toBe(seconds * 1_000);
      }),
    );
  });

  it("takes the networks of a list, of one text, and of .env alike", () => {
    const network = fc
      .tuple(fc.ipV4(), fc.option(fc.integer({ min: 0, max: 32 })))
      .map(([address, prefix]) => (prefix === null ? address : `${address}/${prefix}`));
    fc.assert(
      fc.property(fc.uniqueArray(network, { maxLength: 5 }), (allow) => {
        const text = allow.join(", ");
        const results = [
          parse(howdah(`allow: ${JSON.stringify(allow)}`)),
          parse(howdah(`allow: ${JSON.stringify(text)}`)),
          parse(howdah('allow: "${NETWORKS}"'), { dotenv: `NETWORKS=${text}` }),
        ];
        for (const result of results) expect(database(result).endpoint.allow).toEqual(allow);
      }),
    );
  });

  it("wants TLS beyond the loopback, with the place of what says otherwise", () => {
    expect(database(parse(howdah('listen: "*"'))).endpoint).toMatchObject({ listen: "0.0.0.0", ssl: null });
    expect(database(parse(howdah("listen: 127.8.9.1, ssl: off"))).endpoint.ssl).toBe("off");
    const { stack, diagnostics } = parse(howdah("listen: 192.0.2.1, ssl: off"));
    expect(stack).toBeNull();
    expect(diagnostics).toMatchObject([{ code: "needs-tls", place: { line: 5, column: 41 } }]);
  });

  it("is not opened by an address in 'ports', and says so unless x-howdah listens there", () => {
    const ports = (keys: string, address: string) =>
      said(parse(`${howdah(keys)}    ports: ["${address}:5432:5432"]\n`).diagnostics, "host-ip");
    expect(ports("", "0.0.0.0")).toEqual(["host_ip '0.0.0.0' is not served; 'database' listens on 127.0.0.1 only"]);
    expect(ports("listen: 0.0.0.0", "192.0.2.1")).toEqual([]);
    expect(ports("listen: 192.0.2.1", "127.0.0.1")).toHaveLength(1);
    expect(ports("", "127.0.0.1")).toEqual([]);
  });
});

describe("credentials of a managed service", () => {
  it.each([
    ["a null value", environment("POSTGRES_PASSWORD:")],
    ["its own name", environment("POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}")],
    ["a list without a value", environment("- POSTGRES_PASSWORD")],
    ["nothing at all", managed()],
    ["an empty text", environment('POSTGRES_PASSWORD: ""')],
  ])("takes the password from config: %s", (_, text) => {
    expect(database(parse(text)).password).toEqual([
      { kind: "config", name: "POSTGRES_PASSWORD", encode: "plain", onEmpty: false },
    ]);
  });

  it("lets .env stand in for a config that is not set", () => {
    for (const value of ["", "${POSTGRES_PASSWORD}"]) {
      const result = parse(environment(`POSTGRES_PASSWORD: ${value}`), { dotenv: "POSTGRES_PASSWORD=from-env" });
      expect(show(database(result).password ?? [])).toBe("{POSTGRES_PASSWORD|•from-env}");
    }
  });

  it("lets a config override what the file says, and calls a secret in the file one", () => {
    const result = parse(environment("POSTGRES_PASSWORD: hunter2", "POSTGRES_USER: owner", "POSTGRES_DB: shop"));
    const { password, username, database: name } = database(result);
    expect([password ?? [], username, name].map(show)).toEqual([
      "{POSTGRES_PASSWORD|•hunter2}",
      "{POSTGRES_USER|owner}",
      "{POSTGRES_DB|shop}",
    ]);
    expect(said(result.diagnostics, "secret-in-file")).toEqual([
      `service "database": environment "POSTGRES_PASSWORD" may contain sensitive information; consider using 'howdah config set POSTGRES_PASSWORD'`,
    ]);
  });

  it("names user and database 'postgres' by default, and says so where the image would not", () => {
    const plain = parse(managed());
    expect([show(database(plain).username), show(database(plain).database)]).toEqual(["postgres", "postgres"]);
    expect(said(plain.diagnostics, "database-default")).toEqual([]);
    const result = parse(environment("POSTGRES_USER: owner"));
    expect(show(database(result).database)).toBe("postgres");
    expect(said(result.diagnostics, "database-default")).toHaveLength(1);
  });

  it("reads a secret's file to its end, but for the newlines there", () => {
    const text = `${environment("POSTGRES_PASSWORD_FILE: /run/secrets/pw")}    secrets: [pw]\nsecrets: {pw: {file: ./pw.txt}}\n`;
    const result = parse(text, { files: { "/home/user/shop/pw.txt": " p@ss w\n\n" } });
    expect(show(database(result).password ?? [])).toBe("{POSTGRES_PASSWORD|• p@ss w}");
  });

  it("takes a secret of a managed service out of its mounted folder too", () => {
    const text = `${environment("POSTGRES_PASSWORD_FILE: /secrets/pw")}    volumes: ["./private:/secrets:ro"]\n`;
    const result = parse(text, { files: { "/home/user/shop/private/pw": "x" } });
    expect(show(database(result).password ?? [])).toBe("{POSTGRES_PASSWORD|•x}");
    expect(result.diagnostics).toEqual([]);
  });
});

describe("x-defang-postgres", () => {
  it.each(["", "true", '"1"', "TRUE", "{}", "{allow-downtime: false}", "${YES}"])("manages with %j", (form) => {
    const result = parse(
      `services: {a: {image: "postgres:18", x-defang-postgres: ${form === "${YES}" ? '"${YES}"' : form}}}`,
      {
        dotenv: "YES=t",
      },
    );
    expect(stackOf(result).services.map(({ name }) => name)).toEqual(["a"]);
  });

  it.each(["false", '"0"', '"F"'])("does not manage with %s", (form) => {
    const result = parse(`services: {a: {image: "postgres:18", x-defang-postgres: ${form}}}`);
    expect(stackOf(result)).toMatchObject({ services: [], apps: [{ name: "a" }] });
    expect(said(result.diagnostics, "unmanaged-database")).toEqual([]);
  });

  it.each(["[]", "1", "1.5"])("refuses %s", (form) => {
    const { stack, diagnostics } = parse(`services: {a: {image: "postgres:18", x-defang-postgres: ${form}}}`);
    expect(stack).toBeNull();
    expect(diagnostics[0]).toMatchObject({
      severity: "error",
      message: "expected parameters in managed storage definition field",
      place: { line: 1 },
    });
  });
});

describe("environment of an app", () => {
  it("percent-encodes a config in user info so that any password works", () => {
    const expression =
      stackOf(parse(app("URL: postgres://me:${PW}@database:5432/shop"))).apps[0]?.environment["URL"] ?? [];
    const properties = { host: "127.0.0.1", port: "5433", username: "", password: "", database: "", uri: "", jdbc: "" };
    const resolve = (configs: Record<string, string>) =>
      resolveExpression(expression, { config: (name) => configs[name], service: () => properties });
    const { text } = resolve({ PW: "p@ss:w/rd%?#" });
    expect(text).toBe("postgres://me:p%40ss%3Aw%2Frd%25%3F%23@127.0.0.1:5433/shop");
    expect(decodeURIComponent(new URL(text).password)).toBe("p@ss:w/rd%?#");
    expect(resolve({}).missing).toEqual(["PW"]);
    expect(resolve({ URL: "mine" })).toMatchObject({ text: "mine", missing: [] });
  });

  it("encodes what .env says in the same way", () => {
    const result = parse(app("URL: postgres://me:${PW}@database/shop"), { dotenv: "PW='p@ss:w/rd%?#'" });
    const expression = stackOf(result).apps[0]?.environment["URL"] ?? [];
    const properties = { host: "h", port: "1", username: "", password: "", database: "", uri: "", jdbc: "" };
    const { text } = resolveExpression(expression, { config: () => undefined, service: () => properties });
    expect(text).toBe("postgres://me:p%40ss%3Aw%2Frd%25%3F%23@h:1/shop");
  });

  it("takes a name that only its neighbour defines from there, .env and defaults first", () => {
    const lines = ["PG_USER: owner", "A: ${PG_USER}", "B: ${PG_USER:-me}", "C: ${OTHER}"];
    expect(appValue(parse(app(...lines)), "A")).toBe("{A|{PG_USER|owner}}");
    expect(appValue(parse(app(...lines)), "B")).toBe("{B|{PG_USER|me}}");
    expect(appValue(parse(app(...lines)), "C")).toBe("{C|{OTHER}}");
    expect(appValue(parse(app(...lines), { dotenv: "PG_USER=env" }), "A")).toBe("{A|{PG_USER|•env}}");
  });

  it("does not take a name that is no config's from config", () => {
    const result = parse(app("spring.datasource.url: jdbc:postgresql://database/x", "my-key:"));
    expect(result.stack).toBeNull();
    expect(result.diagnostics.map(({ code }) => code)).toContain("config-name");
  });

  it("warns once for each variable of the shell that it ignores", () => {
    const result = parse(app("A: ${TOKEN}", "TOKEN:", "B: ${KNOWN}"), {
      shell: { TOKEN: "s3cret", KNOWN: "s3cret", OTHER: "s3cret" },
      dotenv: "KNOWN=1",
    });
    expect(said(result.diagnostics, "shell-ignored")).toEqual([
      'environment variable "TOKEN" is ignored; add it to .env',
      'environment variable "TOKEN" is ignored; add it to .env',
    ]);
    expect(JSON.stringify(result)).not.toContain("s3cret");
  });

  it("leaves services that are not managed where they are", () => {
    const result = parse(`${app("A: redis://cache:6379", "CACHE_HOST: cache")}  cache: {image: "redis:7"}\n`);
    expect(appValue(result, "A")).toBe("{A|redis://cache:6379}");
    expect(Object.keys(stackOf(result).apps[0]?.environment ?? {})).toEqual(["A", "CACHE_HOST"]);
  });
});

describe("project name", () => {
  const name = (text: string, options: Parameters<typeof parse>[1] = {}) => parse(text, options).project;
  it("is -p, COMPOSE_PROJECT_NAME in .env, name, folder, in this order", () => {
    const dotenv = "COMPOSE_PROJECT_NAME=by-env";
    expect(name(managed())).toBe("shop");
    expect(name(`name: by-file\n${managed()}`)).toBe("by-file");
    expect(name(`name: by-file\n${managed()}`, { dotenv })).toBe("by-env");
    expect(name(`name: by-file\n${managed()}`, { dotenv, projectName: "by-option" })).toBe("by-option");
    expect(name(managed(), { folder: "/home/user/My Shop 2" })).toBe("myshop2");
    expect(name(`name: \${COMPOSE_PROJECT_NAME}-\${STAGE:-dev}\n${managed()}`)).toBe("shop-dev");
  });

  it.each([
    [`name: Upper\n${managed()}`, undefined, 1],
    [managed(), "9lives", 1],
  ])("is refused with its place", (text, projectName, line) => {
    const { stack, diagnostics } = parse(text, projectName === undefined ? {} : { projectName });
    expect(stack).toBeNull();
    expect(diagnostics[0]).toMatchObject({ code: "name-invalid", place: { line } });
  });

  it("is told although an error elsewhere leaves no stack", () => {
    expect(parse(`${managed()}include: [x]\n`)).toMatchObject({ stack: null, project: "shop" });
  });
});

it("refuses init scripts beyond the limit without reading them", () => {
  const text = `${managed()}    volumes: ["./seed.sql:/docker-entrypoint-initdb.d/seed.sql"]\n`;
  const reader = { read: () => ({ kind: "too-large", size: 10 ** 10 }) as const };
  const { stack, diagnostics } = parse(text, { reader });
  expect(stack).toBeNull();
  expect(diagnostics[0]).toMatchObject({ code: "init-too-large", place: { line: 5, column: 15 } });
});

it("merges an override as docker compose does", () => {
  const override = {
    file: "compose.override.yaml",
    text: "services:\n  database:\n    image: postgres:17\n    nonsense: 1\n",
  };
  const result = parse(managed(), { overrides: [override] });
  expect(database(result).major).toBe(17);
  expect(result.diagnostics[0]?.place).toEqual({ file: "compose.override.yaml", line: 4, column: 5 });
});

describe("any YAML", () => {
  const scalar = fc.oneof(
    fc.constantFrom<unknown>(null, true, false, 0, -1, 5432, 1.5, "", "$", "${", "${X}", "${X:-${Y}}", "database"),
    fc.constantFrom<unknown>(
      "5432:5432",
      "./a:/docker-entrypoint-initdb.d",
      "postgres:16",
      "postgres -c a=b",
      "1g",
      "x=y",
    ),
    fc.string({ maxLength: 6 }),
  );
  const keys = fc.constantFrom(
    ..."image ports environment env_file volumes secrets configs command deploy resources limits memory cpus profiles depends_on networks aliases x-defang-postgres x-howdah engine mode flash timeout listen ssl allow hold extends tmpfs target source published host_ip mode file content environment external POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE POSTGRES_INITDB_ARGS PGPORT TZ PGDATA path required".split(
      " ",
    ),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      scalar,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(keys, tie("value"), { maxKeys: 5 }),
    ),
  }));
  const service = fc.dictionary(keys, value, { maxKeys: 8 });
  const file = fc.record(
    {
      name: value,
      services: fc.oneof(
        fc.dictionary(fc.constantFrom("database", "app", "b"), fc.oneof(service, service, value)),
        value,
      ),
      secrets: value,
      configs: value,
      networks: value,
      include: fc.constantFrom(null, []),
    },
    { requiredKeys: ["services"] },
  );

  const check = (text: string, dotenv: string) => {
    const { stack, diagnostics } = parse(text, { dotenv });
    if (stack === null) expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
    else expect(Stack.parse(stack)).toEqual(stack);
    for (const { place } of diagnostics) expect(place?.line).toBeGreaterThanOrEqual(1);
  };

  it("becomes a valid stack, or errors with places", () => {
    fc.assert(
      fc.property(file, fc.constantFrom("", "X=1", "X=\nCOMPOSE_PROFILES=*"), (tree, dotenv) =>
        check(JSON.stringify(tree), dotenv),
      ),
      { numRuns: 500 },
    );
  });

  it("may have a database managed and still say anything", () => {
    fc.assert(
      fc.property(service, (map) => {
        check(JSON.stringify({ services: { database: { ...map, "x-defang-postgres": true }, app: map } }), "X=1");
      }),
      { numRuns: 500 },
    );
  });

  it("may be no YAML at all", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => check(text, text)));
    fc.assert(fc.property(fc.stringMatching(/^[a{}[\]:\-&*?!|>'"#,\n ]*$/), (text) => check(text, "")));
  });
});
