import { createServer } from "node:net";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/** From here on Linux hands out ports to outgoing connections; one of those could take an endpoint's port. */
const FIRST_EPHEMERAL = 32_768;

/** Whether somebody could listen on 127.0.0.1:port right now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      if (["EADDRINUSE", "EACCES", "EADDRNOTAVAIL"].includes(errnoOf(error) ?? "")) resolve(false);
      else reject(error);
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first port from `from` that nobody holds and that is not `taken`; below 32768. Throws NO_PORT_FREE. */
export async function findFreePort(taken: ReadonlySet<number>, from: number): Promise<number> {
  for (let port = from; port < FIRST_EPHEMERAL; port++) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new HowdahError("NO_PORT_FREE", `no port from ${from} to ${FIRST_EPHEMERAL - 1} is free`);
}
