import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyCheckout, ordinaryUser } from "../support/checkout.js";
import { Installation, listProcesses, query, until } from "../support/installation.js";

const isRoot = process.getuid?.() === 0;
const MAJORS = [15, 16, 17, 18];
const TAGS: Record<number, string> = {
  15: "postgres:15",
  16: "postgres:16.3-bookworm",
  17: "postgres:17-alpine",
  18: "postgres",
};
const COMPOSE = `services:\n${MAJORS.map(
  (major) =>
    `  pg${major}:\n    image: ${TAGS[major]}\n    x-defang-postgres: true\n    environment: { POSTGRES_PASSWORD: pw${major} }\n`,
).join("")}`;

async function allMajors(howdah: Installation, project: string): Promise<void> {
  mkdirSync(project, { recursive: true });
  chmodSync(project, 0o755);
  writeFileSync(join(project, "compose.yaml"), COMPOSE);
  await howdah.ok(["up", "--timeout", "300s"], { cwd: project });
  for (const major of MAJORS) {
    const url = await howdah.url(`pg${major}`, { cwd: project });
    const [row] = await query(
      url,
      "select current_setting('server_version_num')::int / 10000 as major, current_setting('data_checksums') as sums",
    );
    expect(row).toEqual({ major, sums: "on" });
    const [locale] = await query(
      url,
      "select pg_encoding_to_char(encoding) as encoding, datcollate from pg_database where datname = 'postgres'",
    );
    expect(locale.encoding).toBe("UTF8");
    expect(locale.datcollate).toMatch(/^C\.UTF-?8$/i);
  }
}

function uidsOfPostgres(howdah: Installation): number[] {
  return listProcesses()
    .filter((p) => p.cwd.startsWith(join(howdah.home, "services")))
    .map((p) => Number(execFileSync("stat", ["-c", "%u", `/proc/${p.pid}`], { encoding: "utf8" })));
}

describe("majors 15 to 18 side by side", () => {
  it(`as ${isRoot ? "root: every service under a uid of its own" : "the user that runs the tests"}`, async () => {
    await using howdah = new Installation();
    await allMajors(howdah, join(howdah.folder, "project"));
    if (!isRoot) return;
    const uids = uidsOfPostgres(howdah);
    expect(new Set(uids).size).toBe(MAJORS.length);
    expect(Math.min(...uids)).toBeGreaterThanOrEqual(70_000);
  });

  const user = isRoot ? ordinaryUser() : undefined;
  it.skipIf(user === undefined)(
    "as an ordinary user (needs root and the user 'howdahtest', which .ci/run makes)",
    async () => {
      if (user === undefined) return;
      // Beside services of root's, whose processes and claims are closed to others.
      await using roots = new Installation();
      await roots.ok(["services", "create", "-t", "postgres", "-n", "roots", "-y"]);
      await using checkout = new Installation();
      const program = copyCheckout(join(checkout.folder, "checkout"), 0o755);
      await using howdah = new Installation({ user, program });
      chownSync(howdah.folder, user.uid, user.gid);
      await allMajors(howdah, join(howdah.folder, "project"));
      expect(new Set(uidsOfPostgres(howdah))).toEqual(new Set([user.uid]));
    },
  );
});

describe.skipIf(!isRoot)("root with the checkout under a private home (root only)", () => {
  let private_: Installation;
  beforeAll(() => {
    private_ = new Installation();
  });
  afterAll(() => private_[Symbol.asyncDispose]());

  it("services still run, under uids that could not read it", async () => {
    const program = copyCheckout(join(private_.folder, "root-home"), 0o700);
    await using howdah = new Installation({ program });
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
    const [row] = await query(await howdah.url("db"), "select 1 as one");
    expect(row.one).toBe(1);
    expect(Math.min(...uidsOfPostgres(howdah))).toBeGreaterThanOrEqual(70_000);
  });

  it("the gateway is another user's, also when it was killed and when it was handed over, and wakes services", async () => {
    const program = copyCheckout(join(private_.folder, "root-home-2"), 0o700);
    await using howdah = new Installation({ program });
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-s", "mode=flash", "-s", "timeout=1"]);
    const url = await howdah.url("db");
    const wakes = async () => {
      await until("it sleeps", async () => (await howdah.json(["services", "show", "db"])).status === "sleeping");
      expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
      const { workers } = howdah.gateway();
      const uids = workers.map((pid) =>
        Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
      );
      expect(Math.min(...uids)).toBeGreaterThanOrEqual(69_000);
      return workers;
    };
    for (const pid of await wakes()) process.kill(pid, "SIGKILL");
    await wakes();
    await howdah.ok(["server", "restart"]);
    await wakes();
  });
});
