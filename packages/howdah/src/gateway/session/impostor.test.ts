/** What a service's superuser can do to the gateway: put a program of his own behind his server's socket, and come as
 *  often as he likes. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { authenticationOk, authenticationSasl, startupMessage } from "../protocol/index.js";
import { verifierText } from "../protocol/testing/password-client.js";
import { Front } from "./testing/front.js";
import { Wire } from "./testing/wire.js";

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
/** A NoticeResponse of 64 KiB. */
const NOTICE = Buffer.alloc(65_536, "n");
NOTICE.write("N", "latin1");
NOTICE.writeInt32BE(NOTICE.length - 1, 1);
const secret = {
  role: "app",
  verifier: verifierText("right", Buffer.from("0123456789abcdef"), 16),
  canLogin: true,
  validUntil: null,
};

let folder: string;
let impostor: Server;
let answer: (socket: Socket, bytes: Buffer) => void;
let front: Front;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "howdah-impostor-"));
  impostor = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => answer(socket, bytes));
  });
  const socketPath = join(folder, "server");
  impostor.listen(socketPath);
  await once(impostor, "listening");
  front = await Front.open({
    verifier: async () => secret,
    endpoint: { socketPath },
    limits: { sessionsPerService: 2 },
  });
});
afterEach(async () => {
  await front[Symbol.asyncDispose]();
  impostor.close();
  await rm(folder, { recursive: true });
});

/** What a client with the right password is told behind its proof. */
async function outcome(): Promise<string> {
  using wire = await Wire.to(front.port);
  wire.send(startupMessage(new Map([["user", "app"]]), 0));
  expect(await wire.prove("right")).toBe("R");
  return await wire.error();
}

it("is not believed without a proof that it knows the role's verifier", async () => {
  answer = (socket) => socket.write(Buffer.concat([authenticationOk(), READY]));
  expect(await outcome()).toBe("XX000 the server did not take the login");
  answer = (socket, bytes) =>
    socket.write(
      bytes[0] === 0x70 ? Buffer.concat([authenticationOk(), READY]) : authenticationSasl(["SCRAM-SHA-256"]),
    );
  expect(await outcome()).toBe("XX000 the server did not take the login");
});

it("is not listened to for ever", { timeout: 20_000 }, async () => {
  let sent = 0;
  answer = (socket) => {
    const flood = () => {
      while (socket.writable && sent < 256 * 2 ** 20) {
        sent += NOTICE.length;
        if (!socket.write(NOTICE)) break;
      }
      socket.once("drain", flood);
    };
    flood();
  };
  expect(await outcome()).toBe("XX000 the server did not take the login");
  // What it could send before we hung up lies in the socket's buffers.
  expect(sent).toBeLessThan(16 * 2 ** 20);
});

it("cannot gather clients that wait until there is room for nobody else's", async () => {
  answer = () => undefined;
  using first = await Wire.to(front.port);
  using second = await Wire.to(front.port);
  for (const wire of [first, second]) {
    wire.send(startupMessage(new Map([["user", "app"]]), 0));
    expect(await wire.prove("right")).toBe("R");
  }
  expect(await outcome()).toBe("53300 too many clients of this service");
  first.socket.destroy();
  await expect.poll(() => front.sessions.count).toBe(1);
  using next = await Wire.to(front.port);
  next.send(startupMessage(new Map([["user", "app"]]), 0));
  expect(await next.prove("right")).toBe("R");
  await expect.poll(() => front.sessions.list(null).length).toBe(2);
});
