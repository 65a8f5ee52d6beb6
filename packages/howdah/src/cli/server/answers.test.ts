import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answers } from "./answers.js";

describe("answers", () => {
  let parent: string;
  let path: string;
  const server = createServer((socket) => socket.end());
  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), "howdah-answers-"));
    mkdirSync(join(parent, "sockets"));
    path = join(parent, "sockets", "api.sock");
    await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(parent, { recursive: true });
  });

  it("tells whether somebody listens", async () => {
    expect(await answers(path)).toBe(true);
    expect(await answers(`${path}.none`)).toBe(false);
    expect(await answers(join(parent, "none", "api.sock"))).toBe(false);
    writeFileSync(join(parent, "file"), "");
    expect(await answers(join(parent, "file", "sockets", "api.sock"))).toBe(false);
  });

  it("talks to nobody in another user's folder where anybody could make one", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can give folders away");
    chownSync(join(parent, "sockets"), 65_534, 65_534);
    // As an administrator reaches a user's installation.
    expect(await answers(path)).toBe(true);
    chmodSync(parent, 0o1777);
    await expect(answers(path)).rejects.toMatchObject({ code: "HOME_UNUSABLE" });
  });
});
