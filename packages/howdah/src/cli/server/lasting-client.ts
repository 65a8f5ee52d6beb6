import type { HowdahClient } from "../../api/client/types.js";
import { isHowdahError } from "../../kernel/errors.js";

/** Calls that may be made a second time although nobody knows how far the first one came. */
const REPEATABLE: ReadonlySet<string> = new Set([
  ...["status", "events", "doctor", "recoveryKey", "projects.list", "projects.environment"],
  ...["services.list", "services.details", "services.find", "services.update", "services.start", "services.stop"],
  ...["stacks.plan", "stacks.apply", "stacks.down", "configs.set", "configs.list"],
  ...["engines.list", "trash.list", "keys.list"],
]);
/** `wait` gets over a restart by itself, a log is a stream, and who ends the server does not want it back. */
const LEFT_ALONE: ReadonlySet<string> = new Set(["services.wait", "services.logs", "shutdown"]);

/**
 * The same client, for a server that may be killed at any moment: a call that found nobody is made again once the
 * server is back, and one that broke off in the middle, too, where that does no harm.
 */
export function lastingClient(client: HowdahClient, bringBack: () => Promise<void>): HowdahClient {
  return wrap(client, "");

  function wrap<T extends object>(target: T, path: string): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key);
        const name = `${path}${String(key)}`;
        if (typeof value === "function") return LEFT_ALONE.has(name) ? value : repeating(value.bind(object), name);
        return typeof value === "object" && value !== null ? wrap(value, `${name}.`) : value;
      },
    });
  }

  function repeating(call: (...args: unknown[]) => Promise<unknown>, name: string) {
    return async (...args: unknown[]): Promise<unknown> => {
      try {
        return await call(...args);
      } catch (error) {
        if (!mayRepeat(error, name)) throw error;
        await bringBack();
        return await call(...args);
      }
    };
  }
}

function mayRepeat(error: unknown, name: string): boolean {
  if (!isHowdahError(error, "SERVER_UNREACHABLE")) return false;
  const errno = error.fields["errno"];
  if (errno === "ENOENT" || errno === "ECONNREFUSED") return true;
  return (errno === "ECONNRESET" || errno === "EPIPE") && REPEATABLE.has(name);
}
