/** Reads `a=value,b=value,…` from front to back as auth-scram.c does, with its errors. Text is one character a byte
 *  (latin1), so that nothing is lost and positions are bytes. */
import { ProtocolViolation } from "../violation.js";

export class AttributeReader {
  readonly text: string;
  #at = 0;

  /** @throws ProtocolViolation when the message is empty or holds a zero byte */
  constructor(data: Buffer) {
    if (data.length === 0) throw malformed("The message is empty.");
    if (data.includes(0)) throw malformed("Message length does not match input length.");
    this.text = data.toString("latin1");
  }

  get position(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.text.length;
  }

  /** The character here, empty at the end. */
  peek(): string {
    return this.text.charAt(this.#at);
  }

  skip(): void {
    this.#at += 1;
  }

  /** Passes a comma. */
  comma(): void {
    if (this.peek() !== ",") throw malformed(`Comma expected, but found character "${shown(this.peek())}".`);
    this.skip();
  }

  /** The value of the attribute that must stand here, and the comma behind it if there is one. */
  value(name: string): string {
    if (this.peek() !== name) throw malformed(`Expected attribute "${name}" but found "${shown(this.peek())}".`);
    return this.#valueOf(name);
  }

  /** Whatever attribute stands here. */
  any(): { name: string; value: string } {
    const name = this.peek();
    if (name === "") throw malformed("Attribute expected, but found end of string.");
    if (!/^[A-Za-z]$/.test(name)) {
      throw malformed(`Attribute expected, but found invalid character "${shown(name)}".`);
    }
    return { name, value: this.#valueOf(name) };
  }

  #valueOf(name: string): string {
    this.skip();
    if (this.peek() !== "=") throw malformed(`Expected character "=" for attribute "${name}".`);
    this.skip();
    const comma = this.text.indexOf(",", this.#at);
    const end = comma < 0 ? this.text.length : comma;
    const value = this.text.slice(this.#at, end);
    this.#at = comma < 0 ? end : end + 1;
    return value;
  }
}

export function malformed(detail: string): ProtocolViolation {
  return new ProtocolViolation("malformed SCRAM message", { detail });
}

/** A stranger's character for a message: printable ASCII or its number. */
export function shown(character: string): string {
  const code = character === "" ? 0 : character.charCodeAt(0);
  return code >= 0x21 && code <= 0x7e ? `'${character}'` : `0x${code.toString(16).padStart(2, "0")}`;
}

/** A stranger's text for a message: at most 30 characters, what is not printable ASCII as "?". */
export function shownText(text: string): string {
  return text.slice(0, 30).replace(/[^\x21-\x7e]/g, "?");
}
