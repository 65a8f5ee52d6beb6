import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HowdahError } from "../kernel/errors.js";
import { LOOPBACK_ENDPOINT, type Mode } from "../spec/index.js";
import type { ServiceRecord, SleepRecord } from "../store/index.js";
import type { Base } from "./base.js";
import type { Gateway } from "./gateway.js";
import { describeSessions, Sleep } from "./sleep.js";

const never: SleepRecord = {
  asleep: false,
  wakes: 0,
  lastWakeMs: null,
  lastWakeAt: null,
  sleptAt: null,
  asleepMs: 0,
};

/** One service, with as much of store and gateway as sleep looks at. */
function setup(mode: Mode = { kind: "flash", timeoutMs: 10_000 }) {
  const world = { sleep: never, sessions: 0, present: true, state: "running" as ServiceRecord["state"] };
  const kicks: number[] = [];
  const record = () =>
    ({
      id: 1,
      project: "p",
      name: "n",
      state: world.state,
      definition: { mode, endpoint: LOOPBACK_ENDPOINT },
    }) as unknown as ServiceRecord;
  const services = {
    get: () => record(),
    sleep: () => world.sleep,
    observeSleep: (_id: number, patch: Partial<SleepRecord>) => {
      world.sleep = { ...world.sleep, ...patch };
      return world.sleep;
    },
  };
  const gateway = {
    get present() {
      return world.present;
    },
    sessions: () => world.sessions,
    details: () => [{ client: "127.0.0.1:50312", application: "psql" }],
  };
  const base = { store: { services }, log: { debug: () => undefined } } as unknown as Base;
  const sleep = new Sleep({ ...base, gateway: gateway as unknown as Gateway }, (id) => kicks.push(id));
  return { world, sleep, kicks, record };
}

describe("Sleep", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("asks for a sleep when nobody was there for the timeout", () => {
    const { sleep, kicks, record } = setup();
    sleep.running(record());
    vi.advanceTimersByTime(9_999);
    expect(sleep.sleepWanted(1)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(sleep.sleepWanted(1)).toBe(true);
    expect(kicks).toEqual([1]);
  });

  it("begins to count when the last client has left, and not at all in regular mode", () => {
    const { sleep, record, world } = setup();
    world.sessions = 1;
    sleep.running(record());
    vi.advanceTimersByTime(60_000);
    expect(sleep.sleepWanted(1)).toBe(false);
    world.sessions = 0;
    sleep.activity(1, 0);
    vi.advanceTimersByTime(10_000);
    expect(sleep.sleepWanted(1)).toBe(true);
    const regular = setup({ kind: "regular" });
    regular.sleep.running(regular.record());
    vi.advanceTimersByTime(1e8);
    expect(regular.sleep.sleepWanted(1)).toBe(false);
  });

  it("interrupts its preparations for whoever comes, and asks again later when something spoke against it", () => {
    const { sleep, record } = setup();
    sleep.running(record());
    vi.advanceTimersByTime(10_000);
    const signal = sleep.preparing(1);
    sleep.activity(1, 1);
    expect(signal.aborted).toBe(true);
    expect(sleep.sleepWanted(1)).toBe(false);
    sleep.prepared(1, []);
    sleep.activity(1, 0);
    vi.advanceTimersByTime(10_000);
    sleep.preparing(1);
    sleep.prepared(1, ["a base backup"]);
    expect(sleep.view(record()).awakeBecause).toBe("a base backup");
    // The reconciler finds it running, and settles it.
    sleep.running(record());
    vi.advanceTimersByTime(4_999);
    expect(sleep.sleepWanted(1)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(sleep.sleepWanted(1)).toBe(true);
  });

  it("does not ask without the gateway, which alone knows the clients", () => {
    const { sleep, record, world } = setup();
    sleep.running(record());
    world.present = false;
    vi.advanceTimersByTime(30_000);
    expect(sleep.sleepWanted(1)).toBe(false);
    world.present = true;
    vi.advanceTimersByTime(5_000);
    expect(sleep.sleepWanted(1)).toBe(true);
  });

  it("wakes once for many, counts the wake and how long it slept", async () => {
    const { sleep, record, world, kicks } = setup();
    world.sleep = { ...never, asleep: true, sleptAt: 1_000_000 };
    world.state = "sleeping";
    vi.advanceTimersByTime(3_000);
    expect(sleep.view(record())).toMatchObject({ awakeBecause: null, asleepSince: 1_000_000, asleepMs: 3_000 });
    const herd = [sleep.wake(1), sleep.wake(1), sleep.wake(1)];
    expect(sleep.wakeWanted(1)).toBe(true);
    expect(kicks.length).toBeGreaterThan(0);
    vi.advanceTimersByTime(30);
    world.state = "running";
    sleep.running(record());
    await Promise.all(herd);
    expect(world.sleep.wakes, "clients do not wait for what is written down").toBe(0);
    sleep.noteWake(record());
    expect(world.sleep).toMatchObject({ asleep: false, wakes: 1, asleepMs: 3_030, sleptAt: null });
    expect(sleep.wakeWanted(1)).toBe(false);
    expect(sleep.histogram().count).toBe(1);
    sleep.running(record());
    sleep.noteWake(record());
    expect(world.sleep.wakes).toBe(1);
  });

  it("goes on waiting for what time may cure, and tells the rest", async () => {
    const { sleep } = setup();
    const waiting = sleep.wake(1);
    sleep.failed(1, new HowdahError("DISK_FULL", "no space"));
    expect(sleep.wakeWanted(1)).toBe(new HowdahError("DISK_FULL", "x").spec.retryable);
    const fatal = new HowdahError("SERVICE_STOPPED", "service 'p/n' was stopped");
    sleep.giveUp(1, fatal);
    await expect(waiting).rejects.toThrow();
    expect(sleep.wakeWanted(1)).toBe(false);
  });

  it("says why it is awake", () => {
    const { sleep, record, world } = setup();
    sleep.running(record());
    vi.advanceTimersByTime(4_000);
    expect(sleep.view(record()).awakeBecause).toBe("idle, sleeps in 6s");
    world.sessions = 1;
    expect(sleep.view(record()).awakeBecause).toBe("1 open connection from 127.0.0.1 (psql)");
    const regular = setup({ kind: "regular" });
    expect(regular.sleep.view(regular.record()).awakeBecause).toBe("its mode is regular");
  });
});

describe("describeSessions", () => {
  it("names each kind of client once, and not all of many", () => {
    const from = (...clients: string[]) => clients.map((client, i) => ({ client, application: i === 0 ? "web" : "" }));
    expect(describeSessions(2, from("[::1]:5", "10.0.0.7:1"))).toBe("2 open connections from ::1 (web), 10.0.0.7");
    expect(describeSessions(9, from("1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1", "4.4.4.4:1"))).toBe(
      "9 open connections from 1.1.1.1 (web), 2.2.2.2, 3.3.3.3 and others",
    );
    expect(describeSessions(1, [])).toBe("1 open connection");
  });
});
