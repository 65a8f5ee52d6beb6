/**
 * Who may log in how. These files lie outside the data directory and are written at each start, so no user can lock
 * the platform out: its own role comes in by `peer`, as the system user that runs Howdah, and has no password.
 * Everybody else proves a password; nothing is trusted.
 */
export const ADMIN_ROLE = "howdah_admin";

export function renderHba(): string {
  return `# Written by Howdah at each start; changes are lost.
local all         ${ADMIN_ROLE} peer map=howdah
local replication ${ADMIN_ROLE} peer map=howdah
host  all         ${ADMIN_ROLE} all          reject
local all         all          scram-sha-256
local replication all          scram-sha-256
host  all         all          127.0.0.1/32 scram-sha-256
host  replication all          127.0.0.1/32 scram-sha-256
host  all         all          ::1/128      scram-sha-256
host  replication all          ::1/128      scram-sha-256
`;
}

/** `systemUser`: who runs Howdah, and so connects as the platform's role. */
export function renderIdent(systemUser: string): string {
  return `# Written by Howdah at each start; changes are lost.\nhowdah "${systemUser.replaceAll('"', '""')}" ${ADMIN_ROLE}\n`;
}
