import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parsePasswd, reservedIds, serviceAccount } from "./accounts.js";
import { claimUid, reclaimUids, releaseUid } from "./uids.js";

let folder: string;
let claims: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-uids-"));
  claims = join(folder, "claims");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function home(name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
/** As if every number had been given out once. */
function comeFullCircle(): void {
  writeFileSync(join(claims, "last"), "99999\n");
}
const names = () =>
  readdirSync(claims)
    .filter((name) => /^\d+$/.test(name))
    .sort();
const none: ReadonlySet<number> = new Set();

describe("claimUid", () => {
  it("gives each caller a number of its own, from 70000 on", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => claimUid({ home: home(`h${i % 3}`), taken: none, claims })),
    );
    expect(new Set(all).size).toBe(20);
    expect(Math.min(...all)).toBe(70_000);
    expect(Math.max(...all)).toBeLessThan(70_100);
  });

  it("passes over numbers that this home's rows hold, even without a claim", async () => {
    expect(await claimUid({ home: home("a"), taken: new Set([70_000, 70_001]), claims })).toBe(70_002);
  });

  it("leaves another home its number, and takes it when that home is gone", async () => {
    const other = home("other");
    mkdirSync(claims);
    writeFileSync(join(claims, "70000"), `${other}\n`);
    expect(await claimUid({ home: home("a"), taken: none, claims })).toBe(70_001);
    rmSync(other, { recursive: true });
    comeFullCircle();
    expect(await claimUid({ home: home("a"), taken: none, claims })).toBe(70_000);
  });

  it("takes back a number of its own home that no row came to hold", async () => {
    mkdirSync(claims);
    writeFileSync(join(claims, "70000"), `${home("a")}\nservice 1\n`);
    expect(await claimUid({ home: home("a"), taken: none, claims })).toBe(70_000);
  });

  it("leaves a claim alone that is just being written, not one that never was", async () => {
    mkdirSync(claims);
    writeFileSync(join(claims, "70000"), "");
    expect(await claimUid({ home: home("a"), taken: none, claims })).toBe(70_001);
    utimesSync(join(claims, "70000"), 1, 1);
    comeFullCircle();
    expect(await claimUid({ home: home("a"), taken: none, claims })).toBe(70_000);
  });

  it("gives a released number out again only when all others had their turn", async () => {
    const a = home("a");
    expect(await claimUid({ home: a, taken: none, claims })).toBe(70_000);
    await releaseUid({ home: a, uid: 70_000, claims });
    expect(await claimUid({ home: a, taken: none, claims })).toBe(70_001);
    comeFullCircle();
    expect(await claimUid({ home: a, taken: none, claims })).toBe(70_000);
  });

  it("releases a number, but not at another home's request", async () => {
    const a = home("a");
    expect(await claimUid({ home: a, taken: none, claims })).toBe(70_000);
    await releaseUid({ home: home("b"), uid: 70_000, claims });
    expect(names()).toEqual(["70000"]);
    await releaseUid({ home: a, uid: 70_000, claims });
    expect(names()).toEqual([]);
    await releaseUid({ home: a, uid: 70_000, claims });
  });
});

describe("reclaimUids", () => {
  it("makes the claims match the rows", async () => {
    const a = home("a");
    mkdirSync(claims);
    writeFileSync(join(claims, "70000"), `${a}\n`);
    writeFileSync(join(claims, "70001"), `${a}\n`);
    writeFileSync(join(claims, "70002"), `${home("b")}\n`);
    expect(await reclaimUids({ home: a, used: new Set([70_001, 70_005]), claims })).toEqual([]);
    expect(names()).toEqual(["70001", "70002", "70005"]);
  });

  it("tells which numbers another home has by now, such as the one that this home is a copy of", async () => {
    const number = await claimUid({ home: home("original"), taken: none, claims });
    expect(await reclaimUids({ home: home("copy"), used: new Set([number]), claims })).toEqual([number]);
  });
});

describe("accounts", () => {
  it("reads the entries of a passwd file", () => {
    expect(parsePasswd("root:x:0:0:root:/root:/bin/sh\n# no\n+nis\nhowdah:x:990:991::/:/bin/false\n")).toEqual([
      { name: "root", uid: 0, gid: 0 },
      { name: "howdah", uid: 990, gid: 991 },
    ]);
  });

  it("lends an account that is not root", () => {
    expect(serviceAccount().uid).toBeGreaterThan(0);
    expect(serviceAccount().gid).toBe(69_999);
    expect(reservedIds()(0)).toBe(true);
    expect(reservedIds()(serviceAccount().uid)).toBe(true);
  });
});
