/**
 * Who may log in how. These files lie outside the data directory and are written at each start, so no user can lock
 * the platform out: its own role comes in by `peer`, as the system user that runs Howdah, and has no password.
 * Everybody else proves a password; nothing is trusted. There is no TCP: clients come through the gateway.
 */
export const ADMIN_ROLE = "howdah_admin";

export function renderHba(): string {
  return `# Written by Howdah at each start; changes are lost.
local all         ${ADMIN_ROLE} peer map=howdah
local replication ${ADMIN_ROLE} peer map=howdah
local all         all          scram-sha-256
local replication all          scram-sha-256
`;
}

/** `systemUser`: who runs Howdah, and so connects as the platform's role. */
export function renderIdent(systemUser: string): string {
  return `# Written by Howdah at each start; changes are lost.\nhowdah "${systemUser.replaceAll('"', '""')}" ${ADMIN_ROLE}\n`;
}
