/**
 * Has another Node process collect its garbage, so that what it has left is what it holds on to:
 * node --experimental-websocket collect-garbage.mjs PID
 * SIGUSR1 opens its debugger on port 9229 of this machine; it stays open as long as the process lives.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const DEBUGGER = "http://127.0.0.1:9229/json";
const WAIT_MS = 10_000;

const pid = Number(process.argv[2]);
process.kill(pid, "SIGUSR1");
const socket = new WebSocket(await findDebugger(Date.now() + WAIT_MS));
await once(socket, "open");
const { result } = await call(1, "Runtime.evaluate", { expression: "process.pid" });
if (result.value !== pid) throw new Error(`port 9229 is the debugger of process ${result.value}, not of ${pid}`);
await call(2, "HeapProfiler.collectGarbage");
// Freed pages are given back a moment later.
await delay(1_000);
process.exit(0);

async function findDebugger(deadline) {
  for (;;) {
    try {
      const [target] = await (await fetch(DEBUGGER)).json();
      return target.webSocketDebuggerUrl;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

async function call(id, method, params = {}) {
  socket.send(JSON.stringify({ id, method, params }));
  for (;;) {
    const [message] = await once(socket, "message");
    const answer = JSON.parse(message.data);
    if (answer.id === id) return answer.result;
  }
}
