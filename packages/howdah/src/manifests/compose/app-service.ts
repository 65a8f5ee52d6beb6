/** A service that is no managed database → the spec's App: what Howdah needs to start it with the right environment. */
import { resolve } from "node:path";
import type { App, Expression } from "../../spec/index.js";
import type { Context } from "./context.js";
import { type EnvironmentValue, readEnvironment } from "./environment.js";
import { hostPath } from "./files.js";
import { type ManagedHosts, type Remark, rewriteHosts } from "./host-rewriting.js";
import { type MountedFile, readMountedFiles } from "./mounted-files.js";
import { asScalar, child } from "./node-access.js";
import { overridable, type Pieces, staticText, textPiece, toExpression } from "./pieces.js";
import { type HostVariable, rewritePortSiblings } from "./port-siblings.js";
import { shellWords } from "./shell-words.js";
import type { Entry, MapNode, Node } from "./yaml-tree.js";

export function readApp(
  context: Context,
  { key: name, value: map }: Entry & { readonly value: MapNode },
  root: MapNode,
  hosts: ManagedHosts,
  dependsOn: readonly string[],
): App {
  const image = asScalar(child(map, "image"), `services.${name}.image`, context.report);
  return {
    name,
    // Only shown: an image tag that the shell of a build machine fills in need not keep a database from starting.
    image: image === undefined ? null : context.variables.evaluateLoosely(image.text),
    command: commandOf(context, name, map),
    environment: environmentOf(context, name, map, root, hosts),
    dependsOn: [...dependsOn],
  };
}

function environmentOf(
  context: Context,
  name: string,
  map: MapNode,
  root: MapNode,
  hosts: ManagedHosts,
): Record<string, Expression> {
  const environment = readEnvironment(context, name, map);
  // Mounts of an app are its own business; only its secrets and configs are looked at.
  const files = readMountedFiles(context, name, map, root, []);
  const values = new Map<string, Pieces>();
  const hostVariables: HostVariable[] = [];
  for (const value of environment.values()) {
    const { pieces, host, remarks } = rewriteHosts(value.key, value.pieces, hosts);
    values.set(value.key, hostFile(context, value.key, value, files) ?? pieces);
    if (host !== null) hostVariables.push({ key: value.key, place: value.place, host });
    noteEncoding(context, name, value, remarks);
    for (const remark of remarks) say(context, name, value, remark);
  }
  rewritePortSiblings(context, name, values, hostVariables);
  return Object.fromEntries([...values].map(([key, pieces]) => [key, toExpression(overridable(key, pieces))]));
}

/** `POSTGRES_PASSWORD_FILE: /run/secrets/db`: outside of the container the file is where the secret's own is. */
function hostFile(
  context: Context,
  key: string,
  { pieces, place }: EnvironmentValue,
  files: readonly MountedFile[],
): Pieces | undefined {
  const path = staticText(pieces);
  const file = path?.startsWith("/") === true ? files.find(({ target }) => target === path) : undefined;
  if (file === undefined) return undefined;
  if (file.source.kind === "host") return [textPiece(resolve(hostPath(context, file.source.path)))];
  const hint = "Give the value itself as an environment variable.";
  const message = `'${key}' names ${file.what} '${path ?? ""}', which is no file on this machine`;
  context.report.warning("file-not-mounted", message, place, hint);
  return undefined;
}

function noteEncoding(
  context: Context,
  app: string,
  { key, place }: EnvironmentValue,
  remarks: readonly Remark[],
): void {
  const names = remarks.filter(({ kind }) => kind === "encoded").map(({ subject }) => `'${subject}'`);
  if (names.length === 0) return;
  const message = `the value of ${names.join(" and ")} is percent-encoded where it stands in the URI '${key}' of '${app}'`;
  const hint = "Store the plain value: any character may be in it.";
  context.report.notice("percent-encoded", message, place, hint);
}

function say(context: Context, app: string, { key, place }: EnvironmentValue, { kind, subject }: Remark): void {
  const { report } = context;
  switch (kind) {
    case "encoded":
      break;
    case "wrong-port": {
      const message = `'${key}' of '${app}' names port ${subject}, which the service does not have in this file`;
      const hint = "Write the port inside the compose network, usually 5432.";
      report.warning("wrong-port", message, place, hint);
      break;
    }
    case "taken-for-host": {
      const message = `'${key}' of '${app}' equals the name of service '${subject}' and is taken for its host`;
      report.notice("taken-for-host", message, place);
      break;
    }
  }
}

/** Entry point and command as the container would be started with; null: the image's own. */
function commandOf(context: Context, name: string, map: MapNode): string[] | null {
  const words = ["entrypoint", "command"].map((key) => wordsOf(context, child(map, key), `services.${name}.${key}`));
  const [entrypoint, command] = words;
  return entrypoint === undefined && command === undefined ? null : [...(entrypoint ?? []), ...(command ?? [])];
}

function wordsOf(context: Context, node: Node | undefined, path: string): string[] | undefined {
  if (node === undefined) return undefined;
  const scalars = (node.kind === "list" ? node.items : [node]).flatMap(
    (item) => asScalar(item, path, context.report) ?? [],
  );
  const texts = scalars.map(({ text }) => context.variables.evaluateLoosely(text));
  if (node.kind === "list") return texts;
  const words = shellWords(texts[0] ?? "");
  if (words === undefined) context.report.error("command", `a quote in '${path}' is not closed`, node.place);
  return words;
}
