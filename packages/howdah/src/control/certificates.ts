/** The certificate that endpoints present: the user's own, or one that the installation's authority issues. */
import { hostname } from "node:os";
import {
  type Authority,
  checkServerCertificate,
  createAuthority,
  defaultNames,
  issueCertificate,
  needsRenewal,
  readCertificate,
  type ServerCertificate,
} from "../gateway/index.js";
import { isLoopback } from "../spec/index.js";
import type { Store } from "../store/index.js";
import type { CertificateView, Control } from "./types.js";

const AUTHORITY = "tls/authority";
const ISSUED = "tls/issued";
const OWN = "tls/own";
/** As long as public authorities may. */
const DAYS = 397;

export class Certificates {
  readonly #store: Store;
  readonly #onChange: () => Promise<void>;
  /** Making one takes a moment, and two at once must end up with the same. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, onChange: () => Promise<void>) {
    this.#store = store;
    this.#onChange = onChange;
  }

  /** What is presented now; made or renewed when there is none that serves. */
  server(): Promise<ServerCertificate> {
    return this.#inTurn(() => this.#server());
  }

  readonly control: Control["certificates"] = {
    authority: () => this.#inTurn(async () => (await this.#authority()).cert),
    present: () => this.#inTurn(() => this.#present()),
    use: async (certificate) => {
      checkServerCertificate(certificate);
      this.#store.sealed.set(OWN, JSON.stringify(certificate));
      await this.#onChange();
      return this.#inTurn(() => this.#present());
    },
    reset: async () => {
      this.#store.sealed.remove(OWN);
      await this.#onChange();
      return this.#inTurn(() => this.#present());
    },
  };

  /** Whether the one that is presented should be made anew: it ends soon, or an address came. */
  async renewalDue(): Promise<boolean> {
    const issued = this.#read<ServerCertificate>(ISSUED);
    if (this.#store.sealed.get(OWN) !== undefined || issued === undefined) return false;
    return needsRenewal(issued, this.#names(), Date.now());
  }

  async #present(): Promise<CertificateView> {
    const { cert } = await this.#server();
    const { names, notAfter } = readCertificate(cert);
    return { cert, own: this.#store.sealed.get(OWN) !== undefined, names, notAfter };
  }

  async #server(): Promise<ServerCertificate> {
    const own = this.#read<ServerCertificate>(OWN);
    if (own !== undefined) return own;
    const issued = this.#read<ServerCertificate>(ISSUED);
    const names = this.#names();
    if (issued !== undefined && !needsRenewal(issued, names, Date.now())) return issued;
    const fresh = await issueCertificate(await this.#authority(), { names, days: DAYS });
    this.#store.sealed.set(ISSUED, JSON.stringify(fresh));
    return fresh;
  }

  async #authority(): Promise<Authority> {
    const known = this.#read<Authority>(AUTHORITY);
    if (known !== undefined) return known;
    const fresh = await createAuthority(`Howdah on ${hostname()}`);
    this.#store.sealed.set(AUTHORITY, JSON.stringify(fresh));
    return fresh;
  }

  #names(): string[] {
    const listened = this.#store.services.list().map((record) => record.definition.endpoint.listen);
    return defaultNames(
      hostname(),
      [...new Set(listened)].filter((address) => !isLoopback(address)),
    );
  }

  #read<T>(name: string): T | undefined {
    const text = this.#store.sealed.get(name);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
