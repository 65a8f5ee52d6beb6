import type { RoleSecret } from "../spec/index.js";

/** Some 20 MB. */
const MAX_ROLES = 50_000;

/**
 * Role secrets that were opened lately, by service and role. Each login to a sleeping service asks for one, of strangers
 * too, and to open all of a service that has 50,000 roles takes 90 ms: without this a few guesses a second at such a
 * service would keep control from everything else.
 */
export class RecentRoleSecrets {
  readonly #services = new Map<number, ReadonlyMap<string, RoleSecret>>();
  #roles = 0;

  /** `open` is called when they are not at hand. */
  of(service: number, open: () => readonly RoleSecret[]): ReadonlyMap<string, RoleSecret> {
    const secrets = this.#services.get(service) ?? new Map(open().map((secret) => [secret.role, secret]));
    this.forget(service);
    this.#services.set(service, secrets);
    this.#roles += secrets.size;
    for (const oldest of this.#services.keys()) {
      // One that is too large by itself stays until another is asked for.
      if (this.#roles <= MAX_ROLES || oldest === service) break;
      this.forget(oldest);
    }
    return secrets;
  }

  forget(service: number): void {
    this.#roles -= this.#services.get(service)?.size ?? 0;
    this.#services.delete(service);
  }
}
