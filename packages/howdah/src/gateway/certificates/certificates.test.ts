import { execFileSync, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, defaultNames, issueCertificate, needsRenewal, readCertificate } from "./index.js";
import { parseCertificates } from "./pem.js";

const DAY_MS = 86_400_000;
const NAMES = ["localhost", "db_1.example.org", "127.0.0.1", "::1", "fd00::12", "::ffff:10.0.0.7"];

const authority = await createAuthority("Howdah on #odd, O=häuschen");
const server = await issueCertificate(authority, { names: NAMES, days: 397 });

describe("an authority", () => {
  const certificate = new X509Certificate(authority.cert);

  it("signs itself, and may sign servers for ten years", () => {
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    const years = (Date.parse(certificate.validTo) - Date.now()) / (365.25 * DAY_MS);
    expect(years).toBeGreaterThan(9.9);
    expect(years).toBeLessThanOrEqual(10);
  });

  it("bears its name as one name, however odd or long", async () => {
    expect(certificate.toLegacyObject().subject).toEqual({ CN: "Howdah on #odd, O=häuschen" });
    const long = new X509Certificate((await createAuthority("ä".repeat(300))).cert);
    expect(long.toLegacyObject().subject).toEqual({ CN: "ä".repeat(64) });
  });

  it("is another one each time, though it bears the same name", async () => {
    const second = await createAuthority("Howdah on #odd, O=häuschen");
    const other = new X509Certificate(second.cert);
    expect(other.serialNumber).not.toBe(certificate.serialNumber);
    expect(new X509Certificate(server.cert).verify(other.publicKey)).toBe(false);
  });
});

describe("a server's certificate", () => {
  const [leaf, issuer, ...rest] = parseCertificates(server.cert);

  it("is signed by the authority, which follows it in the chain", () => {
    expect(rest).toEqual([]);
    expect(issuer?.raw).toEqual(new X509Certificate(authority.cert).raw);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(issuer as X509Certificate)).toBe(true);
    expect(leaf.verify((issuer as X509Certificate).publicKey)).toBe(true);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  it("is made out to its names and no others", () => {
    for (const name of ["localhost", "db_1.example.org"]) expect(leaf.checkHost(name)).toBe(name);
    for (const ip of ["127.0.0.1", "::1", "fd00::12", "::ffff:10.0.0.7"]) expect(leaf.checkIP(ip)).toBe(ip);
    expect(leaf.checkHost("example.org")).toBe(undefined);
    expect(leaf.checkIP("127.0.0.2")).toBe(undefined);
    expect(readCertificate(server.cert).names).toEqual([...NAMES.slice(0, -1), "::ffff:a00:7"]);
  });

  it("is valid from a little before now, for at most 397 days and no longer than its authority", async () => {
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - 60_000);
    const long = await issueCertificate(authority, { names: ["localhost"], days: 5_000 });
    const made = new X509Certificate(long.cert);
    expect(Date.parse(made.validTo) - Date.parse(made.validFrom)).toBe(397 * DAY_MS - 1_000);
    expect(Date.parse(made.validTo)).toBeLessThan(Date.parse(new X509Certificate(authority.cert).validTo));
  });

  it("refuses names that no certificate can hold", async () => {
    for (const name of ["", "häuschen.example", "*.example.org", "a b", "fe80::1%eth0", "-x", "x".repeat(64)]) {
      await expect(issueCertificate(authority, { names: [name], days: 1 })).rejects.toMatchObject({
        code: "CERTIFICATE_INVALID",
      });
    }
    await expect(issueCertificate(authority, { names: [], days: 1 })).rejects.toThrow("needs a name");
  });

  it("is read back", () => {
    expect(readCertificate(server.cert)).toMatchObject({
      notAfter: Date.parse(leaf.validTo),
      subject: "CN=localhost",
      issuer: expect.stringContaining("häuschen"),
      keyType: "ec",
      fingerprint256: createHash("sha256").update(leaf.raw).digest("hex").toUpperCase().match(/../g)?.join(":"),
    });
    expect(() => readCertificate("nothing")).toThrow("no PEM certificate");
    const broken = server.cert.replace(/-----\n..../, "-----\nAAAA");
    expect(() => readCertificate(broken)).toThrow("certificate 1 of the chain cannot be read");
  });
});

describe("renewal", () => {
  const { notAfter } = readCertificate(server.cert);

  it("is due thirty days before the end, or when a name came", () => {
    expect(needsRenewal(server, NAMES, Date.now())).toBe(false);
    expect(needsRenewal(server, ["LOCALHOST.", "0:0:0:0:0:0:0:1"], Date.now())).toBe(false);
    expect(needsRenewal(server, [...NAMES, "10.1.2.3"], Date.now())).toBe(true);
    expect(needsRenewal(server, NAMES, notAfter - 30 * DAY_MS)).toBe(false);
    expect(needsRenewal(server, NAMES, notAfter - 30 * DAY_MS + 1)).toBe(true);
    expect(needsRenewal(server, NAMES, notAfter + 1)).toBe(true);
  });
});

describe("the names of this machine", () => {
  const interfaces = {
    lo: [
      { address: "127.0.0.1", family: "IPv4" },
      { address: "::1", family: "IPv6" },
    ],
    eth0: [
      { address: "10.0.0.5", family: "IPv4" },
      { address: "2001:db8::5", family: "IPv6" },
      { address: "fe80::5", family: "IPv6" },
    ],
  };
  const local = ["localhost", "127.0.0.1", "::1", "box"];

  it("are localhost, the host's, and what is listened on", () => {
    expect(defaultNames("Box", [], interfaces)).toEqual(local);
    expect(defaultNames("localhost", ["127.0.0.1"], interfaces)).toEqual(["localhost", "127.0.0.1", "::1"]);
    expect(defaultNames("box", ["10.9.9.9", "127.0.0.1", "FD00:0::1"], interfaces)).toEqual([
      ...local,
      "10.9.9.9",
      "fd00::1",
    ]);
  });

  it("hold every address when everything is listened on", () => {
    expect(defaultNames("box", ["0.0.0.0"], interfaces)).toEqual([...local, "10.0.0.5"]);
    expect(defaultNames("box", ["0.0.0.0", "::"], interfaces)).toEqual([...local, "10.0.0.5", "2001:db8::5"]);
  });

  it("leave out a host name that no certificate can hold", () => {
    expect(defaultNames("Büro PC", [], interfaces)).toEqual(["localhost", "127.0.0.1", "::1"]);
  });
});

describe("a client that checks the server", () => {
  let endpoint: Endpoint;
  let folder: string;
  const files = { ca: "", other: "" };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "howdah-certificates-"));
    files.ca = join(folder, "ca.pem");
    files.other = join(folder, "other.pem");
    writeFileSync(files.ca, authority.cert);
    writeFileSync(files.other, (await createAuthority("another")).cert);
    endpoint = await Endpoint.listen(server);
  });
  afterAll(async () => {
    await endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["localhost", "127.0.0.1"])("trusts it as %s with the authority (node:tls)", async (host) => {
    const plain = await Endpoint.tlsOnly(server);
    const socket = connect({
      port: plain.port,
      host,
      ca: authority.cert,
      servername: host === "localhost" ? host : "",
    });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    expect(socket.authorized).toBe(true);
    socket.destroy();
    await plain.close();
  });

  it("does not trust it without the authority (node:tls)", async () => {
    const plain = await Endpoint.tlsOnly(server);
    const socket = connect({ port: plain.port, host: "127.0.0.1" });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
    expect(error.code).toBe("SELF_SIGNED_CERT_IN_CHAIN");
    await plain.close();
  });

  const noPsql = isThere("psql") ? false : "this machine has no psql";
  if (noPsql) process.stderr.write(`NOT RUN  psql with sslmode=verify-full: ${noPsql}\n`);

  // The endpoint ends each session with this message, which psql sees only after it has checked the certificate.
  it.skipIf(noPsql).each(["localhost", "127.0.0.1"])("trusts it as %s with the authority (psql)", async (host) => {
    const said = await psql(`host=${host} port=${endpoint.port} sslmode=verify-full sslrootcert=${files.ca}`);
    expect(said).toContain("reached through TLS");
  });

  it.skipIf(noPsql)("does not trust it with another authority, or under another name (psql)", async () => {
    const port = endpoint.port;
    const other = await psql(`host=localhost port=${port} sslmode=verify-full sslrootcert=${files.other}`);
    expect(other).toContain("certificate verify failed");
    const name = `host=elsewhere.example hostaddr=127.0.0.1 port=${port}`;
    const wrongName = await psql(`${name} sslmode=verify-full sslrootcert=${files.ca}`);
    expect(wrongName).toContain('does not match host name "elsewhere.example"');
  });
});

function isThere(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function psql(connection: string): Promise<string> {
  const child = spawn("psql", ["-X", "-w", `${connection} user=anna dbname=shop connect_timeout=10`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(said));
  });
}

/** As much of a PostgreSQL server as it takes to show a certificate. */
class Endpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Answers SSLRequest with `S`, and the startup packet behind TLS with an error. */
  static listen(certificate: { cert: string; key: string }): Promise<Endpoint> {
    const secureContext = createSecureContext(certificate);
    return Endpoint.#on(
      createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => {
          socket.write("S");
          const secured = new TLSSocket(socket, { isServer: true, secureContext });
          secured.on("error", () => undefined);
          secured.once("data", () => secured.end(errorResponse("reached through TLS")));
        });
      }),
    );
  }

  static tlsOnly(certificate: { cert: string; key: string }): Promise<Endpoint> {
    const secureContext = createSecureContext(certificate);
    return Endpoint.#on(
      createServer((socket) => {
        socket.on("error", () => undefined);
        new TLSSocket(socket, { isServer: true, secureContext }).on("error", () => undefined).resume();
      }),
    );
  }

  static async #on(server: Server): Promise<Endpoint> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Endpoint(server);
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function errorResponse(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
