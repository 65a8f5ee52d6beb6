import { HowdahError } from "../../kernel/errors.js";
import { Interrupted } from "../interrupt.js";
import type { Output } from "../render/output.js";

/** Questions go to stderr, so that stdout holds the result only. Each throws Interrupted on Ctrl-C. */
export async function askSecret(output: Output, message: string): Promise<string> {
  output.stopProgress();
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({
    message,
    output: process.stderr,
    validate: (value) => (value === undefined || value === "" ? "Type a value, or press Ctrl-C." : undefined),
  });
  if (isCancel(answer)) throw new Interrupted();
  return answer;
}

/** Resolves once the user has typed `name`, or at once with `yes`. Throws CONFIRMATION_REQUIRED where nobody can be asked. */
export async function confirmByName(
  output: Output,
  request: { readonly consequence: string; readonly name: string; readonly yes: boolean },
): Promise<void> {
  if (request.yes) return;
  if (!output.mayAsk) throw new HowdahError("CONFIRMATION_REQUIRED", request.consequence);
  output.stopProgress();
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({
    message: `${capitalised(request.consequence)}. Type '${request.name}' to go on:`,
    output: process.stderr,
  });
  if (isCancel(answer)) throw new Interrupted();
  if (answer.trim() !== request.name) {
    throw new HowdahError("CONFIRMATION_REQUIRED", `'${answer}' is not '${request.name}'; nothing was changed`);
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
