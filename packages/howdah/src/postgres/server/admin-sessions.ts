import type pg from "pg";
import { HowdahError } from "../../kernel/errors.js";
import type { ServerSpec } from "../types.js";
import { connectAdmin, type Endpoint, sqlStateOf, TRUSTED_PATH } from "./connect.js";

/** A login takes 6 ms, which every client's login would wait for; a session that lies ready answers in 0.2 ms. */
const IDLE_MS = 5_000;

interface Session {
  readonly client: pg.Client;
  /** The server closed it, or it broke. */
  ended: boolean;
}

interface Place {
  session: Session | null;
  /** Whoever comes next begins behind this; never rejects. */
  last: Promise<unknown>;
  waiting: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Sessions of the platform's role for short questions that come often (verifiers at each login): one a service, opened
 * when asked for, kept for five seconds. It is no activity of the service's and does not hinder a fast stop.
 */
export class AdminSessions implements AsyncDisposable {
  readonly #places = new Map<number, Place>();
  readonly #idleMs: number;
  #closed = false;

  constructor(options: { readonly idleMs?: number } = {}) {
    this.#idleMs = options.idleMs ?? IDLE_MS;
  }

  /**
   * Runs `work` with the service's session; one after the other for each service. Where a session that lay ready turns
   * out to be dead, the work is done once more on a new one, so it has to be a question, or harmless when done twice.
   * `search_path` is `pg_catalog`; the work leaves no settings or transactions behind. Throws what connectAdmin and the
   * work throw.
   */
  async run<T>(spec: Endpoint & Pick<ServerSpec, "id">, work: (client: pg.Client) => Promise<T>): Promise<T> {
    if (this.#closed) throw new HowdahError("INTERNAL", "the platform's sessions are closed");
    const place = this.#places.get(spec.id) ?? { session: null, last: Promise.resolve(), waiting: 0, timer: undefined };
    this.#places.set(spec.id, place);
    clearTimeout(place.timer);
    place.waiting++;
    const mine = place.last.then(() => this.#attempt(spec, place, work));
    place.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      place.waiting--;
      if (place.waiting === 0) this.#rest(spec.id, place);
    }
  }

  async #attempt<T>(spec: Endpoint, place: Place, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const ready = place.session;
    if (ready !== null && !ready.ended) {
      try {
        return await work(ready.client);
      } catch (error) {
        const dead = ready.ended || isDisconnect(error);
        void this.#drop(place);
        if (!dead) throw error;
      }
    }
    void this.#drop(place);
    const session = await open(spec);
    place.session = session;
    try {
      return await work(session.client);
    } catch (error) {
      // What it left behind is unknown.
      void this.#drop(place);
      throw error;
    }
  }

  /** Closes the service's session, if there is one; asked for again, a new one is opened. Resolves when it has ended. */
  async forget(id: number): Promise<void> {
    const place = this.#places.get(id);
    if (place === undefined) return;
    if (place.waiting === 0) {
      clearTimeout(place.timer);
      this.#places.delete(id);
    }
    await this.#drop(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const places = [...this.#places.values()];
    await Promise.all(places.map((place) => place.last));
    await Promise.all(places.map((place) => this.#drop(place)));
    for (const place of places) clearTimeout(place.timer);
    this.#places.clear();
  }

  #rest(id: number, place: Place): void {
    if (place.session === null) {
      if (this.#places.get(id) === place) this.#places.delete(id);
      return;
    }
    place.timer = setTimeout(() => void this.forget(id), this.#idleMs).unref();
  }

  /** Never rejects; only who wants the session to be gone waits for it. */
  async #drop(place: Place): Promise<void> {
    const { session } = place;
    place.session = null;
    if (session === null) return;
    session.ended = true;
    // A connection that is broken already cannot be ended in order.
    await session.client.end().catch(() => undefined);
  }
}

async function open(spec: Endpoint): Promise<Session> {
  const client = await connectAdmin(spec, "postgres", TRUSTED_PATH);
  const session: Session = { client, ended: false };
  const end = () => {
    session.ended = true;
  };
  client.on("error", end);
  client.on("end", end);
  return session;
}

/** The server ended the session (stop, restart, pg_terminate_backend), or the socket broke. */
function isDisconnect(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return state.startsWith("57P") || state.startsWith("08");
  return error instanceof Error && /Connection terminated|not queryable|ECONNRESET|EPIPE/.test(error.message);
}
