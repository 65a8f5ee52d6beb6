/** Thins out what control is told of a service's sessions: from and to zero at once, in between every 100 ms at most. */

const MIN_GAP_MS = 100;

interface Told {
  sessions: number;
  now: number;
  timer: NodeJS.Timeout | null;
}

export class Activity {
  readonly #services = new Map<number, Told>();

  constructor(private readonly tell: (service: number, sessions: number) => void) {}

  changed(service: number, sessions: number): void {
    const told = this.#services.get(service) ?? { sessions: 0, now: 0, timer: null };
    this.#services.set(service, told);
    told.now = sessions;
    if (sessions === 0 || told.sessions === 0) {
      this.#tell(service, told);
      return;
    }
    told.timer ??= setTimeout(() => this.#tell(service, told), MIN_GAP_MS);
  }

  /** Control was told another way. */
  told(service: number, sessions: number): void {
    const known = this.#services.get(service);
    if (known !== undefined) known.sessions = sessions;
  }

  #tell(service: number, told: Told): void {
    if (told.timer !== null) clearTimeout(told.timer);
    told.timer = null;
    // Only services with sessions are remembered.
    if (told.now === 0) this.#services.delete(service);
    if (told.now === told.sessions) return;
    told.sessions = told.now;
    this.tell(service, told.now);
  }
}
