/**
 * The server's umask, whatever the shell's: under root, services run as users of their own and pass through folders
 * of the home, which a mask of 077 would close. What is private is made so explicitly, with its own mode.
 */
export const SERVER_UMASK = 0o022;
