import { connect } from "node:net";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/** Whether a server listens on this socket. Throws HOME_UNUSABLE when it belongs to somebody else. */
export async function answers(socketPath: string): Promise<boolean> {
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
