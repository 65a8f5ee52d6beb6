/**
 * Parent of the gateway's workers, and a second holder of every listening socket: when a worker dies, whoever connects
 * then waits in the socket's queue until the next worker takes it. As root it keeps root's rights, because a worker has to
 * read its program, which may lie where only root may go, before it becomes somebody else; so the keeper never reads a
 * byte from a client, knows nothing of PostgreSQL, and is small enough to be read at one sitting.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import {
  isListenerHandle,
  type ListenerHandle,
  readToKeeper,
  type ToKeeper,
  type ToWorker,
} from "./keeper-messages.js";

/** A successor that takes longer is not well. */
const READY_MS = 10_000;
/** A worker that does not let go of its listeners within this time is left alone: both accept then, which does no harm. */
const SILENCE_MS = 2_000;
/** A worker that lived this long was well: the next one is started at once. */
const STEADY_MS = 10_000;
const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 5_000;
const END_MS = 1_500;
const MAX_HELD = 100_000;

export interface KeeperOptions {
  /** The worker's entry file, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As `ToWorker`'s. */
  readonly mockSecret: string;
  readonly log: (level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;
  /** Nothing is left to do. */
  readonly onEnd: (code: number) => void;
}

interface Worker {
  readonly child: ChildProcess;
  readonly startedAt: number;
  timer?: NodeJS.Timeout;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #held = new Map<number, ListenerHandle>();
  /** Draining ones included. */
  readonly #workers = new Set<Worker>();
  /** The one that takes connections. */
  #current: Worker | null = null;
  /** The one that shall. */
  #successor: Worker | null = null;
  /** The current one was told to fall silent: there is no way back to it. */
  #committed = false;
  #quickDeaths = 0;
  #ending = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#current = this.#fork({ accept: true });
  }

  /** Ends every worker with all its connections, then itself. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#options.log("info", "ending");
    for (const { child } of this.#workers) child.kill("SIGTERM");
    setTimeout(() => {
      for (const { child } of this.#workers) child.kill("SIGKILL");
    }, END_MS).unref();
    this.#endIfEmpty();
  }

  #fork(o: { accept: boolean }): Worker {
    const { program, args, env, mockSecret, log } = this.#options;
    const child = fork(program, args, { env, execArgv: [], cwd: "/", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const worker: Worker = { child, startedAt: Date.now() };
    this.#workers.add(worker);
    child.on("message", (message, handle) => this.#hear(worker, readToKeeper(message), handle));
    child.once("exit", (code, signal) => this.#gone(worker, { code, signal }));
    // 'exit' does not follow when it could not be started at all.
    child.once("error", (error) => {
      log("error", "a worker failed", { pid: child.pid, reason: error.message });
      if (child.pid === undefined) this.#gone(worker, { code: null, signal: null });
    });
    log("info", "worker started", { worker: child.pid, listeners: this.#held.size });
    for (const [service, handle] of this.#held) tell(worker, { say: "listener", service }, handle);
    tell(worker, { say: "start", accept: o.accept, mockSecret });
    return worker;
  }

  #hear(worker: Worker, message: ToKeeper | null, handle: unknown): void {
    if (message?.say === "hold" && isListenerHandle(handle)) {
      this.#hold(worker, message.service, handle);
      tell(worker, { say: "done", turn: message.turn });
      return;
    }
    if (isListenerHandle(handle)) handle.close();
    if (message === null) this.#options.log("warn", "a worker said what none says", { worker: worker.child.pid });
    else if (message.say === "drop") {
      if (this.#isActive(worker)) this.#drop(message.service);
      tell(worker, { say: "done", turn: message.turn });
    } else if (message.say === "end") this.end();
    else if (message.say === "handover" && worker === this.#current) this.#beginHandover(worker);
    else if (message.say === "ready" && worker === this.#successor) this.#silenceCurrent(worker);
    else if (message.say === "silent" && worker === this.#current) this.#promote();
  }

  /** A draining worker has no say in who listens where. */
  #isActive(worker: Worker): boolean {
    return worker === this.#current || worker === this.#successor;
  }

  #hold(from: Worker, service: number, handle: ListenerHandle): void {
    if (!this.#isActive(from) || (this.#held.size >= MAX_HELD && !this.#held.has(service))) {
      handle.close();
      return;
    }
    this.#held.get(service)?.close();
    this.#held.set(service, handle);
    // The other one could not listen on the same address by itself.
    const other = from === this.#current ? this.#successor : this.#current;
    if (other !== null) tell(other, { say: "listener", service }, handle);
  }

  #drop(service: number): void {
    this.#held.get(service)?.close();
    this.#held.delete(service);
  }

  #beginHandover(worker: Worker): void {
    if (this.#successor !== null) {
      tell(worker, { say: "handover-failed", why: "a handover is under way" });
      return;
    }
    const successor = this.#fork({ accept: false });
    this.#successor = successor;
    successor.timer = setTimeout(() => {
      this.#options.log("error", "the successor does not become ready", { worker: successor.child.pid });
      successor.child.kill("SIGKILL");
    }, READY_MS);
  }

  /** First the old one stops taking connections, then the new one begins: in between they wait in the queues. */
  #silenceCurrent(successor: Worker): void {
    clearTimeout(successor.timer);
    if (this.#current === null) {
      this.#promote();
      return;
    }
    this.#committed = true;
    tell(this.#current, { say: "fall-silent" });
    successor.timer = setTimeout(() => this.#promote(), SILENCE_MS);
  }

  #promote(): void {
    const successor = this.#successor;
    if (successor === null) return;
    clearTimeout(successor.timer);
    const old = this.#current;
    this.#current = successor;
    this.#successor = null;
    this.#committed = false;
    tell(successor, { say: "accept" });
    if (old !== null) tell(old, { say: "handed-over", pid: successor.child.pid ?? 0 });
    this.#options.log("info", "handed over", { from: old?.child.pid, to: successor.child.pid });
  }

  #gone(worker: Worker, end: { code: number | null; signal: NodeJS.Signals | null }): void {
    clearTimeout(worker.timer);
    this.#workers.delete(worker);
    if (this.#ending) {
      this.#endIfEmpty();
      return;
    }
    const fields = { worker: worker.child.pid, ...end };
    if (worker === this.#successor) this.#successorGone(worker, fields);
    else if (worker === this.#current) this.#currentGone(worker, fields);
    else this.#options.log("info", "worker has drained", fields);
  }

  #currentGone(worker: Worker, fields: Record<string, unknown>): void {
    this.#current = null;
    this.#options.log("error", "worker ended unasked", fields);
    if (this.#successor === null) this.#restart(worker);
    else this.#promote();
  }

  #successorGone(worker: Worker, fields: Record<string, unknown>): void {
    this.#options.log("error", "the successor ended", fields);
    if (this.#committed) {
      // The old one has closed its listeners already: it drains, and yet another one takes its place.
      this.#successor = this.#fork({ accept: true });
      this.#promote();
      return;
    }
    this.#successor = null;
    if (this.#current === null) this.#restart(worker);
    else tell(this.#current, { say: "handover-failed", why: "the new gateway process did not become ready" });
  }

  /** Meanwhile connections queue in the sockets that we hold. */
  #restart(dead: Worker): void {
    this.#quickDeaths = Date.now() - dead.startedAt > STEADY_MS ? 0 : this.#quickDeaths + 1;
    const waitMs =
      this.#quickDeaths <= 1 ? 0 : Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** Math.min(20, this.#quickDeaths - 2));
    setTimeout(() => this.#startAgain(dead), waitMs);
  }

  #startAgain(dead: Worker): void {
    if (this.#ending) return;
    if (existsSync(this.#options.program) && existsSync(process.execPath)) {
      this.start();
      return;
    }
    // An upgrade took the program away. A new keeper knows where the new one is, but draining workers would be left
    // without a parent.
    this.#options.log("error", "the program is gone", { program: this.#options.program });
    if (this.#workers.size === 0) this.#options.onEnd(1);
    else this.#restart(dead);
  }

  #endIfEmpty(): void {
    if (this.#workers.size === 0) this.#options.onEnd(0);
  }
}

/** A worker that is gone hears nothing; its 'exit' tells. */
function tell(worker: Worker, message: ToWorker, handle?: ListenerHandle): void {
  worker.child.send(message, handle as never, () => undefined);
}
