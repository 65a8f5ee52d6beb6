import type { WireService } from "../api/client/types.js";
import type { CommandContext } from "./command.js";
import { isEverywhere, isReachable } from "./render/sleep.js";

/**
 * Says loudly which of the services other machines can reach, how to narrow it, and how to go back. Among a service's
 * notices is one sentence about it, shown wherever notices are; this is for the moment when somebody opens it.
 */
export function tellReachable({ output }: CommandContext, services: readonly WireService[]): void {
  for (const { name, slug, listen, allow, endpoint, origin } of services.filter(isReachable)) {
    const address = `${listen.includes(":") ? `[${listen}]` : listen}:${endpoint.port}`;
    const where = isEverywhere(listen) ? `${address}, every address of this machine` : address;
    const from = allow.length > 0 ? `clients from ${allow.join(", ")}` : "anybody who gets there";
    output.note(output.errorStyle("warning", `  '${name}' is open to other machines: ${where}.`));
    output.note(`  TLS and a role's password are asked of ${from}.`);
    const inFile = origin === "compose";
    if (allow.length === 0) {
      const narrow = inFile
        ? "write 'allow: [10.0.0.0/8]' under x-howdah"
        : `howdah services update ${slug} -s allow=10.0.0.0/8`;
      output.note(`    only some networks:  ${narrow}`);
    }
    const back = inFile ? "take 'listen' out of x-howdah" : `howdah services update ${slug} -s listen=127.0.0.1`;
    output.note(`    this machine only:   ${back}`);
  }
}
