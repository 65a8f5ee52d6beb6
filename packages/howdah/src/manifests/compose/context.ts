import { HowdahError, type Place } from "../../kernel/errors.js";
import { asScalar, child } from "./node-access.js";
import type { Report } from "./report.js";
import type { FileReader } from "./types.js";
import type { Variables } from "./variables.js";
import type { MapNode, Node } from "./yaml-tree.js";

/** What every part of the compose door works with. */
export interface Context {
  /** Shown in diagnostics. */
  readonly file: string;
  /** Absolute. */
  readonly folder: string;
  readonly report: Report;
  readonly variables: Variables;
  readonly reader: FileReader;
}

/** A text with its variables filled in from `.env`; undefined when absent, null, of another type or incomplete. */
export function textAt(context: Context, map: MapNode | undefined, key: string, path: string): string | undefined {
  const scalar = asScalar(child(map, key), path, context.report);
  return scalar && context.variables.evaluate(scalar.text, { path, place: scalar.place });
}

/** One text or a list of texts, each filled in. Undefined elements are left out, their problem is reported. */
export function textsOf(context: Context, node: Node | undefined, path: string): { text: string; place: Place }[] {
  if (node === undefined) return [];
  const nodes = node.kind === "list" ? node.items : [node];
  return nodes.flatMap((item, i) => {
    const where = node.kind === "list" ? `${path}[${i}]` : path;
    const scalar = asScalar(item, where, context.report);
    const text = scalar && context.variables.evaluate(scalar.text, { path: where, place: scalar.place });
    return scalar === undefined || text === undefined ? [] : [{ text, place: scalar.place }];
  });
}

/** Runs a check of kernel or spec that throws, and puts its sentence at a place. */
export function reported<T>(context: Context, code: string, place: Place, check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof HowdahError)) throw error;
    context.report.error(code, error.message, place, error.hint);
    return undefined;
  }
}
