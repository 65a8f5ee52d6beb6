import type { HowdahClient, WireService } from "../api/client/types.js";
import { parseDuration } from "../kernel/durations.js";
import { HowdahError } from "../kernel/errors.js";
import type { CommandContext } from "./command.js";
import { renderError } from "./render/errors.js";

/** Options of every command that starts something and waits for it; commander turns `--no-wait` into `wait: false`. */
export interface WaitOptions {
  readonly wait: boolean;
  readonly timeout: string;
}

/**
 * Follows services until each is what was wished, showing what they are at. Resolves to their last states, in order;
 * with `--no-wait` to those they have now. When some fail, the others are still waited for, each failure is told, and
 * the first is thrown. One that somebody removed meanwhile has failed, too: SERVICE_NOT_FOUND.
 */
export async function waitForServices(
  context: CommandContext,
  client: HowdahClient,
  services: readonly WireService[],
  options: WaitOptions,
): Promise<WireService[]> {
  const reached = await follow(context, client, services, options);
  const gone = services.find((_service, i) => reached[i] === null);
  if (gone !== undefined) {
    throw new HowdahError("SERVICE_NOT_FOUND", `service '${gone.name}' was removed while it was waited for`);
  }
  return reached.filter((service) => service !== null);
}

/** As above, for services whose removal was wished: being gone is what they are waited for. */
export async function waitUntilGone(
  context: CommandContext,
  client: HowdahClient,
  services: readonly WireService[],
  options: WaitOptions,
): Promise<void> {
  await follow(context, client, services, options);
}

async function follow(
  context: CommandContext,
  client: HowdahClient,
  services: readonly WireService[],
  options: WaitOptions,
): Promise<(WireService | null)[]> {
  if (!options.wait || services.length === 0) return [...services];
  const timeoutMs = parseDuration(options.timeout);
  const states = new Map(services.map((service) => [service.id, service]));
  const progress = context.output.progress(describe([...states.values()]));
  const onAbort = () => {
    context.output.note("No longer waiting; the server goes on with it. 'howdah services list' shows how far it is.");
  };
  context.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const results = await Promise.allSettled(
      services.map((service) =>
        client.services.wait(service.id, {
          timeoutMs,
          signal: context.signal,
          onChange: (changed) => {
            states.set(changed.id, changed);
            progress.update(describe([...states.values()]));
          },
        }),
      ),
    );
    return collect(context, services, results);
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    progress.stop();
  }
}

function collect(
  context: CommandContext,
  services: readonly WireService[],
  results: readonly PromiseSettledResult<WireService | null>[],
): (WireService | null)[] {
  const reached: (WireService | null)[] = [];
  const failures: Error[] = [];
  results.forEach((result, i) => {
    if (result.status === "rejected") failures.push(named(result.reason, services[i]));
    else reached.push(result.value);
  });
  const [first, ...others] = failures;
  // The first is thrown and rendered with its hint; the others would be lost.
  for (const other of others) {
    if (other instanceof HowdahError) context.output.note(renderError(other, context.output.errorStyle));
  }
  if (first !== undefined) throw first;
  return reached;
}

function named(reason: unknown, service: WireService | undefined): Error {
  if (!(reason instanceof Error)) return new Error(String(reason));
  if (!(reason instanceof HowdahError) || service === undefined || reason.message.includes(`'${service.name}'`)) {
    return reason;
  }
  return new HowdahError(reason.code, `service '${service.name}': ${reason.message}`, {
    cause: reason,
    hint: reason.hint,
    fields: { ...(reason.fields as Record<string, string>), service: service.name },
  });
}

function describe(services: readonly WireService[]): string {
  return services
    .map((service) => {
      const detail = service.status_detail === null ? "" : ` (${service.status_detail})`;
      return `${service.name}: ${service.status}${detail}`;
    })
    .join(", ");
}
