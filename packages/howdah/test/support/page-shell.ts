/**
 * One shell for one page, as a reader has it: what a command sets (`KEY=$(…)`, `export`, `eval`) is there for the next.
 * `howdah` and `npx howdah` are the build of this checkout.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HOWDAH, type Installation, type Result } from "./installation.js";

const PROGRAM = `#!/bin/sh
exec '${process.execPath}' '${HOWDAH}' "$@"
`;
// Functions, not programs: the server that the page starts must find the real npm.
const FUNCTIONS = `
# npx would look for the package in the page's folder; here it is the checkout's.
npx() { [ "$1" = howdah ] || { echo "a page runs 'npx $1', which this test does not know" >&2; return 99; }; "$@"; }
# 'npm ci' has happened, else this test would not run, and a second one would pull the build from under other tests.
npm() { [ "$1" = ci ] || command npm "$@"; }
`;

export class PageShell implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #answers: AsyncIterator<string>;
  #ended = false;

  constructor(installation: Installation, cwd: string) {
    this.#folder = join(installation.folder, "shell");
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, "howdah"), PROGRAM, { mode: 0o755 });
    this.#child = spawn("bash", ["--noprofile", "--norc"], {
      cwd,
      env: {
        ...installation.env,
        PATH: `${this.#folder}:${installation.env["PATH"] ?? ""}`,
        // What a page makes with mktemp goes when the test ends.
        TMPDIR: installation.folder,
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout === null) throw new Error("bash has no standard output");
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.once("exit", () => {
      this.#ended = true;
    });
    this.#child.stdin?.write(FUNCTIONS);
  }

  /** Runs one command with nothing to read and no terminal. The code is null when the shell itself ended over it. */
  async run(command: string): Promise<Result> {
    const file = (name: string) => join(this.#folder, name);
    const [stdout, stderr] = [file("stdout"), file("stderr")];
    if (this.#ended) throw new Error("the page's shell has ended");
    const answer = this.#answers.next();
    this.#child.stdin?.write(`{ ${command}\n} > '${stdout}' 2> '${stderr}' < /dev/null\nprintf '%s\\n' "$?"\n`);
    const { done, value } = await answer;
    return {
      code: done === true ? null : Number(value),
      stdout: readFileSync(stdout, "utf8"),
      stderr: readFileSync(stderr, "utf8"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const exit = new Promise((done) => this.#child.once("exit", done));
    this.#child.stdin?.end();
    await exit;
  }
}
