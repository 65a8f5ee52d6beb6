import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mockSecretOf } from "./mock-secret-file.js";

it("is the same from one keeper to the next, and nobody else's to read", () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-mock-"));
  try {
    const path = join(folder, "secret");
    const first = mockSecretOf(path);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(mockSecretOf(path)).toBe(first);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // As a full disk or a power cut may leave it.
    writeFileSync(path, "");
    const second = mockSecretOf(path);
    expect(second).toMatch(/^[0-9a-f]{64}$/);
    expect(second).not.toBe(first);
    expect(readdirSync(folder)).toEqual(["secret"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
