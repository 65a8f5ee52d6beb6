/**
 * The project's name: `-p`, COMPOSE_PROJECT_NAME in `.env`, `name:` of the file, the folder's name, in this order, as
 * Docker Compose has it.
 */
import { basename } from "node:path";
import { checkName, projectNameFrom } from "../../kernel/names.js";
import { type Context, reported, textAt } from "./context.js";
import { child } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

export function projectNameOf(context: Context, root: MapNode, asked: string | undefined): string {
  const { variables } = context;
  const fallback = projectNameFrom(basename(context.folder));
  const dotenv = variables.dotenv("COMPOSE_PROJECT_NAME");
  variables.noteShell("COMPOSE_PROJECT_NAME", root.place);
  // `name: ${COMPOSE_PROJECT_NAME}` means what would be the name without it.
  variables.setProject(asked ?? (dotenv?.text || fallback));
  const node = child(root, "name");
  const written = textAt(context, root, "name", "name");
  const chosen =
    asked !== undefined
      ? { name: asked, place: { file: context.file, line: 1, column: 1 } }
      : dotenv !== undefined && dotenv.text !== ""
        ? { name: dotenv.text, place: dotenv.place }
        : written !== undefined && node !== undefined
          ? { name: written, place: node.place }
          : undefined;
  if (chosen === undefined) return fallback;
  const name = reported(context, "name-invalid", chosen.place, () => checkName(chosen.name, "project")) ?? fallback;
  variables.setProject(name);
  return name;
}
