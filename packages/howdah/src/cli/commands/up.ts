import type { WireService } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { renderApps, renderConnections } from "../render/services.js";
import { tellReachable } from "../tell-reachable.js";
import { type WaitOptions, waitForServices } from "../wait-for.js";
import { atItsPlace, type FileOptions, loadStack } from "./load-stack.js";
import { run as runPlan } from "./plan.js";

type Options = FileOptions & WaitOptions & { readonly dryRun?: boolean };

export async function run(context: CommandContext, args: readonly string[], options: Options): Promise<void> {
  if (options.dryRun === true) return await runPlan(context, args, options);
  const { output } = context;
  const loaded = await loadStack(context, options);
  const { stack, file } = loaded;
  const client = await context.client();
  const progress = output.progress(`Applying '${file}'`);
  const applied = await client.stacks
    .apply(stack)
    .finally(() => progress.stop())
    .catch(atItsPlace(loaded));
  for (const notice of applied.plan.notices) output.note(`${output.errorStyle("accent", "notice:")} ${notice}`);
  const services = await waitForServices(context, client, applied.services, options);
  for (const service of services) {
    for (const notice of service.notices) output.warn(`${service.name}: ${notice}`);
  }
  const changed = new Set(applied.plan.changes.flatMap((c) => (c.action === "none" ? [] : [c.service])));
  tellReachable(
    context,
    services.filter(({ name }) => changed.has(name)),
  );
  const document = { project: stack.project, file, plan: applied.plan, services, apps: applied.apps };
  output.result({ ...document, diagnostics: output.diagnostics }, () => {
    // In the file's own folder the bare name means this project's service, whatever others there are.
    const inItsFolder = options.file === undefined && options.project === undefined;
    const nameOf = (service: WireService): string => (inItsFolder ? service.name : service.slug);
    if (services.length === 0) output.note(`'${file}' has no managed database (x-defang-postgres: true)`);
    const connections = renderConnections(services, nameOf, output.style);
    const apps = renderApps(applied.apps, output.style);
    return connections + (connections !== "" && apps !== "" ? "\n" : "") + apps;
  });
}
