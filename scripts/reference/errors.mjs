import { ERROR_CODES, EXIT_CODES, errorSpec } from "../../packages/howdah/dist/kernel/errors.js";
import { GENERATED, table } from "./markdown.mjs";

export function generate() {
  const exits = Object.entries(EXIT_CODES).map(([exit, meaning]) => [`\`${exit}\``, meaning]);
  const codes = [...ERROR_CODES].sort().map((code) => {
    const { status, exit, retryable, hint } = errorSpec(code);
    return [`\`${code}\``, status, exit, retryable ? "yes" : "no", hint];
  });
  return `${GENERATED}

# Errors

Every error has a code. The API answers with its HTTP status and a problem document (\`application/problem+json\`):
\`detail\` says what was wrong, \`extensions\` holds \`code\`, \`hint\` (the next move) and \`request_id\`. The command line
prints message and hint, and ends with the exit code; with \`--json\` it prints both as JSON. Codes and exit codes are
stable: scripts may rely on them. The hint shown here is the general one; where the case at hand allows a better one,
that is given instead.

## Exit codes

${table(["exit", "meaning"], [["`0`", "it was done"], ...exits])}

\`howdah run\` and \`howdah psql\` end with the exit code of the program that they started.

## Codes

"Again" says whether the same request may succeed later without any change.

${table(["code", "HTTP", "exit", "again", "hint"], codes)}
`;
}
