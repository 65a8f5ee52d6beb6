import { describe, expect, it } from "vitest";
import { embeddedPlatform, requireEmbeddedPlatform } from "./platform.js";

const machine = (os: string, arch: string, ...files: string[]) => ({
  os,
  arch,
  exists: (p: string) => files.includes(p),
});

describe("embedded platform", () => {
  it("is known where the binaries' loader is there", () => {
    expect(embeddedPlatform(machine("linux", "x64", "/lib64/ld-linux-x86-64.so.2"))).toBe("linux-x64");
    expect(embeddedPlatform(machine("linux", "arm64", "/lib/ld-linux-aarch64.so.1"))).toBe("linux-arm64");
    expect(embeddedPlatform(machine("darwin", "arm64"))).toBe("darwin-arm64");
    expect(embeddedPlatform(machine("darwin", "x64"))).toBe("darwin-x64");
  });

  it("is refused on musl, telling what to install", () => {
    const alpine = machine("linux", "x64", "/lib/ld-musl-x86_64.so.1");
    expect(embeddedPlatform(alpine)).toBeNull();
    expect(() => requireEmbeddedPlatform(alpine)).toThrow(
      expect.objectContaining({ code: "PLATFORM_UNSUPPORTED", hint: expect.stringContaining("apk add") }),
    );
  });

  it("is refused where no binaries are published", () => {
    for (const [os, arch] of [
      ["win32", "x64"],
      ["linux", "riscv64"],
      ["freebsd", "x64"],
    ] as const) {
      expect(() => requireEmbeddedPlatform(machine(os, arch))).toThrow(
        `no embedded PostgreSQL binaries for ${os}-${arch}`,
      );
    }
  });
});
