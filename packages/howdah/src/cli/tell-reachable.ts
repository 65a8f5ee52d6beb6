import type { WireService } from "../api/client/types.js";
import type { CommandContext } from "./command.js";
import { isReachable, reachOf } from "./render/sleep.js";

/** Says loudly which of the services other machines can reach, how to narrow it, and how to go back. */
export function tellReachable({ output }: CommandContext, services: readonly WireService[]): void {
  for (const service of services.filter(isReachable)) {
    const { name, slug, listen, allow, endpoint, origin } = service;
    const address = listen.includes(":") ? `[${listen}]` : listen;
    const from = allow.length > 0 ? allow.join(", ") : "anywhere";
    output.warn(
      `service '${name}' is reachable from other machines: ${address}:${endpoint.port} (${reachOf(listen)}), by clients from ${from}, with TLS and a role's password`,
    );
    const inFile = origin === "compose";
    if (allow.length === 0) {
      const narrow = inFile
        ? "'allow: [10.0.0.0/8]' under x-howdah"
        : `howdah services update ${slug} -s allow=10.0.0.0/8`;
      output.note(`  only some networks:  ${narrow}`);
    }
    const back = inFile ? "take 'listen' out of x-howdah" : `howdah services update ${slug} -s listen=127.0.0.1`;
    output.note(`  this machine only:   ${back}`);
  }
}
