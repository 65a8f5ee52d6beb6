import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { boundLog } from "./bound-log.js";

it("keeps a log from growing for ever, under those who write it", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-log-"));
  try {
    const path = join(folder, "gateway.log");
    boundLog(path);
    const writer = openSync(path, "a");
    writeSync(writer, "x".repeat(11));
    boundLog(path, 11);
    expect(readFileSync(path, "utf8").length).toBe(11);
    boundLog(path, 10);
    expect(readFileSync(`${path}.1`, "utf8")).toBe("x".repeat(11));
    writeSync(writer, "after");
    closeSync(writer);
    appendFileSync(path, "!");
    expect(readFileSync(path, "utf8")).toBe("after!");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
