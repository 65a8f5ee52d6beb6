/** The client that most users of Node have, logging in at a server that is made of these pieces alone. */
import { createServer, type Server, type Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  authenticationMd5Password,
  authenticationOk,
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
  errorResponse,
  MAX_SASL_MESSAGE_BYTES,
  mockVerifier,
  ProtocolViolation,
  parseFirstMessage,
  parseMessage,
  parsePasswordMessage,
  parseSaslInitialResponse,
  parseVerifier,
  ScramServerExchange,
  verifyMd5,
} from "./index.js";
import { encodeMessage, int32, zeroTerminated } from "./message.js";
import { verifierText } from "./testing/password-client.js";

const PASSWORD = "pässwörd, with = and ,";
const SALT = Buffer.from("0123456789abcdef");
const MD5_SALT = Buffer.from("salt");
// md5 of "secretold"
const MD5_VERIFIER = "md57cb133e596658708079ed4cfaaf64462";

let server: Server;
let port: number;
const seen: { parameters: ReadonlyMap<string, string>; clientKey: Buffer | null }[] = [];
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    serve(socket)
      .catch((error: unknown) => {
        if (!(error instanceof ProtocolViolation)) throw error;
        socket.write(errorResponse({ severity: "FATAL", sqlstate: error.sqlstate, message: error.message }));
      })
      .finally(() => socket.destroySoon());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function serve(socket: Socket): Promise<void> {
  const chunks: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  async function next<T extends { length: number }>(parse: (buffer: Buffer) => T | null): Promise<T> {
    for (;;) {
      const parsed = parse(buffer);
      if (parsed !== null) {
        buffer = buffer.subarray(parsed.length);
        return parsed;
      }
      const chunk = await chunks.next();
      if (chunk.done) throw new ProtocolViolation("the client went away");
      buffer = Buffer.concat([buffer, chunk.value]);
    }
  }
  const message = () => next((bytes) => parseMessage(bytes, MAX_SASL_MESSAGE_BYTES));
  const refuse = (role: string) =>
    socket.write(
      errorResponse({
        severity: "FATAL",
        sqlstate: "28P01",
        message: `password authentication failed for user "${role}"`,
        hint: "Try another one.",
      }),
    );

  const first = (await next(parseFirstMessage)).message;
  if (first.kind !== "startup") throw new ProtocolViolation("expected a startup packet");
  const role = first.parameters.get("user") ?? "";
  let clientKey: Buffer | null = null;
  if (role === "old") {
    socket.write(authenticationMd5Password(MD5_SALT));
    const response = parsePasswordMessage((await message()).body);
    if (!verifyMd5({ verifier: MD5_VERIFIER, salt: MD5_SALT, response })) return void refuse(role);
  } else {
    const verifier = role === "app" ? parseVerifier(verifierText(PASSWORD, SALT, 4096)) : null;
    const scram = new ScramServerExchange({
      verifier: verifier ?? mockVerifier(Buffer.alloc(32, 9), role),
      doomed: verifier === null,
      tls: false,
      endPointHash: null,
    });
    socket.write(authenticationSasl(scram.mechanisms));
    const { mechanism, data } = parseSaslInitialResponse((await message()).body);
    socket.write(authenticationSaslContinue(scram.first(mechanism, data ?? Buffer.alloc(0))));
    const outcome = scram.final((await message()).body);
    if (!outcome.ok) return void refuse(role);
    clientKey = outcome.clientKey;
    socket.write(authenticationSaslFinal(outcome.serverFinal));
  }
  seen.push({ parameters: first.parameters, clientKey });
  socket.write(authenticationOk());
  socket.write(encodeMessage("S", zeroTerminated("server_version"), zeroTerminated("18.1")));
  socket.write(encodeMessage("K", int32(1), int32(2)));
  socket.write(encodeMessage("Z", Buffer.from("I")));
  await message(); // Terminate
}

async function logIn(user: string, password: string): Promise<void> {
  const client = new pg.Client({ host: "127.0.0.1", port, user, password, database: "d", application_name: "ä" });
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

describe("the pg client", () => {
  it("logs in with its password, and we can go on as it", async () => {
    await logIn("app", PASSWORD);
    expect(seen).toHaveLength(1);
    expect(Object.fromEntries(seen[0]?.parameters ?? [])).toMatchObject({
      user: "app",
      database: "d",
      application_name: "ä",
    });
    expect(seen[0]?.clientKey).toHaveLength(32);
  });

  it("is refused with another password, and as nobody, in the same words", async () => {
    for (const [user, password] of [
      ["app", "another"],
      ["nobody", PASSWORD],
    ] as const) {
      await expect(logIn(user, password)).rejects.toMatchObject({
        code: "28P01",
        severity: "FATAL",
        message: `password authentication failed for user "${user}"`,
        hint: "Try another one.",
      });
    }
    expect(seen).toEqual([]);
  });

  it("proves an md5 password", async () => {
    await logIn("old", "secret");
    await expect(logIn("old", "wrong")).rejects.toMatchObject({ code: "28P01" });
    expect(seen).toHaveLength(1);
  });
});
