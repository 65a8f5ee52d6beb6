import { lstatSync, type Stats, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/**
 * A deep home has its sockets in a folder of a known name under /tmp, which anybody could make before us, and answer
 * there in the server's place: whoever connects tells it passwords. Throws HOME_UNUSABLE when somebody else's folder
 * stands where anybody could have made it.
 */
export function requireOwnSocketFolder(socketPath: string): void {
  const folder = dirname(socketPath);
  let found: Stats;
  try {
    found = lstatSync(folder);
  } catch {
    // Not there, or not to be reached: connecting and making the home say so in their own words.
    return;
  }
  if (found.uid === process.geteuid?.() && !found.isSymbolicLink()) return;
  const isOpenToAll = (statSync(dirname(folder)).mode & 0o002) !== 0;
  if (!isOpenToAll) return;
  throw new HowdahError(
    "HOME_UNUSABLE",
    `'${folder}' belongs to user ${found.uid}, who could answer in the server's place`,
    {
      hint: `Remove it, or choose a HOWDAH_HOME with a shorter path, whose sockets lie inside.`,
    },
  );
}

/** Whether a server listens on this socket. Throws HOME_UNUSABLE when it belongs to somebody else. */
export async function answers(socketPath: string): Promise<boolean> {
  requireOwnSocketFolder(socketPath);
  return await new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      socket.destroy();
      const errno = errnoOf(error);
      if (errno !== "EACCES" && errno !== "EPERM") return resolve(false);
      reject(
        new HowdahError("HOME_UNUSABLE", `no permission to use the server's socket '${socketPath}'`, {
          cause: error,
          hint: "Run the command as the user that owns HOWDAH_HOME, or set HOWDAH_HOME to a folder of your own.",
        }),
      );
    });
  });
}
