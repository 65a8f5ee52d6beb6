import { createHash } from "node:crypto";
import { join } from "node:path";

/** sun_path holds 107 bytes on Linux and 103 on macOS; PostgreSQL adds `/.s.PGSQL.32767`. */
const MAX_SOCKET_PATH = 100;
/** Not os.tmpdir(): every process of a home must find the same folder, whatever its TMPDIR says. */
const SHORT_SOCKETS = "/tmp";

/** Where everything of one installation lives. Pure: makes no folder. */
export interface Layout {
  readonly home: string;
  readonly stateDb: string;
  readonly encryptionKey: string;
  /** Held open by the one control process of this home. */
  readonly lockDb: string;
  readonly serverLog: string;
  /** {url, pid} of the running control process, for people and for `server status`. */
  readonly serverInfo: string;
  readonly engines: string;
  readonly pool: string;
  readonly services: string;
  readonly sockets: string;
  readonly trash: string;
  readonly apiSocket: string;
  /** Control listens here for the gateway: root's, the gateway's group may connect. */
  readonly gatewaySocket: string;
  /** Standard output of the gateway and of the process that holds its listeners. */
  readonly gatewayLog: string;
  /** {pid, startTime} of that process. */
  readonly gatewayInfo: string;
  /** That process makes the salts of roles that do not exist from it. */
  readonly gatewaySecret: string;
  service(id: number): ServiceLayout;
}

export interface ServiceLayout {
  /** services/<id>, 0700, owned by the service's uid. */
  readonly root: string;
  readonly data: string;
  readonly log: string;
  /** Copies of the configuration files of the last good start. */
  readonly lastGood: string;
  /** sockets/<id>, 2750, group of the gateway: holds `.s.PGSQL.5432`. */
  readonly socket: string;
}

export function layoutOf(home: string): Layout {
  const longest = join(home, "sockets", "99999999", ".s.PGSQL.32767");
  // A deep home gets its sockets in a short folder of its own; the name is derived, so every process finds it.
  const sockets =
    Buffer.byteLength(longest) < MAX_SOCKET_PATH
      ? join(home, "sockets")
      : join(SHORT_SOCKETS, `howdah-${createHash("sha256").update(home).digest("hex").slice(0, 16)}`);
  const services = join(home, "services");
  return {
    home,
    stateDb: join(home, "state.db"),
    encryptionKey: join(home, "encryption_key"),
    lockDb: join(home, "control.lock.db"),
    serverLog: join(home, "server.log"),
    serverInfo: join(home, "server.json"),
    engines: join(home, "engines"),
    pool: join(home, "pool"),
    services,
    sockets,
    trash: join(home, "trash"),
    apiSocket: join(sockets, "api.sock"),
    gatewaySocket: join(sockets, "gateway.sock"),
    gatewayLog: join(home, "gateway.log"),
    gatewayInfo: join(home, "gateway.json"),
    gatewaySecret: join(home, "gateway.secret"),
    service: (id) => {
      const root = join(services, String(id));
      return {
        root,
        data: join(root, "data"),
        log: join(root, "log"),
        lastGood: join(root, "last-good"),
        socket: join(sockets, String(id)),
      };
    },
  };
}
