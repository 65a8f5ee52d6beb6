/**
 * Names and values as PostgreSQL sends them are bytes that end in a zero byte; in which encoding, nobody has said yet
 * at login. They are nearly always UTF-8, but a database may be named in LATIN1, and what we read from the client goes on to
 * the server: a byte lost here would ask for another database, and two different names must never become one. So a
 * byte that is no UTF-8 becomes the lone surrogate U+DC00 + byte, and comes out as the same byte again (what Python
 * calls "surrogateescape").
 */
import { isUtf8 } from "node:buffer";

const ESCAPE = 0xdc00;
const escaped = /[\udc80-\udcff]/u;

/** Never fails, and `encodeText` gives back exactly the bytes. */
export function decodeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const sequence = bytes.subarray(at, at + sequenceLength(lead));
    const valid = isUtf8(sequence);
    text += valid ? sequence.toString("utf8") : String.fromCharCode(ESCAPE + lead);
    at += valid ? sequence.length : 1;
  }
  return text;
}

export function encodeText(text: string): Buffer {
  if (!escaped.test(text)) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(escaped.test(character) ? Buffer.of(code - ESCAPE) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(parts);
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
