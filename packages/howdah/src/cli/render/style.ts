import { styleText } from "node:util";
import { inheritedEnvironment } from "../../kernel/environment.js";

/** How a text stands out. Names say what it means, so that colours are chosen in one place. */
export type Tone = "strong" | "dim" | "good" | "warning" | "bad" | "accent";

const FORMATS = {
  strong: "bold",
  dim: "dim",
  good: "green",
  warning: "yellow",
  bad: "red",
  accent: "cyan",
} as const satisfies Record<Tone, string>;

export type Style = (tone: Tone, text: string) => string;

export const plainStyle: Style = (_tone, text) => text;

/** `validateStream` of later Node versions, done here because Node 20 lacks it: both streams are judged on their own. */
export function styleFor(stream: { readonly isTTY?: boolean }): Style {
  const env = inheritedEnvironment();
  const forced = env["FORCE_COLOR"];
  const wanted = forced !== undefined ? forced !== "0" : stream.isTTY === true && env["TERM"] !== "dumb";
  if (env["NO_COLOR"] || !wanted) return plainStyle;
  return (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });
}

/** Services' states in the colours of a traffic light. */
export function toneOfStatus(status: string): Tone {
  if (status === "running") return "good";
  if (status === "failed") return "bad";
  if (status === "stopped" || status === "sleeping") return "dim";
  return "warning";
}
