import type { GatewayNotices } from "../link/contract.js";
import type { Refusal } from "../session/index.js";

const PERIOD_MS = 10_000;
/** Told one by one in a period; strangers may come from any number of addresses and as any number of roles. */
const MAX_KINDS = 100;
/** Control takes no longer names, and PostgreSQL knows none. */
const MAX_NAME = 63;
const MANY = "many addresses";

/** Gathers refused logins, so that a flood of them is a few notices. */
export class Refusals {
  readonly #tell: (notice: GatewayNotices["refused"]) => void;
  readonly #kinds = new Map<string, GatewayNotices["refused"]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (notice: GatewayNotices["refused"]) => void) {
    this.#tell = tell;
  }

  add({ service, reason, client, role }: Refusal): void {
    this.#timer ??= setTimeout(() => this.flush(), PERIOD_MS).unref();
    const name = role?.slice(0, MAX_NAME) ?? null;
    const one = { service, reason, client, role: name };
    if (!this.#count(one) && !this.#count({ ...one, client: MANY, role: null })) {
      this.#kinds.set(keyOf({ ...one, client: MANY, role: null }), { ...one, client: MANY, role: null, count: 1 });
    }
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const kinds = [...this.#kinds.values()];
    this.#kinds.clear();
    for (const kind of kinds) this.#tell(kind);
  }

  /** Whether there was room for it. */
  #count(one: Kind): boolean {
    const key = keyOf(one);
    const known = this.#kinds.get(key);
    if (known === undefined && this.#kinds.size >= MAX_KINDS) return false;
    this.#kinds.set(key, { ...one, count: (known?.count ?? 0) + 1 });
    return true;
  }
}

type Kind = Omit<GatewayNotices["refused"], "count">;

function keyOf({ service, reason, client, role }: Kind): string {
  return JSON.stringify([service, reason, client, role]);
}
