import { mkdir, symlink } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import type { ServerSpec } from "../types.js";
import { connectAdmin, connectUser, startServer } from "./index.js";

/** Messages of the protocol: a letter, the length of the rest, the rest. */
function message(letter: string, ...rest: Buffer[]): Buffer {
  const body = Buffer.concat(rest);
  const head = Buffer.alloc(5);
  head.write(letter, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const asksForPassword = message("R", int32(3));
const ready = Buffer.concat([message("R", int32(0)), message("Z", Buffer.from("I"))]);

/** What a service's superuser can do: end PostgreSQL and answer on its socket himself. */
describe("a program that poses as the server", () => {
  let home: TestHome;
  let spec: ServerSpec;
  let server: Server | null = null;
  beforeAll(async () => {
    home = await TestHome.make();
    spec = await home.server();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    server?.close();
  });
  afterAll(() => home[Symbol.asyncDispose]());

  async function pose(answer: (socket: Socket, bytes: Buffer) => void): Promise<void> {
    const posing = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("data", (bytes) => answer(socket, bytes));
      socket.on("error", () => undefined);
    });
    server = posing;
    await new Promise<void>((resolve) => posing.listen(join(spec.paths.socket, ".s.PGSQL.5432"), () => resolve()));
  }

  it("is not told a password that the environment holds", async () => {
    vi.stubEnv("PGPASSWORD", "of-another-server");
    const heard: Buffer[] = [];
    await pose((socket, bytes) => {
      heard.push(bytes);
      if (bytes[0] === 0x70) socket.destroy();
      else socket.write(asksForPassword);
    });
    await expect(connectAdmin(spec)).rejects.toThrow("asks for a password");
    await expect(connectUser(spec, { username: "u", password: "", database: "d" })).rejects.toThrow();
    expect(Buffer.concat(heard).toString("latin1")).not.toContain("of-another-server");
  });

  it("is not listened to for ever", { timeout: 60_000 }, async () => {
    let asked = false;
    await pose((socket) => {
      if (!asked) socket.write(ready);
      asked = true;
      // A row that never ends: the length says two gigabytes.
      const flood = () => {
        while (socket.writable && socket.write(Buffer.alloc(1024 ** 2)));
        socket.once("drain", flood);
      };
      socket.once("data", () => {
        socket.write(Buffer.concat([Buffer.from("D"), int32(2 ** 31 - 1)]));
        flood();
      });
    });
    await expect(connectAdmin(spec)).rejects.toThrow("answered with more than");
  });

  it("cannot keep a session from its end", { timeout: 30_000 }, async () => {
    await pose((socket, bytes) => {
      if (bytes[0] !== 0x58) socket.write(ready);
    });
    await expect(connectAdmin(spec)).rejects.toThrow("another server answers");
  });
});

/** What else he can do: make his socket a link to the one of another service, which lets the platform in as well. */
it("a socket that leads to another service's server is not taken for its own", { timeout: 30_000 }, async () => {
  await using home = await TestHome.make();
  const victim = await home.server({ fsync: "off" });
  await startServer(victim, { log: silent });
  await (await connectAdmin(victim)).end();
  const socket = join(victim.paths.socket, "..", "planted");
  await mkdir(socket);
  await symlink(join(victim.paths.socket, ".s.PGSQL.5432"), join(socket, ".s.PGSQL.5432"));
  const attacker = { ...victim, title: "attacker", paths: { ...victim.paths, socket, data: "/elsewhere/data" } };
  await expect(connectAdmin(attacker)).rejects.toThrow("another server answers on the socket of server 'attacker'");
});
