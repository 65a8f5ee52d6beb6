import { VARIABLES } from "../../packages/howdah/dist/kernel/environment.js";
import { GENERATED, table } from "./markdown.mjs";

export function generate() {
  const rows = VARIABLES.map(({ name, fallback, description }) => [`\`${name}\``, fallback, description]);
  return `${GENERATED}

# Environment variables

Read by \`howdah\` and by its server. A server that runs already keeps those it was started with:
\`howdah server stop\` and any other command start it again with new ones. An empty variable is as good as none; a
value that cannot be right is refused by name, and nothing is done.

${table(["variable", "default", "meaning"], rows)}

PostgreSQL's own programs are started with \`PATH\`, a fixed locale (\`C.UTF-8\`) and time zone (\`UTC\`) only, so no
\`PG*\` variable of yours reaches a server. \`howdah psql\` and \`howdah run\` start programs of yours: those get your
whole environment.
`;
}
