import { describe, expect, it } from "vitest";
import type { WireConnection, WireService } from "../../api/client/types.js";
import { HowdahError } from "../../kernel/errors.js";
import { renderClients } from "./connections.js";
import { humanAge, humanDate, humanDuration } from "./dates.js";
import { maskSecrets, renderDiagnostic } from "./diagnostics.js";
import { errorDocument, renderError, toHowdahError } from "./errors.js";
import { renderPlan } from "./plan.js";
import {
  renderApps,
  renderConnections,
  renderServiceDetails,
  renderServiceTable,
  serviceDocument,
} from "./services.js";
import type { Style } from "./style.js";
import { type Column, renderPairs, renderTable } from "./table.js";

const marked: Style = (tone, text) => `<${tone}>${text}</>`;

const SERVICE: WireService = {
  id: 3,
  name: "database",
  service_type: "postgres",
  status: "running",
  version: "18.4",
  connection_info: "postgresql://postgres:***@127.0.0.1:5432/postgres",
  created_at: "2026-05-01T10:00:00.000Z",
  updated_at: "2026-05-01T10:00:00.000Z",
  project: "shop",
  slug: "database",
  origin: "compose",
  status_detail: null,
  desired: "running",
  busy: false,
  endpoint: { host: "127.0.0.1", port: 5432 },
  mode: { kind: "regular" },
  ssl_mode: "disable",
  listen: "127.0.0.1",
  allow: [],
  hold_ms: 60_000,
  sleep: {
    awake_because: "mode is regular",
    connections: 0,
    wakes: 0,
    last_wake_ms: null,
    last_wake_at: null,
    asleep_since: null,
    asleep_ms: 0,
  },
  engine: "embedded",
  image: "postgres:18",
  pid: 4711,
  data_bytes: 41_943_040,
  memory_bytes: 536_870_912,
  notices: [],
};
const OTHER: WireService = {
  ...SERVICE,
  id: 12,
  name: "q",
  slug: "other-q",
  status: "creating",
  version: null,
  connection_info: null,
  endpoint: { host: "127.0.0.1", port: 5433 },
  mode: { kind: "flash", timeout_ms: 3_000 },
  data_bytes: null,
  busy: true,
};

describe("tables", () => {
  it("aligns by what is seen, whatever the colours, and leaves no blanks at line ends", () => {
    const rows = [
      { name: "é", size: "1" },
      { name: "longer", size: "1000" },
    ];
    const columns: Column<(typeof rows)[number]>[] = [
      { title: "NAME", value: (row) => row.name, tone: () => "good" },
      { title: "SIZE", value: (row) => row.size, align: "right" },
    ];
    expect(renderTable(rows, columns)).toBe("NAME    SIZE\né          1\nlonger  1000\n");
    expect(renderTable(rows, columns, marked)).toBe(
      "<dim>NAME    SIZE</>\n<good>é     </>     1\n<good>longer</>  1000\n",
    );
    expect(renderTable([], columns)).toBe("NAME  SIZE\n");
  });

  it("lists pairs and leaves absent ones out", () => {
    expect(
      renderPairs([
        ["A", "1"],
        ["Bcd", undefined],
        ["Ef", "2"],
      ]),
    ).toBe("A   1\nEf  2\n");
  });
});

describe("services", () => {
  it("lists them", () => {
    expect(renderServiceTable([SERVICE, OTHER])).toBe(
      `ID  NAME      PROJECT  STATUS    MODE      VERSION  ENDPOINT          DATA
 3  database  shop     running   regular   18.4     127.0.0.1:5432  40 MiB
12  q         shop     creating  flash 3s  -        127.0.0.1:5433       -
`,
    );
    expect(renderServiceTable([])).toContain("howdah services create");
  });

  it("tells where they are and how to get the whole URL", () => {
    expect(renderConnections([SERVICE, OTHER], (service) => service.slug)).toBe(
      `database  running  postgresql://postgres:***@127.0.0.1:5432/postgres
          with its password: howdah services url database
q         creating  127.0.0.1:5433
          with its password: howdah services url other-q
`,
    );
    expect(renderApps([{ name: "app", command: "howdah run app -- npm start" }])).toContain(
      "  app  howdah run app -- npm start\n",
    );
    expect(renderApps([])).toBe("");
  });

  it("shows one with its notices and settings", () => {
    const details = {
      service: { ...SERVICE, notices: ["'x' was refused"], status: "stopped", pid: null },
      current_parameters: { version: "18", "set.work_mem": "64MB" },
      parameter_schema: {},
    };
    const text = renderServiceDetails(details, undefined, Date.parse("2026-05-01T12:00:00.000Z"));
    expect(text).toContain("Wanted       running\n");
    expect(text).toContain("Settings     work_mem = 64MB\n");
    expect(text).toContain("(2 h ago)");
    expect(text).toMatch(/notice: 'x' was refused\n$/);
    expect(text).not.toContain("Process");
  });

  describe("that sleep", () => {
    const now = Date.parse("2026-05-01T12:00:00.000Z");
    const show = (change: Partial<WireService>) =>
      renderServiceDetails(
        { service: { ...SERVICE, ...change }, current_parameters: {}, parameter_schema: {} },
        undefined,
        now,
      );
    const ago = (ms: number) => new Date(now - ms).toISOString();
    const at = (ms: number) => humanDate(ago(ms));

    it("tell since when, how often and for how long they slept, and how long the last wake took", () => {
      const text = show({
        status: "sleeping",
        pid: null,
        mode: { kind: "flash", timeout_ms: 10_000 },
        sleep: {
          awake_because: null,
          connections: 0,
          wakes: 12,
          last_wake_ms: 31.4,
          last_wake_at: ago(7_200_000),
          asleep_since: ago(180_000),
          asleep_ms: 93_784_000,
        },
      });
      expect(text).toContain(`Status       sleeping
PostgreSQL   18.4 (embedded)
Image        postgres:18
Mode         flash: sleeps after 10s without a client
Asleep       since ${at(180_000)} (3 min ago)
Last wake    31 ms, ${at(7_200_000)} (2 h ago)
Wakes        12
Time asleep  1 d 2 h in all
Endpoint     127.0.0.1:5432
Listens on   127.0.0.1 (this machine only)
TLS          off
Hold         clients wait up to 1m for the server
Connections  0
`);
      // A service that sleeps is as it is wanted.
      expect(text).not.toContain("Wanted");
    });

    it("tell why they are awake", () => {
      const because = "1 open connection from 127.0.0.1 (psql)";
      const sleep = { ...SERVICE.sleep, awake_because: because, connections: 1 };
      const text = show({ mode: { kind: "flash", timeout_ms: 90_000 }, sleep });
      expect(text).toContain(`Mode         flash: sleeps after 1m30s without a client\nAwake        ${because}\n`);
      expect(text).toContain("Connections  1\n");
      expect(text).toContain("Wakes        0\n");
      expect(text).not.toContain("Last wake");
    });

    it("say nothing of sleep where there is none", () => {
      const text = show({});
      expect(text).toContain("Mode         regular: the server always runs\nAwake        mode is regular\nEndpoint");
      expect(text).not.toMatch(/Wakes|Asleep|Time asleep/);
    });

    it.each([
      [{ listen: "0.0.0.0", ssl_mode: "require" as const }, "0.0.0.0 (every address of this machine)", "anywhere"],
      [{ listen: "::", ssl_mode: "require" as const }, ":: (every address of this machine)", "anywhere"],
      [
        { listen: "192.0.2.1", ssl_mode: "require" as const, allow: ["192.0.2.0/24", "fd00::/8"] },
        "192.0.2.1 (reachable from other machines)",
        "192.0.2.0/24, fd00::/8",
      ],
    ])("tell who can reach them: %j", (change, listens, from) => {
      expect(show(change)).toContain(`Listens on    ${listens}\nClients from  ${from}\nTLS           required\n`);
    });
  });

  it("lists their clients, those that wait among them", () => {
    const now = Date.parse("2026-05-01T12:00:00.000Z");
    const client: WireConnection = {
      service: "shop/database",
      service_id: 3,
      pid: 4720,
      client: "127.0.0.1:50312",
      username: "postgres",
      database: "shop",
      application: "psql",
      tls: false,
      state: "connected",
      since: "2026-05-01T11:00:00.000Z",
    };
    const held: WireConnection = { ...client, pid: null, client: "[::1]:9", application: "", tls: true, state: "held" };
    expect(renderClients([client, held], { withService: true, now })).toBe(
      `SERVICE         PID  CLIENT           ROLE      DATABASE  APPLICATION  TLS  SINCE    STATE
shop/database  4720  127.0.0.1:50312  postgres  shop      psql         no   1 h ago  connected
shop/database     -  [::1]:9          postgres  shop      -            yes  1 h ago  waits for the server
`,
    );
    expect(renderClients([client], { withService: false, now })).toMatch(/^ PID {2}CLIENT/);
    expect(renderClients([], { withService: true })).toBe("Nobody is connected.\n");
  });

  it("has the contract's fields at top level and nested", () => {
    const document = serviceDocument({ service: SERVICE, current_parameters: { a: "b" }, parameter_schema: {} });
    expect(document).toMatchObject({ ...SERVICE, service: SERVICE, current_parameters: { a: "b" } });
    expect(document).not.toHaveProperty("parameter_schema");
  });
});

describe("plans", () => {
  it("shows each difference and counts them", () => {
    const plan = {
      project: "shop",
      notices: [],
      changes: [
        { action: "create" as const, service: "database", details: ["PostgreSQL 18", "database 'postgres'"] },
        { action: "update" as const, service: "q", details: ["set work_mem to 64MB"] },
        { action: "none" as const, service: "cache", details: [] },
        { action: "orphan" as const, service: "old", details: ["is not in the file any more; left as it is"] },
      ],
    };
    expect(renderPlan(plan)).toBe(
      `Project shop

  + database  create
      PostgreSQL 18
      database 'postgres'
  ~ q         change
      set work_mem to 64MB
  = cache     keep
  ? old       not in the file
      is not in the file any more; left as it is

1 to create, 1 to change.
`,
    );
  });

  it("says when there is nothing to do", () => {
    expect(renderPlan({ project: "shop", notices: [], changes: [] })).toBe(
      "Project shop\n\n  no database in the file, and none of this project here\n\nNothing to do.\n",
    );
  });
});

describe("diagnostics", () => {
  const diagnostic = {
    severity: "warning" as const,
    code: "not-enforced",
    message: "'cpus' is not enforced",
    hint: "Leave it out.",
    place: { file: "compose.yaml", line: 2, column: 4 },
  };

  it("begin with the place, as compilers write it", () => {
    expect(renderDiagnostic(diagnostic)).toBe("compose.yaml:2:4: warning: 'cpus' is not enforced\n  Leave it out.");
  });

  it("show the line with a caret, tabs kept", () => {
    expect(renderDiagnostic(diagnostic, undefined, () => "services:\n\t  cpus: 2\r\nx: 1\n")).toBe(
      "compose.yaml:2:4: warning: 'cpus' is not enforced\n  2 | \t  cpus: 2\n    | \t  ^\n  Leave it out.",
    );
  });

  it("do without a line that is not there", () => {
    expect(renderDiagnostic(diagnostic, undefined, () => "one line\n")).toBe(renderDiagnostic(diagnostic));
  });

  it.each([
    ["  POSTGRES_PASSWORD: hunter2", "  POSTGRES_PASSWORD: •••"],
    ["- API_KEY=hunter2", "- API_KEY=•••"],
    ['  "db_password": "hunter2"', '  "db_password": •••'],
    ["URL: postgres://u:hun@er/2@database/x", "URL: postgres://•••@database/x"],
    ["URL: postgres://${U:-u}:${PASSWORD}@db/x", "URL: postgres://${U:-u}:${PASSWORD}@db/x"],
    ["URL: postgres://u:${PASSWORD:-hunter2}@db/x", "URL: postgres://u:${PASSWORD:•••"],
    ["  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}", "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}"],
    ["  image: postgres:18", "  image: postgres:18"],
  ])("copy no secret to the terminal: %s", (line, shown) => {
    expect(maskSecrets(line)).toBe(shown);
  });
});

describe("errors", () => {
  const error = new HowdahError("SERVICE_NOT_FOUND", "service 'x' does not exist", { fields: { name: "x" } });

  it("are a sentence, the code, and the next move", () => {
    expect(renderError(error)).toBe(
      "error: service 'x' does not exist (SERVICE_NOT_FOUND)\n  Run 'howdah services list' to see every service.",
    );
  });

  it("are one document with --json", () => {
    expect(errorDocument(error)).toEqual({
      error: {
        code: "SERVICE_NOT_FOUND",
        message: "service 'x' does not exist",
        hint: "Run 'howdah services list' to see every service.",
        exit_code: 4,
        retryable: false,
        fields: { name: "x" },
      },
    });
  });

  it("show the stacks of all causes only when asked", () => {
    const chained = toHowdahError(new Error("outer", { cause: new Error("inner") }));
    expect(renderError(chained)).not.toContain("inner");
    expect(renderError(chained, undefined, true)).toContain("inner");
    expect(chained.code).toBe("INTERNAL");
  });
});

describe("dates", () => {
  it.each([
    [0, "0 ms"],
    [8.04, "8 ms"],
    [8.16, "8.2 ms"],
    [31.4, "31 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [4_230, "4.2 s"],
    [59_940, "59.9 s"],
    [60_000, "1 min"],
    [61_400, "1 min 1 s"],
    [3 * 3_600_000 + 240_000, "3 h 4 min"],
    [50 * 3_600_000, "2 d 2 h"],
  ])("%d ms last %s", (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });

  it.each([
    [2_000, "just now"],
    [59_000, "59 s ago"],
    [61_000, "1 min ago"],
    [3 * 3_600_000, "3 h ago"],
    [50 * 3_600_000, "2 d ago"],
  ])("%d ms: %s", (ms, text) => {
    expect(humanAge("2026-05-01T10:00:00Z", Date.parse("2026-05-01T10:00:00Z") + ms)).toBe(text);
  });
});
