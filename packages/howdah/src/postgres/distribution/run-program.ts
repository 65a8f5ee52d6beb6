import { type ChildProcess, spawn } from "node:child_process";

/** Output beyond this is cut at the front: errors stand at the end. */
const MAX_OUTPUT_CHARS = 1024 * 1024;

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** User to run as; null: our own. Its group has the same number unless `gid` says otherwise. */
  readonly uid?: number | null;
  readonly gid?: number | null;
  readonly signal?: AbortSignal | undefined;
  readonly onSpawn?: (child: ChildProcess) => void;
}

export interface ProgramResult {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, without a shell and without input. Rejects when it cannot be started (the system's
 * error, with `code`) and with the signal's reason when aborted; any exit code resolves.
 */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const uid = options.uid ?? null;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(uid === null ? {} : { uid, gid: options.gid ?? uid }),
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const abort = () => child.kill("SIGKILL");
    options.signal?.addEventListener("abort", abort, { once: true });
    child.once("error", (error) => {
      options.signal?.removeEventListener("abort", abort);
      reject(error);
    });
    child.once("close", (code, killedBy) => {
      options.signal?.removeEventListener("abort", abort);
      if (options.signal?.aborted) reject(options.signal.reason);
      else resolve({ code, killedBy, stdout: stdout(), stderr: stderr() });
    });
    if (child.pid !== undefined) options.onSpawn?.(child);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > 2 * MAX_OUTPUT_CHARS) text = text.slice(-MAX_OUTPUT_CHARS);
  });
  return () => text.slice(-MAX_OUTPUT_CHARS);
}
