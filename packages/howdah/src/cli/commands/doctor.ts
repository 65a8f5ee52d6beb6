import type { WireCheck } from "../../api/client/types.js";
import { isHowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";
import { localChecks } from "../local-checks.js";
import type { Style, Tone } from "../render/style.js";

/** Exit code for "this machine lacks something", as in the registry. */
const SOMETHING_LACKS = 8;

/** What this side can see, then what the server says of itself; it is not started for that. */
export async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const checks = [...(await localChecks(context)), ...(await serverChecks(context))];
  output.result(checks, () => checks.map((check) => renderCheck(check, output.style)).join(""));
  return checks.some((check) => check.status === "error") ? SOMETHING_LACKS : 0;
}

async function serverChecks(context: CommandContext): Promise<readonly WireCheck[]> {
  try {
    const client = await context.quietClient();
    const { version, url } = await client.status();
    return [
      { name: "server", status: "ok", message: `version ${version} answers, ${url}` },
      ...(await client.doctor()),
    ];
  } catch (error) {
    if (!isHowdahError(error)) throw error;
    const absent = error.code === "SERVER_UNREACHABLE";
    return [{ name: "server", status: absent ? "warning" : "error", message: error.message, hint: error.hint }];
  }
}

function renderCheck(check: WireCheck, style: Style): string {
  const [sign, tone] = SIGNS[check.status];
  const hint = check.hint === undefined || check.status === "ok" ? "" : `    ${style("dim", check.hint)}\n`;
  return `${style(tone, sign.padEnd(7))}  ${check.name}: ${check.message}\n${hint}`;
}

const SIGNS = {
  ok: ["ok", "good"],
  warning: ["warning", "warning"],
  error: ["error", "bad"],
} as const satisfies Record<WireCheck["status"], readonly [string, Tone]>;
