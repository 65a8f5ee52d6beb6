import type { Diagnostic } from "../../spec/diagnostic.js";
import { showControls } from "./controls.js";
import { type Progress, startProgress } from "./progress.js";
import { type Style, styleFor } from "./style.js";

/**
 * Everything a command says goes through here. Results go to stdout, all else to stderr, so that `$(howdah …)` and
 * `howdah … | jq` see the result only. With `--json` stdout carries exactly one JSON document.
 */
export interface Output {
  readonly json: boolean;
  /** Styles for stdout and stderr: one may be a terminal while the other is not. */
  readonly style: Style;
  readonly errorStyle: Style;
  /** stderr is a terminal: spinners may be drawn. */
  readonly isTerminal: boolean;
  /** stdin and stderr are a terminal: questions may be asked. */
  readonly mayAsk: boolean;
  /** Aborted when the reader of stdout has gone, so that an endless stream can end. */
  readonly closed: AbortSignal;
  /** The command's result: `value` with --json, else `human()`, which ends in a newline (or is empty). */
  result(value: unknown, human: () => string): void;
  /** Raw text on stdout; only for streams and for results that are the same in both forms. */
  write(text: string): void;
  /** A line on stderr. */
  note(text: string): void;
  warn(text: string): void;
  progress(text: string): Progress;
  /** Ends every progress line that is still open, before the last words. */
  stopProgress(): void;
  /** Diagnostics are kept, so that a failing command's JSON document holds them as well. */
  readonly diagnostics: Diagnostic[];
}

interface WritableLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export function createOutput(options: {
  readonly json: boolean;
  readonly stdout?: WritableLike;
  readonly stderr?: WritableLike;
  readonly stdin?: { readonly isTTY?: boolean };
}): Output {
  const stdout = options.stdout ?? process.stdout;
  const stderr = options.stderr ?? process.stderr;
  const stdin = options.stdin ?? process.stdin;
  const readerGone = new AbortController();
  watchPipe(stdout, () => readerGone.abort());
  watchPipe(stderr, () => undefined);
  const errorStyle = styleFor(stderr);
  const isTerminal = stderr.isTTY === true;
  const open: Set<Progress> = new Set();

  const write = (text: string): void => {
    if (text !== "" && !readerGone.signal.aborted) stdout.write(stdout.isTTY === true ? showControls(text) : text);
  };
  // A spinner's line would run into the text: whoever prints in between clears it first.
  const note = (text: string): void => {
    if (isTerminal && open.size > 0) stderr.write("\r\x1b[K");
    stderr.write(`${isTerminal ? showControls(text) : text}\n`);
  };
  return {
    json: options.json,
    style: styleFor(stdout),
    errorStyle,
    isTerminal,
    mayAsk: stdin.isTTY === true && isTerminal,
    closed: readerGone.signal,
    diagnostics: [],
    write,
    note,
    result: (value, human) => write(options.json ? `${JSON.stringify(value, null, 2)}\n` : human()),
    stopProgress: () => {
      for (const progress of open) progress.stop();
    },
    warn: (text) => note(`${errorStyle("warning", "warning:")} ${text}`),
    progress: (text) => {
      const inner = startProgress(text, {
        write: (t) => stderr.write(t),
        isTerminal,
        style: errorStyle,
        columns: () => stderr.columns ?? 80,
      });
      const progress: Progress = {
        update: inner.update,
        stop: () => {
          inner.stop();
          open.delete(progress);
        },
      };
      open.add(progress);
      return progress;
    },
  };
}

/** `howdah … | head -1` is no error: a reader that left is not told about. Anything else still is. */
function watchPipe(stream: WritableLike, onGone: () => void): void {
  stream.on("error", (error) => {
    if ("code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED")) onGone();
    else throw error;
  });
}
