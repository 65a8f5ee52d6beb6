import { describe, expect, it } from "vitest";
import { readEnvFile } from "./env-file.js";

describe("readEnvFile", () => {
  it("reads quotes, comments, export and references to what stands above", () => {
    const text = `# comment\nexport A=1\nB='lit$eral #x'\nC="two\\nlines $A"\nD=\${A}-\${E:-none}\n`;
    const { values, diagnostics } = readEnvFile("x.env", text);
    expect(values).toEqual({ A: "1", B: "lit$eral #x", C: "two\nlines 1", D: "1-none" });
    expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  });

  it("makes an error of a reference to nothing, since a secret must not come out half empty", () => {
    const { diagnostics } = readEnvFile("x.env", "PW=pa$word\n");
    expect(diagnostics).toMatchObject([{ severity: "error", place: { file: "x.env", line: 1 } }]);
  });

  it("tells the line that cannot be read, without its text", () => {
    const { diagnostics } = readEnvFile("x.env", "A=1\nhunter2 is here\n");
    expect(diagnostics).toMatchObject([{ severity: "error", place: { file: "x.env", line: 2 } }]);
    expect(JSON.stringify(diagnostics)).not.toContain("hunter2");
  });

  it("takes a key alone from the environment", () => {
    expect(readEnvFile("x.env", "PATH\n").values).toEqual({ PATH: process.env["PATH"] });
    expect(() => readEnvFile("x.env", "NO_SUCH_VARIABLE_HERE\n")).toThrow("has no value");
  });
});
