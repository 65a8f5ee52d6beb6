import { HowdahError } from "../../kernel/errors.js";
import { type Diagnostic, formatPlace } from "../../spec/diagnostic.js";
import { plainStyle, type Style } from "./style.js";

/** The document that a failing command prints with --json. */
export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly exit_code: number;
    readonly retryable: boolean;
    readonly place?: HowdahError["place"];
    readonly fields?: HowdahError["fields"];
    readonly diagnostics?: readonly Diagnostic[];
  };
}

/** Anything thrown, as a reviewed error: what we did not expect becomes INTERNAL with its message kept. */
export function toHowdahError(error: unknown): HowdahError {
  if (error instanceof HowdahError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HowdahError("INTERNAL", `unexpected failure: ${message}`, {
    cause: error,
    hint: "This is a bug in Howdah: please report it, with HOWDAH_LOG_LEVEL=debug set for the whole trace.",
  });
}

export function errorDocument(error: HowdahError, diagnostics: readonly Diagnostic[] = []): ErrorDocument {
  return {
    error: {
      code: error.code,
      message: error.message,
      hint: error.hint,
      exit_code: error.spec.exit,
      retryable: error.spec.retryable,
      ...(error.place === undefined ? {} : { place: error.place }),
      ...(Object.keys(error.fields).length === 0 ? {} : { fields: error.fields }),
      ...(diagnostics.length === 0 ? {} : { diagnostics }),
    },
  };
}

/** `compose.yaml:3:5: error: … (CODE)`, the hint below; with `trace` also the stacks of it and of its causes. */
export function renderError(error: HowdahError, style: Style = plainStyle, trace = false): string {
  const place = error.place === undefined ? "" : `${style("strong", `${formatPlace(error.place)}:`)} `;
  const lines = [
    `${place}${style("bad", "error:")} ${error.message} ${style("dim", `(${error.code})`)}`,
    `  ${style("dim", error.hint)}`,
  ];
  if (trace) lines.push(...stacks(error));
  return lines.join("\n");
}

function stacks(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? error.message, ...stacks(error.cause)];
}
