import type { WireConnection } from "../../api/client/types.js";
import { humanAge } from "./dates.js";
import { plainStyle, type Style } from "./style.js";
import { type Column, renderTable } from "./table.js";

/** Who is connected; with the service's name in front where they are of several. */
export function renderClients(
  clients: readonly WireConnection[],
  options: { readonly withService: boolean; readonly style?: Style; readonly now?: number },
): string {
  const { withService, style = plainStyle, now = Date.now() } = options;
  if (clients.length === 0) return "Nobody is connected.\n";
  const service: Column<WireConnection> = { title: "SERVICE", value: (c) => c.service };
  return renderTable(
    clients,
    [
      ...(withService ? [service] : []),
      { title: "PID", value: (c) => (c.pid === null ? "-" : String(c.pid)), align: "right" },
      { title: "CLIENT", value: (c) => c.client },
      { title: "ROLE", value: (c) => c.username },
      { title: "DATABASE", value: (c) => c.database },
      { title: "APPLICATION", value: (c) => (c.application === "" ? "-" : c.application) },
      { title: "TLS", value: (c) => (c.tls ? "yes" : "no") },
      { title: "SINCE", value: (c) => humanAge(c.since, now) },
      {
        title: "STATE",
        value: (c) => (c.state === "held" ? "waits for the server" : c.state),
        tone: (c) => (c.state === "held" ? "warning" : undefined),
      },
    ],
    style,
  );
}
