import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HowdahError } from "../../kernel/errors.js";
import { LinkFailure, MalformedMessage, toClientError, toLinkError } from "./failure.js";
import { LineReader, MAX_LINE_BYTES } from "./line-reader.js";
import { Peer, type PeerOptions } from "./peer.js";

describe("lines", () => {
  it("are the same however they were cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat(40)), (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll("\n", " "));
        let bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const reader = new LineReader();
        const seen: string[] = [];
        for (const cut of cuts) {
          seen.push(...reader.push(bytes.subarray(0, cut)));
          bytes = bytes.subarray(cut);
        }
        seen.push(...reader.push(bytes));
        expect(seen).toEqual(lines);
      }),
    );
  });

  it("have a limit, whether or not they end", () => {
    const fits = Buffer.alloc(MAX_LINE_BYTES, "x");
    expect([...new LineReader().push(Buffer.concat([fits, Buffer.from("\nnext\n")]))][1]).toBe("next");
    expect(() => [...new LineReader().push(Buffer.concat([fits, Buffer.from("x\n")]))]).toThrow(MalformedMessage);
    const reader = new LineReader();
    expect([...reader.push(fits)]).toEqual([]);
    expect(() => [...reader.push(Buffer.from("x"))]).toThrow("longer than");
  });
});

let folder: string;
let server: Server;
let near: Socket;
let far: Socket;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "howdah-link-"));
  server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  const accepted = once(server, "connection") as Promise<[Socket]>;
  near = connect(join(folder, "s"));
  [far] = await accepted;
});
afterEach(async () => {
  near.destroy();
  far.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

interface Seen {
  readonly problems: (Error | null)[];
  readonly bugs: unknown[];
  readonly notices: unknown[];
}

function peer(socket: Socket, options: Partial<PeerOptions> = {}): Peer & Seen {
  const seen: Seen = { problems: [], bugs: [], notices: [] };
  const made = new Peer(socket, {
    onRequest: async () => ({}),
    onNotice: (method, params) => seen.notices.push([method, params]),
    onEnd: (problem) => seen.problems.push(problem),
    unreachable: () => new HowdahError("GATEWAY_UNREACHABLE", "away"),
    onBug: (_method, error) => seen.bugs.push(error),
    ...options,
  });
  return Object.assign(made, seen);
}

const anything = { check: (value: unknown) => value };

describe("a peer", () => {
  it("gets answers in any order, in both directions at once", async () => {
    const late: (() => void)[] = [];
    const echo = async (method: string, params: unknown) => {
      if (method === "late") await new Promise<void>((resolve) => late.push(resolve));
      return { method, params };
    };
    const [one, two] = [peer(near, { onRequest: echo }), peer(far, { onRequest: echo })];
    const waiting = [one, two].map((each) => each.call("late", 1, anything));
    expect(await one.call("soon", { a: "ä\n" }, anything)).toEqual({ method: "soon", params: { a: "ä\n" } });
    expect(await two.call("soon", null, anything)).toEqual({ method: "soon", params: null });
    await expect.poll(() => late.length).toBe(2);
    for (const go of late) go();
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ method: "late", params: 1 }));
    one.notify("told", [1]);
    await expect.poll(() => two.notices).toEqual([["told", [1]]]);
  });

  it("hears null as null, nothing as nothing, and errors with code and hint", async () => {
    const answers: (() => unknown)[] = [
      () => null,
      () => undefined,
      () => {
        throw new LinkFailure("EADDRINUSE", "taken", "free it");
      },
      () => {
        throw new HowdahError("SERVICE_STOPPED", "it is stopped", { hint: "Start it." });
      },
      () => {
        throw new TypeError("the password is hunter2");
      },
    ];
    const caller = peer(near);
    const other = peer(far, { onRequest: async () => answers.shift()?.() });
    expect(await caller.call("x", {}, anything)).toBeNull();
    expect(await caller.call("x", {}, anything)).toEqual({});
    await expect(caller.call("x", {}, anything)).rejects.toMatchObject({ code: "EADDRINUSE", hint: "free it" });
    await expect(caller.call("x", {}, anything)).rejects.toMatchObject({ code: "SERVICE_STOPPED", hint: "Start it." });
    await expect(caller.call("x", {}, anything)).rejects.toMatchObject({ code: "INTERNAL", message: "internal error" });
    expect(other.bugs).toEqual([new TypeError("the password is hunter2")]);
    expect(caller.ended).toBe(false);
  });

  it("rejects what is under way, and all that follows, when the other side is gone", async () => {
    const caller = peer(near);
    const waiting = caller.call("x", {}, anything);
    far.destroy();
    await expect(waiting).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
    await expect(caller.call("x", {}, anything)).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
    caller.notify("x", {});
    expect(caller.problems).toEqual([null]);
  });

  it("gives up one that does not answer in time", async () => {
    const caller = peer(near);
    await expect(caller.call("x", {}, { ...anything, timeoutMs: 5 })).rejects.toMatchObject({
      code: "GATEWAY_UNREACHABLE",
    });
    expect(caller.problems).toEqual([new Error("no answer to 'x'")]);
  });

  it("cuts off whoever answers what the contract does not know", async () => {
    peer(far, { onRequest: async () => "nonsense" });
    const caller = peer(near);
    const check = () => {
      throw new MalformedMessage("not an object");
    };
    await expect(caller.call("x", {}, { check })).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
    expect(caller.problems).toEqual([new MalformedMessage("not an object")]);
  });

  it.each([
    ["no JSON", "{"],
    ["an empty line", ""],
    ["no object", "[1]"],
    ["null", "null"],
    ["neither request nor answer", "{}"],
    ["a number that is text", '{"id":"1","method":"x"}'],
    ["an answer to nothing", '{"id":7,"result":{}}'],
    ["a line without an end", "x".repeat(MAX_LINE_BYTES + 1)],
  ])("cuts off who sends %s", async (_what, line) => {
    const caller = peer(near);
    const waiting = caller.call("x", {}, anything);
    far.write(`${line}\n`);
    await expect(waiting).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
    expect(caller.problems).toEqual([expect.any(MalformedMessage)]);
    expect(near.destroyed).toBe(true);
  });

  it("survives any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        const accepted = once(server, "connection") as Promise<[Socket]>;
        const stranger = connect(join(folder, "s"));
        const [socket] = await accepted;
        const seen = peer(socket);
        stranger.on("error", () => undefined);
        stranger.end(Buffer.concat([bytes, Buffer.from("\n")]));
        stranger.resume();
        await once(stranger, "close");
        await expect.poll(() => seen.problems.length).toBe(1);
        expect(seen.bugs).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it("says its last words", async () => {
    const other = peer(far);
    const caller = peer(near);
    caller.notify("last", "x".repeat(500_000));
    await caller.finish();
    await expect.poll(() => other.notices.length).toBe(1);
    expect(caller.ended).toBe(true);
  });
});

describe("errors", () => {
  it("cross to PostgreSQL's clients with an SQLSTATE", () => {
    const stopped = new HowdahError("SERVICE_STOPPED", "it is stopped", { hint: "Start it." });
    expect(toClientError(stopped)).toEqual({ code: "57P03", message: "it is stopped", hint: "Start it." });
    expect(toClientError(new LinkFailure("53300", "full"))).toEqual({ code: "53300", message: "full", hint: null });
    expect(toClientError(new HowdahError("INTERNAL", "a bug")).code).toBe("XX000");
    expect(toClientError(new Error("hunter2"))).toEqual({ code: "XX000", message: "internal error", hint: null });
    expect(toLinkError("hunter2")).toEqual({ code: "INTERNAL", message: "internal error", hint: null });
  });
});
