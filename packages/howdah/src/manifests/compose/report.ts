import type { Place } from "../../kernel/errors.js";
import type { Diagnostic } from "../../spec/index.js";

/**
 * Collects what the compose door has to say. Parsing goes on after an error, so that a user sees all of them at once;
 * the same sentence about the same place is said once, however many aliases lead there.
 */
export class Report {
  readonly #items = new Map<string, Diagnostic>();
  readonly #files: string[] = [];

  error(code: string, message: string, place: Place, hint?: string): void {
    this.#add("error", code, message, place, hint);
  }

  warning(code: string, message: string, place: Place, hint?: string): void {
    this.#add("warning", code, message, place, hint);
  }

  notice(code: string, message: string, place: Place, hint?: string): void {
    this.#add("notice", code, message, place, hint);
  }

  get hasErrors(): boolean {
    return [...this.#items.values()].some((d) => d.severity === "error");
  }

  /** Sorted by file (as first spoken of), line and column. */
  get diagnostics(): Diagnostic[] {
    return [...this.#items.values()].sort((a, b) => this.#compare(a, b));
  }

  #add(severity: Diagnostic["severity"], code: string, message: string, place: Place, hint: string | undefined): void {
    if (!this.#files.includes(place.file)) this.#files.push(place.file);
    const key = JSON.stringify([severity, code, message, place]);
    if (this.#items.has(key)) return;
    this.#items.set(key, { severity, code, message, ...(hint === undefined ? {} : { hint }), place });
  }

  #compare(a: Diagnostic, b: Diagnostic): number {
    if (a.place === undefined || b.place === undefined) return 0;
    const files = this.#files.indexOf(a.place.file) - this.#files.indexOf(b.place.file);
    return files || a.place.line - b.place.line || a.place.column - b.place.column;
  }
}
