/**
 * Files that a service would see in its container through `secrets`, `configs` and bind mounts, and where their
 * contents really come from: Howdah has no container, so it reads them where they are.
 */
import type { Place } from "../../kernel/errors.js";
import { type Context, textAt, textsOf } from "./context.js";
import { readText } from "./files.js";
import type { Mount } from "./mounts.js";
import { asList, asMap, asScalar, child, entryOf, keyPlace } from "./node-access.js";
import { configPiece, isConfigName, type Pieces, textPiece } from "./pieces.js";
import type { MapNode, Node } from "./yaml-tree.js";

type Source =
  | { readonly kind: "host"; readonly path: string }
  /** Text of the compose file, or a config's value. */
  | { readonly kind: "pieces"; readonly pieces: Pieces };

export interface MountedFile {
  readonly what: "secret" | "config" | "mount";
  /** Absolute path in the container. */
  readonly target: string;
  readonly source: Source;
  readonly executable: boolean;
  readonly place: Place;
}

export function readMountedFiles(
  context: Context,
  service: string,
  map: MapNode,
  root: MapNode,
  mounts: readonly Mount[],
): MountedFile[] {
  const binds = mounts.flatMap(({ kind, source, target, place }): MountedFile[] =>
    kind === "bind" && source !== null
      ? [{ what: "mount", target, source: { kind: "host", path: source }, executable: false, place }]
      : [],
  );
  return [
    ...granted(context, service, map, root, "secrets"),
    ...granted(context, service, map, root, "configs"),
    ...binds,
  ];
}

/** The contents of a file in the container, as the official image reads `…_FILE`: without newlines at its end. */
export function containerFile(
  context: Context,
  files: readonly MountedFile[],
  containerPath: string,
  where: { readonly path: string; readonly place: Place },
): Pieces | undefined {
  const exact = files.find((file) => file.target === containerPath);
  const around = files.find((file) => file.what === "mount" && containerPath.startsWith(`${file.target}/`));
  const file = exact ?? around;
  if (file === undefined) {
    const hint = "Grant it to the service under 'secrets', or mount the file.";
    const message = `'${where.path}' names '${containerPath}', which no secret, config or mount provides`;
    context.report.error("file-not-mounted", message, where.place, hint);
    return undefined;
  }
  if (file.source.kind === "pieces") return file.source.pieces;
  const path = file.source.path + containerPath.slice(file.target.length);
  const text = readText(context, path, file.place);
  return text === undefined ? undefined : [textPiece(text.text.replace(/[\r\n]+$/, ""), "dotenv")];
}

function granted(
  context: Context,
  service: string,
  map: MapNode,
  root: MapNode,
  kind: "secrets" | "configs",
): MountedFile[] {
  const path = `services.${service}.${kind}`;
  const list = asList(child(map, kind), path, context.report);
  const definitions = asMap(child(root, kind), kind, context.report);
  const folder = kind === "secrets" ? "/run/secrets/" : "/";
  return (list?.items ?? []).flatMap((item, i) => {
    const grant = readGrant(context, item, `${path}[${i}]`);
    if (grant === undefined) return [];
    const definition = entryOf(definitions, grant.source);
    if (definition === undefined) {
      const message = `'${grant.source}' in '${path}' is not defined under '${kind}'`;
      context.report.error("undefined-reference", message, grant.place);
      return [];
    }
    const source = readDefinition(context, kind, grant.source, definition.value, definition.keyPlace);
    if (source === undefined) return [];
    const name = grant.target ?? grant.source;
    const target = name.startsWith("/") ? name : folder + name;
    const what = kind === "secrets" ? ("secret" as const) : ("config" as const);
    return [{ what, target, source, executable: grant.executable, place: grant.place }];
  });
}

function readGrant(
  context: Context,
  node: Node,
  path: string,
): { source: string; target: string | undefined; executable: boolean; place: Place } | undefined {
  if (node.kind !== "map") {
    const source = textsOf(context, node, path)[0]?.text;
    return source === undefined ? undefined : { source, target: undefined, executable: false, place: node.place };
  }
  const source = textAt(context, node, "source", `${path}.source`);
  if (source === undefined) {
    if (child(node, "source") === undefined) {
      context.report.error("wrong-type", `'${path}' has no source`, node.place);
    }
    return undefined;
  }
  const mode = asScalar(child(node, "mode"), `${path}.mode`, context.report);
  return {
    source,
    target: textAt(context, node, "target", `${path}.target`),
    // Modes are written octal, `0755`, which is what counts here whatever number YAML makes of it.
    executable: mode !== undefined && (Number.parseInt(mode.text.replace(/^0o?/, ""), 8) & 0o111) !== 0,
    place: node.place,
  };
}

function readDefinition(
  context: Context,
  kind: "secrets" | "configs",
  name: string,
  node: Node,
  place: Place,
): Source | undefined {
  const path = `${kind}.${name}`;
  const map = asMap(node, path, context.report);
  const field = (key: string) => {
    const text = textAt(context, map, key, `${path}.${key}`);
    return text === undefined ? undefined : { text, place: keyPlace(map ?? node, key) };
  };
  const content = asScalar(child(map, "content"), `${path}.content`, context.report);
  if (content !== undefined) {
    const where = { path: `${path}.content`, place: content.place };
    const segments = context.variables.lex(content.text, where);
    return segments && { kind: "pieces", pieces: context.variables.pieces(segments, { ...where, origin: "file" }) };
  }
  const file = field("file");
  if (file !== undefined) return { kind: "host", path: file.text };
  const variable = field("environment");
  if (variable !== undefined) {
    if (!isNamed(context, variable.text, variable.place, path)) return undefined;
    return { kind: "pieces", pieces: context.variables.inherited(variable.text, variable.place) };
  }
  if (field("external")?.text === "true") {
    // Defang's older way to write a config: an external secret of that name.
    const external = field("name") ?? { text: name, place };
    if (!isNamed(context, external.text, external.place, path)) return undefined;
    return { kind: "pieces", pieces: [configPiece(external.text)] };
  }
  if (map !== undefined || node.kind === "scalar") {
    const hint = "Write 'file: ./path' or 'environment: NAME'.";
    context.report.error("undefined-reference", `'${path}' does not say where its contents come from`, place, hint);
  }
  return undefined;
}

function isNamed(context: Context, name: string, place: Place, path: string): boolean {
  if (isConfigName(name)) return true;
  context.report.error("config-name", `'${name}' in '${path}' is no name of a config`, place);
  return false;
}
