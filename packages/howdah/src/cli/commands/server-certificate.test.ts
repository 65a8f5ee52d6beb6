import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WireCertificate } from "../../api/client/types.js";
import { createAuthority, issueCertificate, readCertificate } from "../../gateway/certificates/index.js";
import type { CommandContext } from "../command.js";
import { createOutput } from "../render/output.js";
import * as ca from "./server-ca.js";
import * as reset from "./server-certificate-reset.js";
import * as set from "./server-certificate-set.js";
import * as show from "./server-certificate-show.js";

const DAY_MS = 86_400_000;
const authority = await createAuthority("Howdah on box");
const issued = await issueCertificate(authority, { names: ["localhost", "127.0.0.1"], days: 397 });

function wire(own: Partial<WireCertificate> = {}): WireCertificate {
  const { names, notAfter } = readCertificate(issued.cert);
  return { cert: issued.cert, own: false, names, not_after: new Date(notAfter).toISOString(), ...own };
}

/** Commands with a client that answers `presented`, and what they printed. */
function terminal(options: { cwd?: string; json?: boolean; isTTY?: boolean; presented?: WireCertificate } = {}) {
  const printed = { stdout: "", stderr: "", sent: [] as unknown[] };
  const into = (name: "stdout" | "stderr", isTTY: boolean) => ({
    isTTY,
    on: () => undefined,
    write: (text: string) => {
      printed[name] += text;
      return true;
    },
  });
  const presented = options.presented ?? wire();
  const client = {
    ca: async () => authority.cert,
    certificate: async () => presented,
    resetCertificate: async () => presented,
    useCertificate: async (certificate: unknown) => {
      printed.sent.push(certificate);
      return presented;
    },
  };
  const context = {
    cwd: options.cwd ?? "/",
    client: async () => client,
    output: createOutput({
      json: options.json === true,
      stdout: into("stdout", false),
      stderr: into("stderr", options.isTTY === true),
    }),
  } as unknown as CommandContext;
  return { context, printed };
}

let folder: string;
let umask: number;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-cli-certificate-"));
});
beforeEach(() => {
  umask = process.umask(0o022);
});
afterEach(() => {
  process.umask(umask);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("howdah server ca", () => {
  it("prints the authority's certificate and nothing else", async () => {
    const { context, printed } = terminal();
    await ca.run(context, [], {});
    expect(printed).toMatchObject({ stdout: authority.cert, stderr: "" });
  });

  it("says on a terminal what it is good for", async () => {
    const { context, printed } = terminal({ isTTY: true });
    await ca.run(context, [], {});
    expect(printed.stdout).toBe(authority.cert);
    expect(printed.stderr).toContain("sslmode=verify-full sslrootcert=FILE");
  });

  it("writes a file that everybody may read", async () => {
    const { context, printed } = terminal({ cwd: folder, isTTY: true });
    await ca.run(context, [], { out: "ca.pem" });
    expect(readFileSync(join(folder, "ca.pem"), "utf8")).toBe(authority.cert);
    expect(statSync(join(folder, "ca.pem")).mode & 0o777).toBe(0o644);
    expect(printed.stdout).toBe("Wrote 'ca.pem'.\n");
    expect(printed.stderr).toContain("sslrootcert=ca.pem");
  });

  it("names the file that it cannot write", async () => {
    const { context } = terminal({ cwd: folder });
    await expect(ca.run(context, [], { out: "no/ca.pem" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "unable to write 'no/ca.pem' (ENOENT)",
    });
  });

  it("gives one document with --json", async () => {
    const { context, printed } = terminal({ json: true, isTTY: true });
    await ca.run(context, [], {});
    expect(JSON.parse(printed.stdout)).toEqual({ certificate: authority.cert, file: null });
    expect(printed.stderr).toBe("");
  });
});

describe("howdah server certificate", () => {
  it("shows whose it is, its names and its end", async () => {
    const { context, printed } = terminal();
    await show.run(context);
    expect(printed.stdout).toMatch(/^Certificate +issued by this installation/);
    expect(printed.stdout).toMatch(/^Names +localhost, 127\.0\.0\.1$/m);
    expect(printed.stdout).toMatch(/^Issuer +CN=Howdah on box$/m);
    expect(printed.stderr).toBe("");
  });

  it("warns when the user's own ends soon, and only then", async () => {
    const soon = terminal({ presented: wire({ own: true, not_after: iso(9.5) }) });
    await show.run(soon.context);
    expect(soon.printed.stdout).toMatch(/^Certificate +your own$/m);
    expect(soon.printed.stderr).toContain("warning: the certificate expires in 9 days");
    const ended = terminal({ presented: wire({ own: true, not_after: iso(-1) }), json: true });
    await show.run(ended.context);
    expect(JSON.parse(ended.printed.stdout)).toMatchObject({ own: true });
    expect(ended.printed.stderr).toContain("has expired");
    const later = terminal({ presented: wire({ own: true, not_after: iso(31) }) });
    await show.run(later.context);
    expect(later.printed.stderr).toBe("");
  });

  it("reads the files where the user is, and warns of a key that everybody can read", async () => {
    writeFileSync(join(folder, "server.crt"), "the certificate");
    writeFileSync(join(folder, "server.key"), "the key", { mode: 0o600 });
    const files = { cert: "server.crt", key: "server.key" };
    const { context, printed } = terminal({ cwd: folder, presented: wire({ own: true }) });
    await set.run(context, [], files);
    expect(printed.sent).toEqual([{ cert: "the certificate", key: "the key" }]);
    expect(printed.stdout + printed.stderr).not.toContain("the key\n");
    expect(printed.stderr).not.toContain("warning");
    chmodSync(join(folder, "server.key"), 0o644);
    await set.run(context, [], files);
    expect(printed.stderr).toContain("warning: everybody on this machine can read 'server.key'");
  });

  it("wants both files, and that they exist", async () => {
    const { context, printed } = terminal({ cwd: folder });
    await expect(set.run(context, [], { cert: "server.crt" })).rejects.toMatchObject({ code: "USAGE" });
    await expect(set.run(context, [], { key: "server.key" })).rejects.toThrow("--cert is missing");
    await expect(set.run(context, [], { cert: "none.crt", key: "none.key" })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    expect(printed.sent).toEqual([]);
  });

  it("goes back to the installation's", async () => {
    const { context, printed } = terminal();
    await reset.run(context);
    expect(printed.stdout).toMatch(/^Certificate +issued by this installation/);
  });
});

function iso(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString();
}
