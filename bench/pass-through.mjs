// The splice behind the least that can accept a client, for bench/gateway.mjs: every byte is passed on, the login too,
// so that what is measured is the data path. Arguments: the server's socket, the compiled splice. Prints its port.
import net from "node:net";

const [socketPath, module] = process.argv.slice(2);
const { splice } = await import(module);
const listener = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
  client.on("error", () => client.destroy());
  const server = net.connect({ path: socketPath, allowHalfOpen: true });
  server.pause();
  server.on("error", () => client.destroy());
  server.once("connect", () => splice(client, server, { toClient: null, toServer: null }));
});
listener.listen(0, "127.0.0.1", 1024, () => process.stdout.write(`${listener.address().port}\n`));
process.once("disconnect", () => process.exit(0));
