import { createHash, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../certificates/index.js";
import { Activity } from "./activity.js";
import { BackendLine } from "./backend-line.js";
import { CancelTable } from "./cancel-table.js";
import { Gate } from "./gate.js";
import { Line } from "./line.js";
import { admits, blameOf, peerAt } from "./peer.js";
import { RefusalDelay } from "./refusal-delay.js";
import { makeTlsIdentity, signatureHash } from "./tls-identity.js";
import { Verifiers } from "./verifiers.js";
import { Elapsed } from "./within.js";

const patient = () => ({ ms: 10_000, signal: new AbortController().signal });
/** Lets everything run that is due. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("where a client comes from", () => {
  it("is shown as people write it", () => {
    expect(peerAt("127.0.0.1", 50_312).shown).toBe("127.0.0.1:50312");
    expect(peerAt("::1", 50_312).shown).toBe("[::1]:50312");
    expect(peerAt("::ffff:10.0.0.7", 1).shown).toBe("10.0.0.7:1");
    expect(peerAt("fe80::1%eth0", 1).address).toBe("fe80::1");
  });

  it("decides whether it may", () => {
    const allow = ["10.0.0.0/8", "192.168.1.7", "fd00::/8", "::ffff:172.16.0.0/108"];
    const may = (address: string) => admits(allow, peerAt(address, 1));
    expect(["10.1.2.3", "::ffff:10.1.2.3", "192.168.1.7", "fd12::1", "172.16.9.9"].map(may)).toEqual(
      Array.from({ length: 5 }, () => true),
    );
    expect(["11.0.0.1", "192.168.1.8", "::ffff:192.168.1.8", "fe80::1", "127.0.0.1", "172.32.0.1"].map(may)).toEqual(
      Array.from({ length: 6 }, () => false),
    );
    expect(admits([], peerAt("8.8.8.8", 1))).toBe(true);
    expect(admits(["0.0.0.0/0"], peerAt("8.8.8.8", 1))).toBe(true);
    expect(admits(["0.0.0.0/0"], peerAt("2001:db8::1", 1))).toBe(false);
  });

  it("is blamed as one subscriber", () => {
    expect(blameOf(peerAt("10.0.0.7", 1))).toBe("10.0.0.7");
    const first = blameOf(peerAt("2001:db8:1:2::5", 1));
    expect(first).toBe("2001:db8:1:2::/64");
    expect(blameOf(peerAt("2001:db8:1:2:ffff:ffff:ffff:ffff", 1))).toBe(first);
    expect(blameOf(peerAt("2001:db8:1:3::5", 1))).not.toBe(first);
    expect(blameOf(peerAt("::1", 1))).toBe("0:0:0:0::/64");
    expect(blameOf(peerAt("fe80::", 1))).toBe("fe80:0:0:0::/64");
  });
});

describe("the delay of refusals", () => {
  let now = 1_000;
  const sleeps: { ms: number; wake: () => void }[] = [];
  const clock = {
    now: () => now,
    sleep: (ms: number) => new Promise<void>((wake) => void sleeps.push({ ms, wake })),
  };
  const signal = new AbortController().signal;
  const from = (address: string, role = "app") => ({ service: 7, peer: peerAt(address, 1), role });
  const make = (waiting: number) => {
    sleeps.length = 0;
    return new RefusalDelay({ clock, addresses: 2, waiting });
  };

  it("grows, is forgotten, and remembers a bounded number of addresses", async () => {
    const delays = make(99);
    const fail = (address: string) => {
      const before = sleeps.length;
      delays.failed(from(address));
      return sleeps.slice(before).map(({ ms }) => ms);
    };
    expect([1, 2, 3, 4, 5, 6].flatMap(() => fail("10.0.0.1"))).toEqual([100, 200, 400]);
    expect(fail("10.0.0.2")).toEqual([]);
    expect(fail("10.0.0.1")).toEqual([800]);
    fail("10.0.0.3");
    expect(delays.size).toBe(2);
    expect(fail("10.0.0.1")).toEqual([1_600]);
    now += 3_600_000;
    expect(fail("10.0.0.1")).toEqual([]);
  });

  it("holds for guesses whose answer nobody waits for, and lets nobody jump the line", async () => {
    const delays = make(2);
    const guess = from("10.0.0.1");
    for (let i = 0; i < 5; i++) {
      await delays.turn(guess, signal);
      delays.failed(guess);
    }
    const passed: number[] = [];
    const leaver = new AbortController();
    const left = delays.turn(guess, leaver.signal);
    const turns = [1, 2].map((n) => delays.turn(guess, signal).then(() => passed.push(n)));
    leaver.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect(passed).toEqual([]);
    // Another address, another service.
    await delays.turn(from("10.0.0.2"), signal);
    await delays.turn({ ...guess, service: 8 }, signal);
    sleeps[0]?.wake();
    await turns[0];
    expect(passed).toEqual([1]);
    const late = Array.from({ length: 7 }, () => delays.turn(guess, signal));
    await expect(delays.turn(guess, signal)).rejects.toMatchObject({ sqlstate: "57P03" });
    for (let i = 0; i < 8; i++) {
      delays.failed(guess);
      sleeps.at(-1)?.wake();
      await settle();
    }
    await Promise.all([...turns, ...late]);
  });

  it("keeps nobody out who has been in before, and nobody on this machine", async () => {
    const delays = make(2);
    delays.succeeded(from("10.0.0.1", "known"));
    for (const address of ["10.0.0.1", "127.0.0.1", "::1"]) {
      for (let i = 0; i < 9; i++) delays.failed(from(address, "guessed"));
    }
    await delays.turn(from("10.0.0.1", "known"), signal);
    await delays.turn(from("127.0.0.1"), signal);
    await delays.turn(from("::1"), signal);
  });
});

describe("a line", () => {
  it("gives its places out in order, and none to one who has left", async () => {
    const line = new Line(1);
    await line.enter(patient());
    const order: string[] = [];
    const leaver = new AbortController();
    const first = line.enter({ ms: 10_000, signal: leaver.signal }).catch(() => order.push("left"));
    const second = line.enter(patient()).then(() => order.push("second"));
    const third = line.enter(patient()).then(() => order.push("third"));
    // Given a place and gone in the same moment: the place is the next one's.
    line.leave();
    leaver.abort(new Error("gone"));
    await Promise.all([first, second]);
    line.leave();
    await third;
    expect(order.filter((name) => name !== "left")).toEqual(["second", "third"]);
    line.leave();
    await line.enter(patient());
    await expect(line.enter({ ms: 1, signal: new AbortController().signal })).rejects.toThrow(Elapsed);
  });
});

describe("the line for backends", () => {
  it("lets the oldest go first, and the one of the same role and database", async () => {
    const line = new BackendLine(3_600_000);
    const [first, second, third] = [line.takeTicket(), line.takeTicket(), line.takeTicket()];
    const order: number[] = [];
    const wait = (pair: string, ticket: number) => line.wait(pair, ticket, patient()).then(() => order.push(ticket));
    const waits = [wait("b", third), wait("a", second), wait("a", first)];
    expect(line.isCrowded("a", third)).toBe(true);
    expect(line.isCrowded("a", first)).toBe(false);
    line.freed("b");
    await settle();
    expect(order).toEqual([first, third]);
    line.admitted("a");
    await Promise.all(waits);
    expect(order).toEqual([first, third, second]);
    expect(line.isCrowded("a", 100)).toBe(false);
  });

  it("asks again by itself", async () => {
    const line = new BackendLine(1);
    await line.wait("a", line.takeTicket(), patient());
  });
});

describe("the gate", () => {
  const request = { service: 1, role: "app", client: "127.0.0.1:1", application: "", failed: null };
  const gate = (open: boolean, wake: () => Promise<void> = async () => undefined) =>
    new Gate(open, { wake, sleep: async () => undefined, onAway: () => undefined });

  it("counts who passes in the same turn", () => {
    const one = gate(true);
    void one.pass(request, patient());
    expect(one.close({ unlessBusy: true })).toBe(1);
    one.leave();
    expect(one.close({ unlessBusy: true })).toBe(0);
    void one.pass(request, patient()).catch(() => undefined);
    expect(one.busy).toBe(0);
  });

  it("asks once for all who wait, and anew for who comes after a failure", async () => {
    let asked = 0;
    const one = gate(false, async () => {
      asked += 1;
      throw Object.assign(new Error("no"), { code: "57P03" });
    });
    const results = await Promise.allSettled([1, 2, 3].map(() => one.pass(request, patient())));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(asked).toBe(1);
    await expect(one.pass(request, patient())).rejects.toThrow("no");
    expect(asked).toBe(2);
    expect(one.busy).toBe(0);
  });
});

describe("verifiers", () => {
  const secret = { role: "app", verifier: null, canLogin: true, validUntil: null };
  const clock = { now: () => Date.now(), sleep: async () => undefined };

  it("are asked for by logins together, but never answered from before the login", async () => {
    const answers: ((value: null) => void)[] = [];
    const verifiers = new Verifiers({
      ask: () => new Promise((resolve) => answers.push(resolve)),
      clock,
      patienceMs: 10_000,
      onAway: () => undefined,
    });
    const lookUp = () => verifiers.lookUp(1, "app", { holdMs: 0, signal: new AbortController().signal });
    const first = lookUp();
    const later = [lookUp(), lookUp(), lookUp()];
    await settle();
    expect(answers).toHaveLength(1);
    answers[0]?.(null);
    await first;
    await settle();
    expect(answers).toHaveLength(2);
    const last = lookUp();
    answers[1]?.(null);
    await Promise.all(later);
    await settle();
    expect(answers).toHaveLength(3);
    answers[2]?.(null);
    await last;
  });

  it("are taken from memory when control does not answer, but not when it has said that there is none", async () => {
    let answer: () => Promise<typeof secret | null> = async () => secret;
    const verifiers = new Verifiers({ ask: () => answer(), clock, patienceMs: 5, onAway: () => undefined });
    const lookUp = () => verifiers.lookUp(1, "app", { holdMs: 0, signal: new AbortController().signal });
    expect(await lookUp()).toBe(secret);
    answer = async () => {
      throw new Error("away");
    };
    expect(await lookUp()).toBe(secret);
    answer = async () => null;
    expect(await lookUp()).toBeNull();
    answer = async () => {
      throw new Error("away");
    };
    await expect(lookUp()).rejects.toMatchObject({ sqlstate: "57P03" });
  });
});

describe("the table of cancellations", () => {
  it("finds by service, pid and the whole secret", () => {
    const table = new CancelTable();
    const secret = Buffer.from("0123");
    const forget = table.add(1, 42, { secret, socketPath: "/one" });
    const forgetOther = table.add(1, 42, { secret: Buffer.from("abcdefgh"), socketPath: "/two" });
    expect(table.find(1, 42, Buffer.from("0123"))).toBe("/one");
    expect(table.find(1, 42, Buffer.from("abcdefgh"))).toBe("/two");
    for (const wrong of ["0124", "012", "01234", ""]) expect(table.find(1, 42, Buffer.from(wrong))).toBeNull();
    expect(table.find(2, 42, secret)).toBeNull();
    expect(table.find(1, 43, secret)).toBeNull();
    forget();
    expect(table.find(1, 42, secret)).toBeNull();
    forgetOther();
    expect(table.size).toBe(0);
  });
});

describe("activity", () => {
  it("is told at once from and to zero, and gathered in between", async () => {
    const told: number[] = [];
    const activity = new Activity((_service, sessions) => told.push(sessions));
    for (const sessions of [1, 2, 3, 4]) activity.changed(1, sessions);
    expect(told).toEqual([1]);
    while (told.length < 2) await settle();
    expect(told).toEqual([1, 4]);
    activity.changed(1, 5);
    activity.changed(1, 0);
    expect(told).toEqual([1, 4, 0]);
  });

  it("is told once more where a hello has said something else meanwhile", async () => {
    const told: number[] = [];
    const activity = new Activity((_service, sessions) => told.push(sessions));
    activity.changed(1, 1);
    activity.changed(1, 2);
    activity.told(1, 2);
    activity.changed(1, 1);
    while (told.length < 2) await settle();
    expect(told).toEqual([1, 1]);
  });
});

describe("the certificate", () => {
  it("is hashed with the hash of its signature", async () => {
    const authority = await createAuthority("a test");
    const certificate = await issueCertificate(authority, { names: ["localhost"], days: 2 });
    const der = new X509Certificate(certificate.cert).raw;
    expect(signatureHash(der)).toBe("sha256");
    expect(makeTlsIdentity(certificate).endPointHash).toEqual(createHash("sha256").update(der).digest());
    expect(() => makeTlsIdentity({ cert: certificate.cert, key: authority.key })).toThrow();
  });

  it("has another hash where another one signs, and none for Ed25519", () => {
    const element = (tag: number, ...parts: Buffer[]) => {
      const body = Buffer.concat(parts);
      const length = body.length < 128 ? [body.length] : [0x81, body.length];
      return Buffer.concat([Buffer.of(tag, ...length), body]);
    };
    const oid = (hex: string) => element(6, Buffer.from(hex, "hex"));
    const signedBy = (...algorithm: Buffer[]) =>
      signatureHash(element(0x30, element(0x30, Buffer.alloc(100)), element(0x30, ...algorithm), element(3)));
    const pss = oid("2a864886f70d01010a");
    expect(signedBy(oid("2a8648ce3d040303"))).toBe("sha384");
    expect(signedBy(oid("2a864886f70d01010d"))).toBe("sha512");
    expect(signedBy(oid("2a864886f70d010105"))).toBe("sha256");
    expect(signedBy(oid("2b6570"))).toBeNull();
    expect(signedBy(pss, element(0x30))).toBe("sha256");
    expect(signedBy(pss, element(0x30, element(0xa0, element(0x30, oid("608648016503040203")))))).toBe("sha512");
    expect(signedBy(pss, element(0x30, element(0xa2, Buffer.of(2, 1, 64))))).toBe("sha256");
  });
});
