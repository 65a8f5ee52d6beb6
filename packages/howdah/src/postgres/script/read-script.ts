import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { HowdahError } from "../../kernel/errors.js";
import type { InitScript } from "../../spec/index.js";

const CHUNK_BYTES = 1024 * 1024;

/** The text of a `.sql` or `.sql.gz` script in chunks, so that a compressed dump need not fit into memory unpacked.
 *  Throws INIT_SCRIPT_FAILED when it is not text in UTF-8. */
export async function* readScript(script: InitScript): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  const decode = (bytes?: Uint8Array) => {
    let text: string;
    try {
      text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw broken(script, `is not text in UTF-8 (somewhere behind line ${line})`, cause);
    }
    if (text.includes("\0")) throw broken(script, "holds a NUL character, so it is not a text in UTF-8");
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) line++;
    return text;
  };
  const content = Buffer.from(script.contentBase64, "base64");
  if (content.subarray(0, 5).toString("latin1") === "PGDMP") {
    throw broken(
      script,
      "is a dump in pg_dump's custom format",
      undefined,
      `Turn it into SQL with 'pg_restore -f FILE.sql DUMP'.`,
    );
  }
  const chunks = script.name.endsWith(".gz") ? unpack(script, content) : slices(content);
  for await (const chunk of chunks) yield decode(chunk);
  yield decode();
}

function* slices(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += CHUNK_BYTES) yield content.subarray(at, at + CHUNK_BYTES);
}

async function* unpack(script: InitScript, content: Buffer): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const work = pipeline(Readable.from(slices(content)), gunzip);
  // The loop below reports the same failure.
  work.catch(() => {});
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (cause) {
    throw broken(script, "cannot be unpacked: it is not a whole gzip file", cause);
  }
}

function broken(script: InitScript, what: string, cause?: unknown, hint?: string): HowdahError {
  return new HowdahError("INIT_SCRIPT_FAILED", `${script.name} ${what}`, {
    cause,
    fields: { script: script.name },
    ...(hint === undefined ? {} : { hint }),
  });
}
