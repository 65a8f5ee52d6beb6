import { describe, expect, it } from "vitest";
import { createOutput } from "./output.js";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  const stream = {
    isTTY,
    write: (text: string) => {
      written.push(text);
      return true;
    },
    on: () => undefined,
  };
  return { stream, written };
}

/** Moves the cursor up, sets the window's title, and (C1) begins a device control string. */
const ATTACK = "log\x1b[2A\x1b]0;title\x07\u0090\r\x7fline\n\tend";

describe("control characters", () => {
  it("of others are shown on a terminal, our colours and line breaks are obeyed", () => {
    const { stream, written } = terminal(true);
    const output = createOutput({ json: false, stdout: stream, stderr: stream });
    output.write(`\x1b[31m${ATTACK}\x1b[39m`);
    output.note(ATTACK);
    const shown = "log\u241b[2A\u241b]0;title\u2407\ufffd\u240d\u2421line\n\tend";
    expect(written).toEqual([`\x1b[31m${shown}\x1b[39m`, `${shown}\n`]);
  });

  it("reach a program that reads them as they are", () => {
    const { stream, written } = terminal(false);
    createOutput({ json: false, stdout: stream, stderr: stream }).write(ATTACK);
    expect(written).toEqual([ATTACK]);
  });
});
