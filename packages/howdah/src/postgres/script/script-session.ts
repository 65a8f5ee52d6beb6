import type { EventEmitter } from "node:events";
import { finished } from "node:stream/promises";
import type pg from "pg";
import { DatabaseError } from "pg";
import { type CopyStreamQuery, from as copyFrom } from "pg-copy-streams";
import type { Logger } from "../../kernel/log.js";
import { ScriptFault } from "./script-fault.js";

export type Connect = (database: string) => Promise<pg.Client>;

/** What pg keeps of the connection, and its types do not tell. */
interface Wire {
  readonly connection: EventEmitter & { readonly stream: { destroy(): void } };
}

/** The connection that a script talks through: statements, copied rows and changes of the database. */
export class ScriptSession implements AsyncDisposable {
  readonly #connect: Connect;
  readonly #log: Logger;
  readonly #signal: AbortSignal | undefined;
  #database: string;
  #client: pg.Client | null = null;
  #copy: { readonly stream: CopyStreamQuery; readonly line: number; readonly done: Promise<void> } | null = null;
  #standardConformingStrings = true;
  #encoding = "UTF8";

  constructor(o: { connect: Connect; database: string; log: Logger; signal?: AbortSignal | undefined }) {
    this.#connect = o.connect;
    this.#database = o.database;
    this.#log = o.log;
    this.#signal = o.signal;
    o.signal?.addEventListener("abort", this.#abort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    await this.#leave();
  }

  get standardConformingStrings(): boolean {
    return this.#standardConformingStrings;
  }

  /** Leaves the database for another; null: for itself. Throws ScriptFault. */
  async enter(database: string | null, line: number): Promise<void> {
    await this.#leave();
    this.#database = database ?? this.#database;
    this.#client = await this.#open(line);
  }

  /** Whether the connection is of that user. */
  async isUser(user: string, line: number): Promise<boolean> {
    const [row] = await this.run("select session_user", line);
    return row?.[0] === user;
  }

  /** Runs one statement. Returns the rows as text. Throws ScriptFault. */
  async run(statement: string, line: number): Promise<(string | null)[][]> {
    const client = await this.#live(line);
    try {
      const asText = { getTypeParser: () => (value: string) => value };
      const result = await client.query<(string | null)[]>({ text: statement, rowMode: "array", types: asText });
      return result.rows;
    } catch (error) {
      throw this.#fault(error, statement, line);
    } finally {
      this.#checkEncoding(line);
    }
  }

  async beginCopy(statement: string, line: number): Promise<void> {
    const stream = (await this.#live(line)).query(copyFrom(statement));
    const done = finished(stream).catch((error: unknown) => {
      throw this.#fault(error, statement, line);
    });
    // Told by endCopy, or by the write that notices first.
    done.catch(() => {});
    this.#copy = { stream, line, done };
  }

  async copy(rows: string): Promise<void> {
    const copy = this.#copy;
    if (copy === null || copy.stream.destroyed) return;
    if (copy.stream.write(rows)) return;
    await Promise.race([new Promise((resolve) => copy.stream.once("drain", resolve)), copy.done]);
  }

  /** Throws ScriptFault when the server refused the copy or one of its rows. */
  async endCopy(): Promise<void> {
    const copy = this.#copy;
    this.#copy = null;
    if (copy === null) return;
    copy.stream.end();
    await copy.done;
  }

  readonly #abort = (): void => {
    // Politeness would wait for the statement that runs.
    if (this.#client !== null) (this.#client as pg.Client & Wire).connection.stream.destroy();
  };

  async #live(line: number): Promise<pg.Client> {
    this.#signal?.throwIfAborted();
    this.#client ??= await this.#open(line);
    return this.#client;
  }

  async #open(line: number): Promise<pg.Client> {
    let client: pg.Client;
    try {
      client = await this.#connect(this.#database);
    } catch (error) {
      throw this.#fault(error, "", line);
    }
    // Without a listener a server that goes away would end this process; the statement under way reports it.
    client.on("error", (err) => this.#log.warn({ err }, "connection of an init script lost"));
    client.on("notice", (notice) =>
      this.#log.info({ severity: notice.severity, text: notice.message }, "notice of an init script"),
    );
    (client as pg.Client & Wire).connection.on(
      "parameterStatus",
      (status: { parameterName: string; parameterValue: string }) => {
        if (status.parameterName === "standard_conforming_strings")
          this.#standardConformingStrings = status.parameterValue === "on";
        if (status.parameterName === "client_encoding") this.#encoding = status.parameterValue;
      },
    );
    this.#standardConformingStrings = true;
    this.#encoding = "UTF8";
    return client;
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    try {
      await client.end();
    } catch (err) {
      this.#log.debug({ err }, "connection of an init script was already closed");
    }
  }

  /** The script was read as UTF-8 and goes to the server as that, so no other encoding may be promised. */
  #checkEncoding(line: number): void {
    if (this.#encoding === "UTF8" || this.#encoding === "SQL_ASCII") return;
    throw new ScriptFault(
      line,
      `the script sets client_encoding to '${this.#encoding}', and scripts are read as UTF-8`,
      {
        hint: "Convert the file with 'iconv -t UTF-8' and take the line out, or dump again with 'pg_dump --encoding=UTF8'.",
      },
    );
  }

  #fault(error: unknown, statement: string, line: number): unknown {
    if (this.#signal?.aborted) return this.#signal.reason;
    if (error instanceof ScriptFault) return error;
    if (!(error instanceof DatabaseError)) {
      return new ScriptFault(line, error instanceof Error ? error.message : String(error), { cause: error });
    }
    const row = /^COPY [^,]+, line (\d+)/.exec(error.where ?? "")?.[1];
    const position = positionIn(statement, Number(error.position ?? 0));
    // The rows of a copy begin on the line behind the statement.
    const at =
      row !== undefined ? line + newlines(statement) + Number(row) : line + newlines(statement.slice(0, position));
    const message = row === undefined ? error.message : `${error.message} (${error.where?.split("\n")[0]})`;
    return new ScriptFault(at, message, {
      cause: error,
      hint: hintFor(error, statement.slice(position)),
      fields: { sqlState: error.code ?? "", ...(error.detail === undefined ? {} : { detail: error.detail }) },
    });
  }
}

/** PostgreSQL counts characters from 1, JavaScript half characters from 0. */
function positionIn(statement: string, position: number): number {
  let index = 0;
  for (let n = 1; n < position && index < statement.length; n++)
    index += (statement.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}

function hintFor(error: DatabaseError, rest: string): string | undefined {
  const variable = /^:(['"]?)[A-Za-z_]\w*\1/.exec(rest)?.[0];
  if (error.code === "42601" && variable !== undefined) {
    return `psql's variables are not replaced: write the value instead of ${variable}, or call psql in a script whose name ends in .sh.`;
  }
  const extension = /extension "([^"]+)" is not available/.exec(error.message)?.[1];
  if (extension !== undefined) {
    return `This PostgreSQL has no extension '${extension}': install your system's PostgreSQL of the same major with it, or take the line out.`;
  }
  return error.hint;
}
