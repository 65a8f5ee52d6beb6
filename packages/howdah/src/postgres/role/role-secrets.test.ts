import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import { connectAdmin, startServer } from "../server/index.js";
import { makeVerifier, readRoleSecret, readRoleSecrets } from "./index.js";

let home: TestHome;
let admin: pg.Client;
beforeAll(async () => {
  home = await TestHome.make();
  const spec = await home.server({ fsync: "off" });
  await startServer(spec, { log: silent });
  admin = await connectAdmin(spec);
}, 60_000);
afterAll(async () => {
  await admin.end();
  await home[Symbol.asyncDispose]();
});

describe("the secrets of roles", () => {
  it("are what pg_authid says, for each that a client may name", async () => {
    const verifier = makeVerifier("secret");
    await admin.query(`CREATE ROLE app LOGIN PASSWORD '${verifier}'`);
    await admin.query("CREATE ROLE \"We'ird ä\" LOGIN VALID UNTIL '2031-02-03 04:05:06.789+00'");
    await admin.query("CREATE ROLE grp NOLOGIN VALID UNTIL 'infinity'");
    await admin.query("CREATE ROLE never LOGIN VALID UNTIL '-infinity'");
    await admin.query(`CREATE ROLE old LOGIN PASSWORD 'md5${"0".repeat(32)}'`);
    const app = { role: "app", verifier, canLogin: true, validUntil: null };
    const weird = { role: "We'ird ä", verifier: null, canLogin: true, validUntil: Date.UTC(2031, 1, 3, 4, 5, 6, 789) };
    expect(await readRoleSecret(admin, "app")).toEqual(app);
    expect(await readRoleSecret(admin, "We'ird ä")).toEqual(weird);
    expect(await readRoleSecrets(admin)).toEqual([
      weird,
      app,
      { role: "grp", verifier: null, canLogin: false, validUntil: null },
      { role: "never", verifier: null, canLogin: true, validUntil: -8_640_000_000_000_000 },
      { role: "old", verifier: `md5${"0".repeat(32)}`, canLogin: true, validUntil: null },
    ]);
  });

  it("are as they are this moment", async () => {
    await admin.query("CREATE ROLE changing LOGIN");
    expect(await readRoleSecret(admin, "changing")).toMatchObject({ verifier: null, canLogin: true });
    await admin.query("ALTER ROLE changing NOLOGIN");
    expect(await readRoleSecret(admin, "changing")).toMatchObject({ canLogin: false });
    await admin.query("DROP ROLE changing");
    expect(await readRoleSecret(admin, "changing")).toBeNull();
  });

  it("are never those of the platform's role, whatever it is called, nor of PostgreSQL's own roles", async () => {
    for (const role of ["howdah_admin", "pg_monitor", "nobody", "", "\0", "\ud800"]) {
      expect(await readRoleSecret(admin, role)).toBeNull();
    }
    await admin.query("CREATE ROLE other SUPERUSER");
    await admin.query("SET SESSION AUTHORIZATION other");
    await admin.query("ALTER ROLE howdah_admin RENAME TO renamed");
    try {
      expect(await readRoleSecret(admin, "renamed")).toBeNull();
      expect((await readRoleSecrets(admin)).map((secret) => secret.role)).not.toContain("renamed");
    } finally {
      await admin.query("ALTER ROLE renamed RENAME TO howdah_admin");
      await admin.query("RESET SESSION AUTHORIZATION");
    }
  });

  it("cut a name as PostgreSQL cuts that of a startup packet", async () => {
    await admin.query(`CREATE ROLE ${"x".repeat(63)} LOGIN`);
    expect(await readRoleSecret(admin, "x".repeat(70))).toMatchObject({ role: "x".repeat(63) });
  });
});
