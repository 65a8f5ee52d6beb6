import type { HowdahClient } from "../api/client/types.js";
import type { Environment } from "../kernel/environment.js";
import type { Layout } from "../runtime/layout.js";
import type { Output } from "./render/output.js";

/** What a command gets. Nothing here is made before it is asked for. */
export interface CommandContext {
  readonly environment: Environment;
  readonly layout: Layout;
  readonly cwd: string;
  readonly output: Output;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** A client of this home's server; starts the server in the background when none answers. */
  client(): Promise<HowdahClient>;
  /** A client that starts nothing: its calls reject with SERVER_UNREACHABLE when no server answers. */
  quietClient(): Promise<HowdahClient>;
  /** From now on signals are the business of the command (a child process, a server in the foreground). */
  releaseSignals(): void;
}
