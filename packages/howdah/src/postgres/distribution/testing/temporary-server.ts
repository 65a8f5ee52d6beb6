import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Distribution } from "../../types.js";

export interface TemporaryServer {
  /** The folder of its socket; the port is 5432 and the superuser howdah_admin, whom it trusts. */
  readonly socket: string;
  connect(database: string, user?: string): Promise<pg.Client>;
  stop(): Promise<void>;
}

/** A bare PostgreSQL on a socket in `folder`, without anything of the room `server/`. */
export async function startTemporaryServer(o: {
  distribution: Distribution;
  data: string;
  folder: string;
  uid: number | null;
}): Promise<TemporaryServer> {
  const socket = join(o.folder, "s");
  mkdirSync(socket, { mode: 0o755 });
  if (o.uid !== null) chownSync(socket, o.uid, o.uid);
  const hba = join(o.folder, "hba.conf");
  writeFileSync(hba, "local all all trust\n", { mode: 0o644 });
  const options = [
    "listen_addresses=",
    `unix_socket_directories=${socket}`,
    "unix_socket_permissions=0777",
    `hba_file=${hba}`,
    "port=5432",
    "shared_buffers=16MB",
    "fsync=off",
    "log_min_messages=panic",
  ];
  const args = ["-D", o.data, ...options.flatMap((option) => ["-c", option])];
  const child = spawn(join(o.distribution.binDir, "postgres"), args, {
    cwd: "/",
    env: { LC_ALL: "C.UTF-8", TZ: "UTC" },
    stdio: "ignore",
    ...(o.uid === null ? {} : { uid: o.uid, gid: o.uid }),
  });
  const exit = once(child, "exit");
  const connect = async (database: string, user = "howdah_admin") => {
    const client = new pg.Client({ host: socket, port: 5432, user, database });
    await client.connect();
    return client;
  };
  for (;;) {
    try {
      await (await connect("postgres")).end();
      break;
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`, { cause: error });
      await delay(10);
    }
  }
  return {
    socket,
    connect,
    stop: async () => {
      child.kill("SIGINT");
      await exit;
    },
  };
}
