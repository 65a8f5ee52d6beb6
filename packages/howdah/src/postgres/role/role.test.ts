import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRoot, silent, TestHome } from "../../../test/support/server.js";
import { minimalEnvironment } from "../../kernel/environment.js";
import { processesNamed } from "../../runtime/index.js";
import { connectAdmin, connectUser, startServer, stopServer } from "../server/index.js";
import { SOCKET_PORT } from "../settings/index.js";
import type { ServerSpec } from "../types.js";
import {
  adminWorks,
  healAdmin,
  ident,
  literal,
  makeVerifier,
  passwordWorks,
  provision,
  verifierMatches,
} from "./index.js";
import { saslprep } from "./saslprep.js";

let home: TestHome;
let spec: ServerSpec;
let admin: pg.Client;
beforeAll(async () => {
  home = await TestHome.make();
  spec = await home.server({
    fsync: "off",
    log_statement: "all",
    log_min_duration_statement: "0",
    shared_preload_libraries: "pg_stat_statements",
  });
  await startServer(spec, { log: silent });
  admin = await connectAdmin(spec);
});
afterAll(async () => {
  await admin.end();
  await home[Symbol.asyncDispose]();
});

/** Node sends the halves of a broken pair as U+FFFD. */
const isWellFormed = (t: string) => !/\p{Surrogate}/u.test(t);

async function sql(...statements: string[]): Promise<void> {
  const client = await connectAdmin(spec);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

describe("verifiers", () => {
  it("are those of RFC 7677's and PostgreSQL's own making", async () => {
    // Salt and keys as PostgreSQL prints them for this password.
    await admin.query("CREATE ROLE plain PASSWORD 'pencil'");
    const { rows } = await admin.query("SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'plain'");
    const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(rows[0].v) ?? [];
    expect(makeVerifier("pencil", Buffer.from(salt ?? "", "base64"), Number(iterations))).toBe(rows[0].v);
  });

  it("match what the server makes of any password", async () => {
    // Characters for which SASLprep has a rule, besides all others.
    const special = fc.constantFrom(
      ..."aß \u00a0\u00ad\u200b\u2003\u3000ﬁ①Å\u212bÅ\u0301אب\u0660\u0221😀𝒳\ufeff\u0007\u0340\ue000½ǅ",
    );
    const password = fc
      .oneof(fc.string({ unit: special, minLength: 1, maxLength: 6 }), fc.string({ unit: "binary", minLength: 1 }))
      .filter((p) => !p.includes("\0") && isWellFormed(p));
    await admin.query("CREATE ROLE any_password");
    await fc.assert(
      fc.asyncProperty(password, async (p) => {
        await admin.query(`ALTER ROLE any_password PASSWORD ${literal(p)}`);
        const { rows } = await admin.query("SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'any_password'");
        expect(verifierMatches(rows[0].v, p)).toBe(true);
        expect(verifierMatches(rows[0].v, `${p}x`)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it("are not calculated for as long as somebody wrote into pg_authid", { timeout: 10_000 }, () => {
    for (const iterations of ["2147483647", "99999999999", "0"]) {
      expect(verifierMatches(makeVerifier("x").replace("4096", iterations), "x")).toBe(false);
    }
  });

  it("match nothing but verifiers", () => {
    for (const text of ["", "md5abc", "SCRAM-SHA-256$x", "SCRAM-SHA-256$4096:!$a:b"]) {
      expect(verifierMatches(text, "x")).toBe(false);
    }
  });
});

describe("saslprep", () => {
  it.each([
    ["plain ascii \u0007", "plain ascii \u0007"],
    ["I\u00adX", "IX"],
    ["ª", "a"],
    ["Ⅸ", "IX"],
    ["nb\u00a0space", "nb space"],
    // Refused by SASLprep, so taken as they are.
    ["\u00a0\u0007", "\u00a0\u0007"],
    ["ª😀", "ª😀"],
    ["\u0627\u0031", "\u0627\u0031"],
    ["\u00ad", "\u00ad"],
  ])("prepares %j", (given, prepared) => {
    expect(saslprep(given)).toBe(prepared);
  });
});

describe("quoting", () => {
  const text = fc
    .oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "\n", "$", ";", "-", "E", " "), maxLength: 40 }),
    )
    .filter((t) => !t.includes("\0") && isWellFormed(t));

  it("makes literals that mean the text, whatever standard_conforming_strings is", async () => {
    for (const mode of ["on", "off"]) {
      const client = await connectAdmin(spec);
      await client.query(`SET standard_conforming_strings = ${mode}; SET escape_string_warning = off`);
      await fc.assert(
        fc.asyncProperty(text, async (t) => {
          const { rows } = await client.query(`SELECT${literal(t)} AS t, quote_literal($1) AS q`, [t]);
          expect(rows[0].t).toBe(t);
          expect(literal(t).trim()).toBe(rows[0].q.trim());
        }),
      );
      await client.end();
    }
  });

  it("makes identifiers that name the text, as quote_ident does where it quotes", async () => {
    const name = text.filter((t) => t !== "" && Buffer.byteLength(t) <= 63);
    await fc.assert(
      fc.asyncProperty(name, async (n) => {
        const { fields } = await admin.query(`SELECT 1 AS ${ident(n)}`);
        expect(fields[0]?.name).toBe(n);
        const { rows } = await admin.query("SELECT quote_ident($1) AS q", [n]);
        expect([n, ident(n)]).toContain(rows[0].q);
      }),
    );
  });

  it("refuses what PostgreSQL cannot hold", () => {
    expect(() => ident("a\0b")).toThrow("NUL");
    expect(() => literal("a\0b")).toThrow("NUL");
  });
});

describe("provision", () => {
  it.each([
    "simple",
    "p@ss:w/rd%?#",
    " leading and trailing ",
    'it\'s \\ "quoted" $$',
    "pässwörd ① ﬁ",
    "пароль 密码 😀",
    "x".repeat(1000),
  ])("makes a login with the password %j", async (password) => {
    await provision(spec, { username: "u ser", database: "d'b", password });
    expect(await passwordWorks(spec, { username: "u ser", database: "d'b", password })).toBe(true);
    expect(await passwordWorks(spec, { username: "u ser", database: "d'b", password: `${password}!` })).toBe(false);
  });

  it("lets libpq in as well", async ({ skip }) => {
    const psql = promisify(execFile);
    const password = "ª\u00a0ﬁ p@ss:w/rd%?#";
    await provision(spec, { username: "tcp", database: "tcp", password });
    const env = { ...minimalEnvironment(), PGPASSWORD: password };
    try {
      const { stdout } = await psql(
        "psql",
        ["-XAt", "-h", spec.paths.socket, "-p", `${SOCKET_PORT}`, "-U", "tcp", "-c", "SELECT 1"],
        { env },
      );
      expect(stdout).toBe("1\n");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      skip("this machine has no psql");
    }
  });

  it("gives a superuser who owns the database, changes only what differs, and replaces a password", async () => {
    const wish = { username: "owner", database: "owned", password: "one" };
    const state = async () => {
      const query = `SELECT rolsuper, rolpassword, pg_get_userbyid(datdba) AS owner
        FROM pg_authid, pg_database WHERE rolname = 'owner' AND datname = 'owned'`;
      return (await admin.query(query)).rows[0];
    };
    await provision(spec, wish);
    const first = await state();
    expect(first).toMatchObject({ rolsuper: true, owner: "owner" });
    await provision(spec, wish);
    expect(await state()).toEqual(first);
    await provision(spec, { ...wish, password: "two" });
    expect(await passwordWorks(spec, wish)).toBe(false);
    expect(await passwordWorks(spec, { ...wish, password: "two" })).toBe(true);
    await sql("ALTER ROLE owner NOSUPERUSER NOLOGIN", "ALTER DATABASE owned OWNER TO howdah_admin");
    await provision(spec, wish);
    expect(await state()).toMatchObject({ rolsuper: true, owner: "owner" });
  });

  it("gives the database postgres to the role when it is the chosen one", async () => {
    await provision(spec, { username: "postgres", database: "postgres", password: "x" });
    const { rows } = await admin.query(
      "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'postgres'",
    );
    expect(rows[0].owner).toBe("postgres");
  });

  it("makes the database although somebody is using the template for a moment", async () => {
    const guest = await connectAdmin(spec, "template1");
    setTimeout(() => void guest.end(), 100);
    await provision(spec, { username: "patient", database: "patient", password: "x" });
    expect(await passwordWorks(spec, { username: "patient", database: "patient", password: "x" })).toBe(true);
  });

  it("works when users set unkind defaults for everybody", async () => {
    await sql(
      "ALTER SYSTEM SET default_transaction_read_only = on",
      "ALTER SYSTEM SET statement_timeout = 1",
      "ALTER SYSTEM SET session_preload_libraries = 'nonexistent'",
      "SELECT pg_reload_conf()",
    );
    await expect
      .poll(() => passwordWorks(spec, { username: "tcp", database: "tcp", password: "x" }).catch(() => "no"))
      .toBe(false);
    try {
      await provision(spec, { username: "unkind", database: "unkind", password: "x" });
    } finally {
      await sql("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()");
    }
  });

  it("refuses names that are not to be had", async () => {
    const wish = { username: "x", database: "x", password: "x" };
    await expect(provision(spec, { ...wish, username: "howdah_admin" })).rejects.toMatchObject({
      code: "NAME_INVALID",
    });
    await expect(provision(spec, { ...wish, username: "pg_mine" })).rejects.toMatchObject({ code: "NAME_INVALID" });
    await expect(provision(spec, { ...wish, database: "é".repeat(32) })).rejects.toMatchObject({
      code: "NAME_INVALID",
    });
  });

  it("writes neither passwords nor verifiers into the log, however much is logged", async () => {
    await sql("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()");
    const password = "never-to-be-logged-4711";
    await provision(spec, { username: "quiet", database: "quiet", password });
    const { rows } = await admin.query("SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'quiet'");
    const user = await connectUser(spec, { username: "quiet", password, database: "quiet" });
    await user.query("SELECT 'this is logged'");
    await user.end();
    const log = () =>
      readdirSync(spec.paths.log)
        .map((name) => readFileSync(join(spec.paths.log, name), "utf8"))
        .join("");
    await expect.poll(log).toContain("this is logged");
    expect(log()).not.toContain(password);
    expect(log()).not.toContain(rows[0].v);
  });

  it("leaves no verifier among the statements that monitors may read", async () => {
    await sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    await provision(spec, { username: "counted", database: "counted", password: "one" });
    await provision(spec, { username: "counted", database: "counted", password: "two" });
    const { rows } = await admin.query("SELECT query FROM pg_stat_statements WHERE query LIKE '%SCRAM-%'");
    expect(rows).toEqual([]);
  });
});

describe("healing the platform's role", () => {
  beforeEach(async () => {
    await startServer(spec, { log: silent });
  });

  it("leaves a server alone whose role works", async () => {
    const { postmaster } = await startServer(spec, { log: silent });
    expect(await healAdmin(spec, silent)).toBe(false);
    expect((await startServer(spec, { log: silent })).postmaster).toEqual(postmaster);
  });

  it.each([
    ["NOLOGIN", ["ALTER ROLE howdah_admin NOLOGIN"]],
    ["another name", ["ALTER ROLE howdah_admin RENAME TO somebody"]],
    [
      "another name, and its own taken",
      ["ALTER ROLE howdah_admin RENAME TO somebody_else", "CREATE ROLE howdah_admin NOLOGIN"],
    ],
    ["a database that is closed", ["ALTER DATABASE postgres ALLOW_CONNECTIONS false"]],
    ["a database that is gone", ["DROP DATABASE postgres"]],
    ["no power", ["UPDATE pg_authid SET rolsuper = false, rolconnlimit = 0 WHERE oid = 10"]],
  ])("puts right %s", async (_, statements) => {
    // As a user would: through a role and database of the user's own.
    await provision(spec, { username: "breaker", database: "breaker", password: "x" });
    const breaker = await connectUser(spec, { username: "breaker", password: "x", database: "breaker" });
    await breaker.query("CREATE TABLE IF NOT EXISTS kept (n int)");
    await breaker.query("INSERT INTO kept VALUES (1)");
    for (const statement of statements) await breaker.query(statement);
    await breaker.end();
    expect(await adminWorks(spec)).toBe(false);

    expect(await healAdmin(spec, silent)).toBe(true);
    await startServer(spec, { log: silent });
    expect(await adminWorks(spec)).toBe(true);
    const again = await connectUser(spec, { username: "breaker", password: "x", database: "breaker" });
    expect((await again.query("SELECT n FROM kept")).rows.length).toBeGreaterThan(0);
    await again.end();
  });

  it("gives what a superuser left for single-user mode neither the account's other work nor a life after it", async ({
    skip,
  }) => {
    skip(!isRoot, "as an ordinary user no account is lent");
    // Runs as whoever starts the server: here as the account that also makes clusters for other services.
    const others = join(home.layout.pool, ".make.other");
    mkdirSync(others, { mode: 0o755 });
    const command = `ls -a ${others} > seen.txt 2>&1; (setsid sleep 4712 >/dev/null 2>&1 &); false`;
    await sql(
      `ALTER SYSTEM SET restore_command = '${command}'`,
      "COPY (SELECT) TO PROGRAM 'touch recovery.signal'",
      "ALTER ROLE howdah_admin NOLOGIN",
    );
    const sleepers = () => processesNamed("sleep").filter(({ cwd }) => cwd === spec.paths.data);
    await expect(healAdmin(spec, silent)).rejects.toMatchObject({ code: "SQL_FAILED" });
    expect(readFileSync(join(spec.paths.data, "seen.txt"), "utf8")).toMatch(/Permission denied/);
    expect(sleepers()).toEqual([]);
    // Without it, it is healed.
    rmSync(join(spec.paths.data, "recovery.signal"));
    rmSync(others, { recursive: true });
    await startServer(spec, { log: silent });
    expect(await healAdmin(spec, silent)).toBe(true);
    await startServer(spec, { log: silent });
    await sql("ALTER SYSTEM RESET restore_command");
  });

  it("is not begun for a server that does not run", async () => {
    await stopServer(spec, { mode: "fast", timeoutMs: 30_000, log: silent });
    await expect(healAdmin(spec, silent)).rejects.toMatchObject({ code: "SQL_FAILED" });
  });
});
