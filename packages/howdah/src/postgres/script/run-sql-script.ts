import { assertNever } from "../../kernel/assert-never.js";
import type { Logger } from "../../kernel/log.js";
import { parsePsqlCommand } from "./psql-command.js";
import { ScriptFault } from "./script-fault.js";
import { type Connect, ScriptSession } from "./script-session.js";
import { type Piece, SqlSplitter } from "./sql-splitter.js";

export interface SqlScriptOptions {
  readonly text: AsyncIterable<string>;
  readonly connect: Connect;
  readonly database: string;
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a script as `psql -v ON_ERROR_STOP=1 --no-psqlrc` does: each statement alone, so that CREATE DATABASE works
 * and nothing is one transaction unless the script says so; a connection of its own, closed at the end.
 * Throws ScriptFault, or the signal's reason.
 */
export async function runSqlScript(options: SqlScriptOptions): Promise<void> {
  await using session = new ScriptSession(options);
  const run = new ScriptRun(session, options.log);
  const splitter = new SqlSplitter();
  const drain = async () => {
    for (;;) {
      splitter.standardConformingStrings = session.standardConformingStrings;
      const piece = run.isOver ? null : splitter.next();
      if (piece === null) return;
      await run.take(piece);
    }
  };
  for await (const text of options.text) {
    splitter.push(text);
    await drain();
    if (run.isOver) return;
  }
  splitter.end();
  await drain();
  await run.finish();
}

class ScriptRun {
  isOver = false;
  readonly #session: ScriptSession;
  readonly #log: Logger;
  #stopsOnError = true;
  /** The key of `\restrict`, while only `\unrestrict` with the same key is a command. */
  #restricted: string | null = null;
  /** A statement without semicolon: a backslash command or the end decides about it. */
  #pending: { readonly text: string; readonly line: number } | null = null;

  constructor(session: ScriptSession, log: Logger) {
    this.#session = session;
    this.#log = log;
  }

  async take(piece: Piece): Promise<void> {
    switch (piece.kind) {
      case "space":
        return;
      case "statement":
        if (piece.isEnded) await this.#attempt(() => this.#session.run(piece.text, piece.line));
        else this.#pending = piece;
        return;
      case "copy":
        return this.#attempt(() => this.#session.beginCopy(piece.text, piece.line));
      case "copy-data":
        return this.#attempt(() => this.#session.copy(piece.text));
      case "copy-end":
        return this.#attempt(() => this.#session.endCopy());
      case "command":
        return this.#command(piece.text, piece.line);
      default:
        return assertNever(piece);
    }
  }

  /** psql runs what stands at the end without a semicolon. */
  async finish(): Promise<void> {
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) await this.#attempt(() => this.#session.run(pending.text, pending.line));
  }

  async #command(text: string, line: number): Promise<void> {
    const command = parsePsqlCommand(text, line);
    if (this.#restricted !== null && command.kind !== "unrestrict") {
      throw new ScriptFault(line, "backslash commands are switched off by '\\restrict' here");
    }
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null && command.kind !== "run" && command.kind !== "run-each") {
      throw new ScriptFault(
        line,
        `the statement on line ${pending.line} has no semicolon before the backslash command`,
      );
    }
    switch (command.kind) {
      case "connect":
        if (command.user !== null && !(await this.#session.isUser(command.user, line))) {
          throw new ScriptFault(
            line,
            `\\connect cannot log in as '${command.user}', whose password is not known here`,
            {
              hint: `Write 'SET SESSION AUTHORIZATION' after '\\connect DATABASE'.`,
            },
          );
        }
        return this.#session.enter(command.database, line);
      case "run":
      case "run-each":
        return this.#attempt(() => this.#runPending(pending, command.kind === "run-each"));
      case "echo":
        this.#log.info({ line, text: command.text }, "init script says");
        return;
      case "stop-on-error":
        this.#stopsOnError = command.isOn;
        return;
      case "restrict":
        if (command.key === "") throw new ScriptFault(line, "\\restrict needs a key");
        this.#restricted = command.key;
        return;
      case "unrestrict":
        if (this.#restricted !== command.key)
          throw new ScriptFault(line, "\\unrestrict names another key than \\restrict");
        this.#restricted = null;
        return;
      case "quit":
        this.isOver = true;
        return;
      case "nothing":
        return;
      default:
        return assertNever(command);
    }
  }

  async #runPending(
    pending: { readonly text: string; readonly line: number } | null,
    runsEach: boolean,
  ): Promise<void> {
    if (pending === null) return;
    const rows = await this.#session.run(pending.text, pending.line);
    if (!runsEach) return;
    for (const value of rows.flat()) if (value !== null) await this.#session.run(value, pending.line);
  }

  /** After `\set ON_ERROR_STOP off` a failed statement is told and passed over. */
  async #attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#stopsOnError || !(error instanceof ScriptFault)) throw error;
      this.#log.warn(
        { line: error.line, text: error.message },
        "statement of an init script failed and is passed over",
      );
    }
  }
}
