/** Mounts of a managed service that are no init scripts: its data, which Howdah keeps itself, and everything else. */
import type { Context } from "./context.js";
import { textsOf } from "./context.js";
import { isInitTarget } from "./init-scripts.js";
import type { Mount } from "./mounts.js";
import { child } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

const DATA = /^\/var\/lib\/(postgresql|postgres)(\/.*)?$/;

/** `used`: container paths that other parts of the file read, such as a password's file. */
export function noteMounts(
  context: Context,
  service: string,
  map: MapNode,
  mounts: readonly Mount[],
  pgdata: string | undefined,
  used: readonly string[],
): void {
  const isData = (target: string) =>
    DATA.test(target) || (pgdata !== undefined && (pgdata === target || pgdata.startsWith(`${target}/`)));
  for (const { source, target, place } of mounts) {
    if (isInitTarget(target)) continue;
    if (isData(target)) {
      const from = source === null ? "" : `; what '${source}' holds is not read`;
      const message = `Howdah keeps the data of '${service}' itself${from}`;
      const hint = "Data of a container comes over with pg_dump and psql.";
      context.report.notice("data-kept", message, place, hint);
    } else if (!used.some((path) => path === target || path.startsWith(`${target}/`))) {
      context.report.warning("not-done", `the mount on '${target}' of '${service}' has no effect`, place);
    }
  }
  for (const { text, place } of textsOf(context, child(map, "tmpfs"), `services.${service}.tmpfs`)) {
    const target = text.split(":")[0] ?? "";
    const message = isData(target)
      ? `the data of '${service}' is kept on disk, not in memory`
      : `the tmpfs on '${target}' of '${service}' has no effect`;
    context.report.warning("not-done", message, place);
  }
}
