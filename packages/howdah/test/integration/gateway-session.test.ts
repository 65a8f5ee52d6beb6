/** The gateway's sessions between real clients and a real PostgreSQL: logins, refusals, cancels, encryption. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../../src/gateway/certificates/index.js";
import { cancelRequest, startupMessage } from "../../src/gateway/protocol/index.js";
import { Front, SERVICE } from "../../src/gateway/session/testing/front.js";
import { Wire } from "../../src/gateway/session/testing/wire.js";
import { connectAdmin, startServer } from "../../src/postgres/index.js";
import type { ServerSpec } from "../../src/postgres/types.js";
import type { RoleSecret } from "../../src/spec/index.js";
import { until } from "../support/installation.js";
import { silent, TestHome } from "../support/server.js";

const PSQL = "/usr/bin/psql";
const run = promisify(execFile);

let home: TestHome;
let spec: ServerSpec;
let admin: pg.Client;
let front: Front;
let certificates: { ca: string; cert: string; key: string };

async function verifier(role: string): Promise<RoleSecret | null> {
  const { rows } = await admin.query(
    `SELECT rolname AS role, rolpassword AS verifier, rolcanlogin AS "canLogin",
            (extract(epoch from rolvaliduntil) * 1000)::float8 AS "validUntil"
     FROM pg_authid WHERE rolname = $1`,
    [role],
  );
  return rows[0] ?? null;
}

beforeAll(async () => {
  home = await TestHome.make();
  spec = await home.server({ fsync: "off", max_connections: "20", superuser_reserved_connections: "2" });
  await startServer(spec, { log: silent });
  admin = await connectAdmin(spec);
  await admin.query(`
    CREATE ROLE app LOGIN PASSWORD 'right';
    CREATE ROLE outside NOLOGIN PASSWORD 'right';
    CREATE ROLE expired LOGIN PASSWORD 'right' VALID UNTIL '2001-01-01';
    CREATE ROLE lasting LOGIN PASSWORD 'right' VALID UNTIL '2101-01-01';
    CREATE ROLE "no password" LOGIN;
    SET password_encryption = 'md5';
    CREATE ROLE old LOGIN PASSWORD 'right';
    RESET password_encryption;`);
  const authority = await createAuthority("a test");
  const issued = await issueCertificate(authority, { names: ["localhost", "127.0.0.1"], days: 2 });
  certificates = { ca: authority.cert, cert: issued.cert, key: issued.key };
});
afterAll(async () => {
  await admin.end();
  await home[Symbol.asyncDispose]();
});
beforeEach(async () => {
  const socketPath = join(spec.paths.socket, ".s.PGSQL.5432");
  front = await Front.open({ endpoint: { socketPath }, verifier });
});
afterEach(() => front[Symbol.asyncDispose]());

const wrongPassword = (role: string) => ({
  code: "28P01",
  message: `password authentication failed for user "${role}"`,
  hint: "",
  detail: "",
});

describe("a login", () => {
  it("works, and is seen", async () => {
    const client = front.client({ application_name: "a\ttest" });
    await client.connect();
    expect((await client.query("SELECT current_user AS who")).rows).toEqual([{ who: "app" }]);
    const { rows } = await client.query("SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name");
    const [info] = front.sessions.list(SERVICE);
    expect(info).toMatchObject({
      pid: rows[0].pid,
      role: "app",
      database: "postgres",
      application: "a?test",
      state: "connected",
      tls: false,
    });
    expect(info?.client).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(front.sessions.byService).toEqual([{ service: SERVICE, count: 1 }]);
    expect(front.activity).toEqual([1]);
    expect(front.sessions.stats()).toMatchObject({ accepted: 1, loggedIn: 1, unauthenticated: 0 });
    await client.end();
    await front.sessions.drained;
    expect(front.activity).toEqual([1, 0]);
    expect(front.sessions.list(null)).toEqual([]);
    expect(front.sessions.stats().bytesToClients).toBeGreaterThan(100);
    expect(front.wakes).toEqual([]);
  });

  it("sees a password changed by SQL at the next one", async () => {
    await admin.query("CREATE ROLE changing LOGIN PASSWORD 'first'");
    expect(await front.ask({ user: "changing", password: "first" })).toBe(1);
    await admin.query("ALTER ROLE changing PASSWORD 'second'");
    expect(await front.ask({ user: "changing", password: "second" })).toBe(1);
    expect((await front.refusal({ user: "changing", password: "first" })).code).toBe("28P01");
  });

  it("carries startup parameters and large results", async () => {
    const sql = "SELECT current_setting('work_mem') || length(repeat('x', 30000000))::text AS answer";
    expect(await front.ask({ options: "-c work_mem=7MB" }, sql)).toBe("7MB30000000");
    expect(await front.ask({}, "SELECT length(repeat('x', 5000000)) AS answer")).toBe(5_000_000);
    const client = front.client();
    await client.connect();
    const text = "y".repeat(3_000_000);
    expect((await client.query("SELECT $1::text AS answer", [text])).rows[0].answer).toBe(text);
    await client.end();
  });

  it("fails alike for a wrong password and for roles that are not there or have none", async () => {
    expect(await front.refusal({ password: "wrong" })).toEqual(wrongPassword("app"));
    expect(await front.refusal({ user: "nobody" })).toEqual(wrongPassword("nobody"));
    expect(await front.refusal({ user: "no password" })).toEqual(wrongPassword("no password"));
    expect(await front.refusal({ user: "expired" })).toEqual(wrongPassword("expired"));
    expect(await front.refusal({ user: "outside", password: "wrong" })).toEqual(wrongPassword("outside"));
    expect(await front.ask({ user: "lasting" })).toBe(1);
    expect(front.refusals.map(({ reason }) => reason)).toEqual(Array.from({ length: 5 }, () => "password"));
    expect(front.refusals[1]).toEqual({ service: SERVICE, reason: "password", client: "127.0.0.1", role: "nobody" });
    expect(front.activity).toEqual([1, 0]);
  });

  it("is refused to Howdah's own superuser, even if somebody has given it a password", async () => {
    await admin.query("ALTER ROLE howdah_admin PASSWORD 'right'");
    expect(await front.refusal({ user: "howdah_admin" })).toEqual(wrongPassword("howdah_admin"));
    await admin.query("ALTER ROLE howdah_admin PASSWORD NULL");
  });

  it("tells a role that may not log in so, after the right password", async () => {
    expect(await front.refusal({ user: "outside" })).toMatchObject({
      code: "28000",
      message: 'role "outside" is not permitted to log in',
    });
  });

  it("tells a role with an md5 password what to do, after the right password only", async () => {
    expect(await front.refusal({ user: "old", password: "wrong" })).toEqual(wrongPassword("old"));
    const refusal = await front.refusal({ user: "old" });
    expect(refusal).toMatchObject({ code: "28P01", message: wrongPassword("old").message });
    expect(refusal.hint).toContain(`SET password_encryption = 'scram-sha-256'; ALTER ROLE "old" PASSWORD`);
  });

  it("passes on what the server refuses, in its own words", async () => {
    expect(await front.refusal({ database: "nowhere" })).toMatchObject({
      code: "3D000",
      message: 'database "nowhere" does not exist',
    });
    expect(await front.refusal({ options: "-c no_such_thing=1" })).toMatchObject({ code: "42704" });
    expect(front.sessions.close(SERVICE, { unlessBusy: true })).toBe(0);
  });

  it("with a secret that is out of date is left to the server", async () => {
    await admin.query("CREATE ROLE stale LOGIN PASSWORD 'right'");
    const secret = await verifier("stale");
    await admin.query("ALTER ROLE stale PASSWORD 'another'");
    front.verifier = async () => secret;
    expect(await front.refusal({ user: "stale" })).toMatchObject(wrongPassword("stale"));
  });

  it("is possible with the last known secret while control is away", async () => {
    expect(await front.ask()).toBe(1);
    front.verifier = async () => {
      throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
    };
    expect(await front.ask()).toBe(1);
    expect(await front.refusal({ password: "wrong" })).toEqual(wrongPassword("app"));
  });

  it("is answered with 57P03 when control stays away", async () => {
    front.endpoint = { ...front.endpoint, holdMs: 300 };
    front.verifier = async () => {
      throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
    };
    expect(await front.refusal()).toMatchObject({ code: "57P03" });
  });
});

describe("a request to cancel", () => {
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const sleeping = () => front.ask({}, "SELECT pg_sleep(60) AS answer");
  const sessionOf = async () => {
    for (;;) {
      const { rows } = await admin.query(
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'",
      );
      if (rows.length === 1) return rows[0].pid as number;
      await delay(5);
    }
  };

  it("reaches the session's server", async () => {
    const client = front.client();
    await client.connect();
    const query = client.query("SELECT pg_sleep(60)");
    query.catch(() => undefined);
    await sessionOf();
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    using wire = await Wire.to(front.port);
    wire.send(cancelRequest(processID, int32(secretKey)));
    await expect(query).rejects.toMatchObject({ code: "57014" });
    expect(await wire.rest()).toEqual(Buffer.alloc(0));
    expect(front.sessions.stats().cancels).toBe(1);
    await client.end();
  });

  it("carries the long secrets of protocol 3.2", async () => {
    using session = await Wire.to(front.port);
    session.send(startupMessage(new Map(Object.entries({ user: "app", database: "postgres" })), 2));
    expect(await session.prove("right")).toBe("R");
    const next = async (wanted: string) => {
      for (;;) {
        const message = await session.message();
        if (message === null || message.type === wanted) return message?.body ?? Buffer.alloc(0);
      }
    };
    const key = await next("K");
    expect(key).toHaveLength(36);
    await next("Z");
    session.send(Buffer.concat([Buffer.from("Q"), int32(24), Buffer.from("SELECT pg_sleep(60)\0")]));
    await sessionOf();
    using wire = await Wire.to(front.port);
    const secret = Buffer.from(key.subarray(4));
    secret[31] = (secret[31] ?? 0) ^ 1;
    wire.send(cancelRequest(key.readInt32BE(0), secret));
    await wire.rest();
    expect(front.sessions.stats().cancels).toBe(0);
    using right = await Wire.to(front.port);
    right.send(cancelRequest(key.readInt32BE(0), key.subarray(4)));
    await right.rest();
    expect((await next("E")).toString()).toContain("57014");
    expect(front.sessions.stats().cancels).toBe(1);
  });

  it("with a wrong secret does nothing and gets no answer", async () => {
    const query = sleeping();
    query.catch(() => undefined);
    const pid = await sessionOf();
    using wire = await Wire.to(front.port);
    wire.send(cancelRequest(pid, int32(12_345)));
    expect(await wire.rest()).toEqual(Buffer.alloc(0));
    expect(front.sessions.stats().cancels).toBe(0);
    expect(await sessionOf()).toBe(pid);
    await admin.query("SELECT pg_cancel_backend($1)", [pid]);
    await expect(query).rejects.toMatchObject({ code: "57014" });
  });

  it("wakes nobody", async () => {
    front.sessions.setOpen(SERVICE, false);
    using wire = await Wire.to(front.port);
    wire.send(cancelRequest(1, int32(1)));
    expect(await wire.rest()).toEqual(Buffer.alloc(0));
    expect(front.wakes).toEqual([]);
  });
});

describe("two thousand silent strangers", () => {
  it("hinder nobody", async () => {
    const strangers = await Promise.all(Array.from({ length: 2_000 }, () => Wire.to(front.port)));
    while (front.sessions.stats().unauthenticated < strangers.length) await delay(5);
    expect(await Promise.all(Array.from({ length: 30 }, () => front.ask()))).toHaveLength(30);
    expect(front.refusals).toEqual([]);
    for (const stranger of strangers) stranger.socket.destroy();
    await front.sessions.drained;
    expect(front.sessions.stats()).toMatchObject({ unauthenticated: 0, loggedIn: 30 });
  });
});

describe("encryption", () => {
  const encrypted = () => ({ ssl: { ca: certificates.ca, servername: "localhost" } });

  it("is given where there is a certificate and refused where there is none", async () => {
    await expect(front.ask(encrypted())).rejects.toThrow("The server does not support SSL connections");
    front.sessions.setTls(certificates);
    const client = front.client(encrypted());
    await client.connect();
    expect(front.sessions.list(SERVICE)).toMatchObject([{ tls: true, state: "connected" }]);
    const text = "z".repeat(3_000_000);
    expect((await client.query("SELECT $1::text AS answer", [text])).rows[0].answer).toBe(text);
    await client.end();
    front.endpoint = { ...front.endpoint, ssl: "off" };
    await expect(front.ask(encrypted())).rejects.toThrow("The server does not support SSL connections");
  });

  it("is demanded where it is required, with a hint", async () => {
    front.sessions.setTls(certificates);
    front.endpoint = { ...front.endpoint, ssl: "require" };
    const refusal = await front.refusal();
    expect(refusal).toMatchObject({ code: "28000", message: "this service takes encrypted connections only" });
    expect(refusal.hint).toContain("sslmode=require");
    expect(front.asked).toEqual([]);
    expect(await front.ask(encrypted())).toBe(1);
  });

  it("lets go at once of a client that does not like the certificate and leaves", async () => {
    front.sessions.setTls(certificates);
    await expect(front.ask({ ssl: { servername: "localhost" } })).rejects.toThrow(/certificate/);
    await until("the client is gone", () => front.sessions.stats().unauthenticated === 0);
    expect(front.refusals.map(({ reason }) => reason)).toEqual(["tls"]);
  });

  it("binds the login to the certificate", async () => {
    front.sessions.setTls(certificates);
    expect(await front.ask({ ...encrypted(), enableChannelBinding: true } as pg.ClientConfig)).toBe(1);
  });

  it("may begin at once, when the client names the protocol", async () => {
    front.sessions.setTls(certificates);
    const options = { host: "127.0.0.1", port: front.port, ca: certificates.ca, servername: "localhost" };
    using wire = new Wire(connectTls({ ...options, ALPNProtocols: ["postgresql"] }));
    wire.send(startupMessage(new Map([["user", "app"]]), 2));
    expect((await wire.message())?.body.subarray(4).toString()).toBe("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    using nameless = new Wire(connectTls(options));
    nameless.send(startupMessage(new Map([["user", "app"]]), 2));
    expect(await nameless.rest()).toEqual(Buffer.alloc(0));
    using other = new Wire(connectTls({ ...options, ALPNProtocols: ["http/1.1"] }));
    expect(await other.rest()).toEqual(Buffer.alloc(0));
    expect(front.refusals.map(({ reason }) => reason)).toEqual(["tls", "tls"]);
  });
});

if (!existsSync(PSQL)) console.warn(`SKIPPED: sessions of psql: there is no ${PSQL}`);
describe.skipIf(!existsSync(PSQL))("psql", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-psql-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const psql = async (parameters: string, sql = "SELECT 'yes'", password = "right") => {
    const target = `host=127.0.0.1 port=${front.port} user=app dbname=postgres ${parameters}`;
    const env = { PGPASSWORD: password, LC_ALL: "C.UTF-8", PATH: "/usr/bin:/bin" };
    const { stdout } = await run(PSQL, ["-XAtc", sql, target], { env });
    return stdout.trim();
  };

  it("logs in, in clear and encrypted and with the certificate bound", async () => {
    expect(await psql("sslmode=disable")).toBe("yes");
    expect(await psql("sslmode=prefer")).toBe("yes");
    front.sessions.setTls(certificates);
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, certificates.ca);
    expect(await psql(`sslmode=verify-full sslrootcert=${ca} channel_binding=require`)).toBe("yes");
    await expect(psql("sslmode=disable channel_binding=require")).rejects.toThrow("channel binding required");
  });

  it("shows our errors with their hints", async () => {
    front.endpoint = { ...front.endpoint, ssl: "require" };
    await expect(psql("sslmode=prefer")).rejects.toThrow(/encrypted connections only\s+HINT: {2}Connect with/);
    front.endpoint = { ...front.endpoint, ssl: "allow", allow: ["10.0.0.0/8"] };
    await expect(psql("sslmode=prefer")).rejects.toThrow("connections from 127.0.0.1 are not allowed");
    front.endpoint = { ...front.endpoint, allow: ["10.0.0.0/8", "127.0.0.1"] };
    expect(await psql("sslmode=prefer")).toBe("yes");
    await expect(psql("sslmode=prefer", "SELECT 1", "wrong")).rejects.toThrow("password authentication failed");
  });
});
