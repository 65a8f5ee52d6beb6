/** Somebody who works all the time, on a connection that stays open and with new logins, and tells how it went. */
import { setTimeout as delay } from "node:timers/promises";
import { connectTo } from "./installation.js";

const PAUSE_MS = 10;

export class SteadyClient {
  readonly errors: string[] = [];
  #answers: number[] = [];
  #logins: number[] = [];
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();
  /** The process that works for the connection that stays. */
  backend = 0;

  static async start(url: string): Promise<SteadyClient> {
    const steady = new SteadyClient();
    const client = await connectTo(url);
    steady.backend = (await client.query("select pg_backend_pid() as pid")).rows[0].pid;
    const work = async (act: () => Promise<number>, times: () => number[]) => {
      while (!steady.#stopped) {
        try {
          const began = performance.now();
          await act();
          times().push(performance.now() - began);
        } catch (error) {
          steady.errors.push(String(error));
        }
        await delay(PAUSE_MS);
      }
    };
    const ask = async () => (await client.query("select 1 as one")).rows[0].one;
    const logIn = async () => {
      const newcomer = await connectTo(url);
      const { rows } = await newcomer.query("select 1 as one");
      await newcomer.end();
      return rows[0].one;
    };
    const both = [work(ask, () => steady.#answers), work(logIn, () => steady.#logins)];
    steady.#done = Promise.all(both).then(() => client.end());
    return steady;
  }

  /** How long answers and logins took since the last time, this process's own work included. For people. */
  summary(): string {
    const [answers, logins] = [this.#answers, this.#logins];
    this.#answers = [];
    this.#logins = [];
    return `answers: ${spread(answers)}; logins: ${spread(logins)}`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(1);
  return `${sorted.length}, median ${at(0.5)} ms, 99% ${at(0.99)} ms, longest ${at(1)} ms`;
}
