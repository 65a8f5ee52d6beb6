import { inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import { runInPlace } from "../child.js";
import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";

/** What could send psql elsewhere, or make it ask for what a local server does not offer. */
const MISLEADING = [
  ...["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSFILE", "PGSSLMODE", "PGREQUIRESSL", "PGSSLNEGOTIATION"],
  ...["PGCHANNELBINDING", "PGGSSENCMODE", "PGREQUIREAUTH", "PGREQUIREPEER", "PGTARGETSESSIONATTRS"],
  ...["PGLOADBALANCEHOSTS", "PGKRBSRVNAME", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT"],
];

export async function run(context: CommandContext, args: readonly string[], options: ServiceOptions): Promise<number> {
  // With --id every word belongs to psql, since no name is needed.
  const name = options.id === undefined ? args[0] : undefined;
  const words = options.id === undefined ? args.slice(1) : args;
  const client = await context.client();
  const { service, current_parameters: parameters } = await findService(context, client, name, options, true);
  if (service.desired === "stopped") {
    throw new HowdahError("SERVICE_STOPPED", `service '${service.name}' is stopped`, {
      hint: `Start it with 'howdah services start ${service.slug}'.`,
    });
  }
  const inherited = Object.entries(inheritedEnvironment()).filter(([variable]) => !MISLEADING.includes(variable));
  const env = {
    ...Object.fromEntries(inherited),
    PGHOST: service.endpoint.host,
    PGPORT: String(service.endpoint.port),
    PGDATABASE: parameters["database"] ?? "postgres",
    PGUSER: parameters["username"] ?? "postgres",
    // Through the environment: an argument could be read by every user of the machine.
    PGPASSWORD: parameters["password"] ?? "",
  };
  return await runInPlace(
    context,
    ["psql", ...words],
    env,
    "Install the PostgreSQL client: 'apt-get install postgresql-client' on Debian and Ubuntu, 'brew install libpq' on macOS.",
  );
}
