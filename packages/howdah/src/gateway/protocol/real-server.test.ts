/** A real PostgreSQL is the measure: it takes the logins that we make, and what it refuses we refuse in its words. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import { connectAdmin, startServer } from "../../postgres/index.js";
import {
  cancelRequest,
  MAX_LOGIN_MESSAGE_BYTES,
  MAX_SASL_MESSAGE_BYTES,
  type Message,
  parseAuthentication,
  parseBackendKeyData,
  parseErrorResponse,
  parseFirstMessage,
  parseMessage,
  parseNegotiateProtocolVersion,
  parseParameterStatus,
  parseSaslInitialResponse,
  parseVerifier,
  ScramClientExchange,
  ScramServerExchange,
  type ScramVerifier,
  saslInitialResponse,
  saslResponse,
  startupMessage,
} from "./index.js";
import { encodeMessage, zeroTerminated } from "./message.js";
import { violation } from "./testing/outcome.js";
import { clientFinal, clientFirst } from "./testing/password-client.js";

const PASSWORD = "it's a secret";
const latin1 = (text: string) => Buffer.from(text, "latin1");
const startup = (...more: [string, string][]) => new Map([["user", "app"], ["database", "postgres"], ...more]);

let home: TestHome;
let path: string;
let verifier: ScramVerifier;
beforeAll(async () => {
  home = await TestHome.make();
  const spec = await home.server({ fsync: "off" });
  await startServer(spec, { log: silent });
  path = join(spec.paths.socket, ".s.PGSQL.5432");
  const admin = await connectAdmin(spec);
  await admin.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
  const { rows } = await admin.query("SELECT rolpassword AS v FROM pg_authid WHERE rolname = 'app'");
  await admin.end();
  const parsed = parseVerifier(rows[0].v);
  if (parsed === null) throw new Error(`not a verifier: ${rows[0].v.slice(0, 14)}`);
  verifier = parsed;
});
afterAll(() => home[Symbol.asyncDispose]());

/** Connects, writes, and reads messages one after the other; null at the end of the stream. */
class Wire implements Disposable {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer = Buffer.alloc(0);

  constructor() {
    this.#socket = connect(path);
    this.#chunks = this.#socket[Symbol.asyncIterator]();
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async read(): Promise<Message | null> {
    for (;;) {
      const message = parseMessage(this.#buffer, MAX_LOGIN_MESSAGE_BYTES);
      if (message !== null) {
        this.#buffer = this.#buffer.subarray(message.length);
        return message;
      }
      const chunk = await this.#chunks.next();
      if (chunk.done) return null;
      this.#buffer = Buffer.concat([this.#buffer, chunk.value]);
    }
  }

  async expect(type: string): Promise<Buffer> {
    const message = await this.read();
    const got = message === null ? "the end" : String.fromCharCode(message.type);
    if (message === null || got !== type) {
      throw new Error(`got ${got} instead of ${type}: ${message?.body.toString("latin1")}`);
    }
    return message.body;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** What PostgreSQL itself says to these bytes, sent in turn, each after an answer. */
async function answerOfPostgres(...sent: Buffer[]) {
  using wire = new Wire();
  for (const bytes of sent) {
    wire.write(bytes);
    const message = await wire.read();
    if (message === null) return null;
    if (message.type === 0x45) {
      const { sqlstate, message: text, detail } = parseErrorResponse(message.body);
      return { sqlstate, message: text, detail };
    }
  }
  throw new Error("PostgreSQL has nothing against it");
}

describe("a login without the password", () => {
  /** The key that a client's proof yields. */
  function recoverClientKey(): Buffer {
    const scram = new ScramServerExchange({ verifier, doomed: false, tls: false, endPointHash: null });
    const client = { password: PASSWORD, nonce: "abc" };
    const outcome = scram.final(clientFinal(client, scram.first("SCRAM-SHA-256", clientFirst(client))).data);
    if (!outcome.ok) throw new Error("the password was refused");
    return outcome.clientKey;
  }

  async function logIn(wire: Wire, clientKey: Buffer): Promise<boolean> {
    const offer = parseAuthentication(await wire.expect("R"));
    expect(offer).toEqual({ kind: "sasl", mechanisms: ["SCRAM-SHA-256"] });
    const scram = new ScramClientExchange({ ...verifier, clientKey });
    const { mechanism, data } = scram.initial();
    wire.write(saslInitialResponse(mechanism, data));
    const first = parseAuthentication(await wire.expect("R"));
    if (first.kind !== "sasl-continue") throw new Error(first.kind);
    wire.write(saslResponse(scram.respond(first.data)));
    const final = await wire.read();
    if (final?.type !== 0x52) {
      expect(parseErrorResponse(final?.body ?? Buffer.alloc(0))).toMatchObject({
        sqlstate: "28P01",
        severity: "FATAL",
      });
      return false;
    }
    const answer = parseAuthentication(final.body);
    if (answer.kind !== "sasl-final") throw new Error(answer.kind);
    expect(scram.verify(answer.data)).toBe(true);
    expect(parseAuthentication(await wire.expect("R"))).toEqual({ kind: "ok" });
    return true;
  }

  it.each([
    [0, 4],
    [2, 32],
  ])("works in protocol 3.%i", async (minor, secretBytes) => {
    using wire = new Wire();
    wire.write(startupMessage(startup(["application_name", "gateway"]), minor));
    expect(await logIn(wire, recoverClientKey())).toBe(true);
    const parameters = new Map<string, string>();
    let message = await wire.read();
    for (; message?.type === 0x53; message = await wire.read()) {
      const { name, value } = parseParameterStatus(message.body);
      parameters.set(name, value);
    }
    expect(parameters.get("application_name")).toBe("gateway");
    expect(message?.type).toBe(0x4b);
    const { pid, secret } = parseBackendKeyData(message?.body ?? Buffer.alloc(0));
    expect(secret).toHaveLength(secretBytes);
    await wire.expect("Z");

    // a statement that says when it runs, so that the cancellation cannot come before it
    const statement = "DO $$BEGIN RAISE NOTICE 'now'; PERFORM pg_sleep(600); END$$";
    wire.write(encodeMessage("Q", zeroTerminated(statement)));
    await wire.expect("N");
    using canceller = new Wire();
    canceller.write(cancelRequest(pid, secret));
    expect(await canceller.read()).toBeNull();
    expect(parseErrorResponse(await wire.expect("E")).sqlstate).toBe("57014");
  });

  it("fails with another key", async () => {
    using wire = new Wire();
    wire.write(startupMessage(startup(), 0));
    expect(await logIn(wire, Buffer.alloc(32, 1))).toBe(false);
  });

  it("asks for a newer version and gets the newest there is", async () => {
    using wire = new Wire();
    wire.write(startupMessage(startup(["_pq_.howdah", "1"]), 9999));
    expect(parseNegotiateProtocolVersion(await wire.expect("v"))).toEqual({
      minor: 2,
      unknownOptions: ["_pq_.howdah"],
    });
  });
});

/** A startup packet with this body, whatever its layout. */
function packet(body: string, version = 0x0003_0000): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeUInt32BE(version, 4);
  return Buffer.concat([head, latin1(body)]);
}

describe("a first message that PostgreSQL refuses", () => {
  it.each([
    // (what it says to protocol 2 it says in protocol 2)
    ["protocol 4.7", packet("user\0app\0\0", 0x0004_0007)],
    ["no user", packet("database\0postgres\0\0")],
    ["an empty user", packet("user\0\0\0")],
    ["the last user empty", packet("user\0app\0user\0\0\0")],
    ["nothing", packet("")],
    ["no terminator", packet("user\0app\0")],
    ["an open value", packet("user\0app")],
    ["an open name", packet("user\0app\0data")],
    ["bytes behind the terminator", packet("user\0app\0\0\0")],
  ])("with %s gets the same answer from us", async (_, bytes) => {
    expect(violation(() => parseFirstMessage(bytes))).toEqual(await answerOfPostgres(bytes));
  });

  it.each([
    ["0", "00000000"],
    ["7", "00000007"],
    ["10,005", "00002715"],
    ["minus 1", "ffffffff"],
    ["10 GB", "7fffffff"],
  ])("with a length of %s gets none from it, and no place with us", async (_, length) => {
    const bytes = Buffer.from(length, "hex");
    expect(await answerOfPostgres(bytes)).toBeNull();
    expect(violation(() => parseFirstMessage(bytes)).message).toBe("invalid length of startup packet");
  });

  it("and one that is as long as can be it does not refuse, and neither do we", async () => {
    const bytes = packet(`user\0app\0application_name\0${"x".repeat(10_004 - 8 - 9 - 17 - 2)}\0\0`);
    expect(bytes).toHaveLength(10_004);
    expect(parseFirstMessage(bytes)).toMatchObject({ length: 10_004 });
    using wire = new Wire();
    wire.write(bytes);
    expect(parseAuthentication(await wire.expect("R")).kind).toBe("sasl");
  });
});

describe("a SCRAM message that PostgreSQL refuses", () => {
  const scram = () => new ScramServerExchange({ verifier, doomed: false, tls: false, endPointHash: null });
  /** What the gateway does with a "p" message. */
  function receive(exchange: ScramServerExchange, bytes: Buffer) {
    const message = parseMessage(bytes, MAX_SASL_MESSAGE_BYTES);
    const { mechanism, data } = parseSaslInitialResponse(message?.body ?? Buffer.alloc(0));
    return exchange.first(mechanism, data ?? Buffer.alloc(0));
  }
  const initial = (text: string, mechanism = "SCRAM-SHA-256") => saslInitialResponse(mechanism, latin1(text));

  it.each([
    ["another mechanism", initial("n,,n=,r=a", "SCRAM-SHA-1")],
    ["a mechanism in other letters", initial("n,,n=,r=a", "scram-sha-256")],
    ["binding where there is nothing to bind", initial("p=tls-server-end-point,,n=,r=a", "SCRAM-SHA-256-PLUS")],
    ["binding in a mechanism without", initial("p=tls-server-end-point,,n=,r=a")],
    ["no data", initial("")],
    ["a zero byte", initial("n,,n=,r=a\0")],
    ["an unknown flag", initial("x,,n=,r=a")],
    ["a flag that is no letter", initial("\x01,,n=,r=a")],
    ["a flag alone", initial("n")],
    ["no comma behind the flag", initial("nn,n=,r=a")],
    ["an identity", initial("n,a=admin,n=,r=a")],
    ["an attribute in the header", initial("n,b=,n=,r=a")],
    ["a mandatory extension", initial("n,,m=x,n=,r=a")],
    ["no name", initial("n,,r=a")],
    ["no nonce", initial("n,,n=")],
    ["a name without =", initial("n,,n,r=a")],
    ["a nonce with a space", initial("n,,n=,r=a b")],
    ["a nonce beyond ASCII", initial("n,,n=,r=\xe9")],
    ["an extension that is none", initial("n,,n=,r=a,1=b")],
    ["an extension without =", initial("n,,n=,r=a,x")],
    ["a length inside that is too long", encodeMessage("p", latin1("SCRAM-SHA-256\0\x7f\xff\xff\xff"))],
    ["garbage behind the data", encodeMessage("p", latin1("SCRAM-SHA-256\0\0\0\0\x0an,,n=,r=abx"))],
  ])("first, with %s, gets the same answer from us", async (_, bytes) => {
    const answer = await answerOfPostgres(startupMessage(startup(), 0), bytes);
    expect(violation(() => receive(scram(), bytes))).toEqual(answer);
  });

  it.each([
    ["a message", initial(`n,,n=,r=${"a".repeat(1_024)}`)],
    ["a length", latin1("p\x7f\xff\xff\xff")],
  ])("for %s that is too long is not read on either", async (_, bytes) => {
    // PostgreSQL logs why, and tells the client only this
    expect(await answerOfPostgres(startupMessage(startup(), 0), bytes)).toMatchObject({ sqlstate: "28P01" });
    expect(violation(() => receive(scram(), bytes)).message).toBe("invalid message length");
  });

  it.each([
    ["no data", () => ""],
    ["no binding", (n: string) => `r=${n},p=AAAA`],
    ["another binding", (n: string) => `c=eSws,r=${n},p=AAAA`],
    ["a binding that is none", (n: string) => `c=*,r=${n},p=AAAA`],
    ["no nonce", () => "c=biws,p=AAAA"],
    ["another nonce", () => `c=biws,r=abc,p=${"A".repeat(43)}=`],
    ["a longer nonce", (n: string) => `c=biws,r=${n}x,p=${"A".repeat(43)}=`],
    ["no proof", (n: string) => `c=biws,r=${n}`],
    ["a short proof", (n: string) => `c=biws,r=${n},p=AAAA`],
    ["a long proof", (n: string) => `c=biws,r=${n},p=${"A".repeat(44)}`],
    ["a proof that is no base64", (n: string) => `c=biws,r=${n},p=${"*".repeat(43)}=`],
    ["something behind the proof", (n: string) => `c=biws,r=${n},p=${"A".repeat(43)}=,x=y`],
    ["an extension that is none", (n: string) => `c=biws,r=${n},1=x,p=${"A".repeat(43)}=`],
    ["a zero byte", (n: string) => `c=biws,r=${n},p=${"A".repeat(43)}=\0`],
  ])("last, with %s, gets the same answer from us", async (_, final) => {
    const first = "n,,n=,r=abc";
    using wire = new Wire();
    wire.write(startupMessage(startup(), 0));
    await wire.expect("R");
    wire.write(initial(first));
    const theirs = parseAuthentication(await wire.expect("R"));
    if (theirs.kind !== "sasl-continue") throw new Error(theirs.kind);
    const nonceOf = (serverFirst: Buffer) => /^r=([^,]*)/.exec(serverFirst.toString("latin1"))?.[1] ?? "";
    wire.write(saslResponse(latin1(final(nonceOf(theirs.data)))));
    const { sqlstate, message, detail } = parseErrorResponse(await wire.expect("E"));

    const ours = scram();
    const nonce = nonceOf(receive(ours, initial(first)));
    expect(violation(() => ours.final(latin1(final(nonce))))).toEqual({ sqlstate, message, detail });
  });
});
