import { describe, expect, it } from "vitest";
import { readEnvironment } from "../../kernel/environment.js";
import { unitOf, unitText } from "./systemd.js";

describe("unitText", () => {
  it("is the unit that is written", () => {
    const text = unitText({
      node: "/usr/bin/node",
      program: "/opt/my app/50%/$x/howdah.js",
      variables: { HOWDAH_HOME: "/var/lib/howdah", HOWDAH_API_PORT: "7000" },
      user: false,
    });
    expect(text).toBe(`[Unit]
Description=Howdah, managed PostgreSQL
After=network.target

[Service]
Type=exec
ExecStart="/usr/bin/node" "/opt/my app/50%%/$$x/howdah.js" "server" "run"
Environment="HOWDAH_API_PORT=7000"
Environment="HOWDAH_HOME=/var/lib/howdah"
KillMode=process
KillSignal=SIGTERM
TimeoutStopSec=60
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2 5 8 10
LimitNOFILE=65536
OOMPolicy=continue
UMask=0022

[Install]
WantedBy=multi-user.target
`);
  });
});

describe("unitOf", () => {
  const unit = (home: string, isRoot: boolean) => unitOf({ ...readEnvironment({}), home, isRoot });

  it("gives each home a unit of its own", () => {
    const names = ["/srv/a", "/srv/b"].map((home) => unit(home, true).name);
    expect(names).toEqual([
      expect.stringMatching(/^howdah-[0-9a-f]{8}\.service$/),
      expect.stringMatching(/^howdah-[0-9a-f]{8}\.service$/),
    ]);
    expect(names[0]).not.toBe(names[1]);
  });

  it("calls the default home's plainly, and puts an ordinary user's into the user's own folder", () => {
    const { home, isRoot } = readEnvironment({ ...process.env, HOWDAH_HOME: "" });
    expect(unit(home, isRoot).name).toBe("howdah.service");
    expect(unit("/srv/a", true).path).toMatch(/^\/etc\/systemd\/system\/howdah-/);
    expect(unit("/srv/a", false)).toMatchObject({ user: true, path: expect.stringContaining("/systemd/user/howdah-") });
  });
});
