import { showControls } from "./controls.js";
import type { Style } from "./style.js";

/** What a command is waiting for. `stop` clears the line; it may be called twice. */
export interface Progress {
  update(text: string): void;
  stop(): void;
}

interface ProgressTarget {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly style: Style;
  /** Width of the terminal now; users resize it. */
  readonly columns: () => number;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const CLEAR_LINE = "\r\x1b[K";
/** Quick commands stay silent: nothing is drawn or printed before this. */
const TERMINAL_DELAY_MS = 200;
const PLAIN_DELAY_MS = 1_000;

/** A spinner on a terminal; elsewhere one plain line per new text, and only from the second second on. */
export function startProgress(text: string, target: ProgressTarget): Progress {
  return target.isTerminal ? spinner(text, target) : plainLines(text, target);
}

function spinner(first: string, target: ProgressTarget): Progress {
  let text = first;
  let frame = 0;
  let drawn = false;
  const began = Date.now();
  const draw = (): void => {
    drawn = true;
    const seconds = Math.floor((Date.now() - began) / 1_000);
    const elapsed = seconds >= 3 ? target.style("dim", ` ${seconds}s`) : "";
    const shown = cut(showControls(text), target.columns() - `⠋  ${seconds}s `.length);
    target.write(`${CLEAR_LINE}${target.style("accent", FRAMES[frame++ % FRAMES.length] ?? "")} ${shown}${elapsed}`);
  };
  let timer = setTimeout(() => {
    draw();
    timer = setInterval(draw, 80);
    timer.unref();
  }, TERMINAL_DELAY_MS);
  timer.unref();
  return {
    update: (next) => {
      text = next;
      if (drawn) draw();
    },
    stop: () => {
      clearTimeout(timer);
      clearInterval(timer);
      if (drawn) target.write(CLEAR_LINE);
      drawn = false;
    },
  };
}

// A line that wraps cannot be cleared any more: each frame would leave its upper part behind.
function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function plainLines(first: string, target: ProgressTarget): Progress {
  let text = first;
  let printed: string | undefined;
  let begun = false;
  const print = (): void => {
    if (begun && text !== printed) target.write(`${text}\n`);
    if (begun) printed = text;
  };
  const timer = setTimeout(() => {
    begun = true;
    print();
  }, PLAIN_DELAY_MS);
  timer.unref();
  return {
    update: (next) => {
      text = next;
      print();
    },
    stop: () => clearTimeout(timer),
  };
}
