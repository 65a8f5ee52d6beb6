/**
 * Percent-encoding as RFC 3986 defines it and libpq reads it: UTF-8 bytes, and a `+` is a plus. Everything outside the
 * unreserved set is encoded, so the text survives parsers that treat `+`, `!` or `'` in their own ways.
 */
import { ConnectionFormatError, type FormName } from "./error.js";

const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/** Encodes a text for the user or password position of a URI; nothing in the result has a meaning to any URI parser.
 *  Throws ConnectionFormatError when the text is not Unicode text (half a surrogate pair). */
export function percentEncodeUserinfo(text: string): string {
  return percentEncode(text);
}

/** `plain`: further characters that the position allows as they are. */
export function percentEncode(text: string, plain = ""): string {
  if (/\p{Surrogate}/u.test(text))
    throw new ConnectionFormatError("connection", "a text to be percent-encoded is not Unicode text");
  let encoded = "";
  for (const character of text) {
    if (UNRESERVED.test(character) || plain.includes(character)) encoded += character;
    else for (const byte of new TextEncoder().encode(character)) encoded += `%${hex(byte)}`;
  }
  return encoded;
}

/**
 * `offset`: where `text` starts in the input, for the error's position. Throws on a `%` without two hexadecimal digits,
 * on `%00`, and on bytes that are not UTF-8: libpq would pass those on, but nothing that we can write them as would
 * bring them back.
 */
export function percentDecode(text: string, form: FormName, offset: number): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; ) {
    if (text[i] === "%") {
      const digits = text.slice(i + 1, i + 3);
      const place = { position: offset + i };
      if (!/^[0-9A-Fa-f]{2}$/.test(digits))
        throw new ConnectionFormatError(
          form,
          "a '%' is not followed by two hexadecimal digits; write it as %25",
          place,
        );
      if (digits === "00") throw new ConnectionFormatError(form, "'%00' is not allowed", place);
      bytes.push(Number.parseInt(digits, 16));
      i += 3;
    } else {
      const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
      bytes.push(...new TextEncoder().encode(character));
      i += character.length;
    }
  }
  try {
    // ignoreBOM means "keep it": a leading U+FEFF is part of the text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    // The decoder's own error says nothing more than this.
    throw new ConnectionFormatError(form, "percent-encoded bytes are not UTF-8", { position: offset });
  }
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}
