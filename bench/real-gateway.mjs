// The product's gateway before the bench's server: `node real-gateway.mjs <socket> <verifier> <folder>`. A stand-in for
// control tells one endpoint and answers for one role; keeper and worker are the real ones. Prints the port and the
// worker's process; ends all of it when its parent is gone.
import { mkdirSync } from "node:fs";
import net from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = resolve(fileURLToPath(new URL(".", import.meta.url)), "..");
const { endGateway, GatewayServer, launchGateway } = await import(
  join(repository, "packages/howdah/dist/gateway/index.js")
);
const { layoutOf } = await import(join(repository, "packages/howdah/dist/runtime/layout.js"));

const [socketPath, verifier, folder] = process.argv.slice(2);
const layout = layoutOf(folder);
mkdirSync(layout.sockets, { recursive: true, mode: 0o700 });
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: console.error, error: console.error };
const port = await new Promise((done) => {
  const probe = net.createServer();
  probe.listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});

const endpoint = {
  ...{ id: 1, title: "bench/bench", major: 18, host: "127.0.0.1", port, ssl: "off", allow: [] },
  ...{ holdMs: 60_000, socketPath, open: true },
};
const server = new GatewayServer({
  log,
  handlers: {
    verifier: async ({ role }) => ({ role, verifier, canLogin: true, validUntil: null }),
    wake: async () => undefined,
  },
  onHello: async (peer) => {
    await peer.call("configure", endpoint);
    console.log(`${port} ${peer.hello.pid}`);
  },
  onActivity: quiet,
  onCancel: quiet,
  onRefused: quiet,
  onGone: quiet,
});
await server.listen(layout.gatewaySocket, { gid: null });
await launchGateway({ layout, uid: null, gid: null, logLevel: "warn", version: "bench", log });
const end = async () => {
  await endGateway(layout);
  process.exit(0);
};
process.once("disconnect", end);
process.once("SIGINT", end);
