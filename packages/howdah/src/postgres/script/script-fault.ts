import { HowdahError } from "../../kernel/errors.js";

/** What went wrong on which line of a script; whoever knows the script's name makes the reviewed error of it. */
export class ScriptFault extends Error {
  override readonly name = "ScriptFault";

  constructor(
    readonly line: number,
    message: string,
    readonly options: {
      readonly hint?: string | undefined;
      readonly cause?: unknown;
      readonly fields?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
  }

  toHowdahError(script: string): HowdahError {
    const { hint, cause, fields } = this.options;
    return new HowdahError("INIT_SCRIPT_FAILED", `${script}, line ${this.line}: ${this.message}`, {
      place: { file: script, line: this.line, column: 1 },
      fields: { script, ...fields },
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
