// Rooms from the front door down to the foundation: imports only point down this list.
const rooms = [
  "cli",
  "apphost",
  "manifests",
  "api",
  "control",
  "gateway",
  "backup",
  "observe",
  "postgres",
  "runtime",
  "store",
  "spec",
  "kernel",
];
const src = "^packages/howdah/src/";

const downOnly = rooms.slice(1).map((room, i) => ({
  name: `${room}-imports-only-down`,
  severity: "error",
  from: { path: `${src}${room}/`, pathNot: "\\.test\\.ts$" },
  to: { path: `${src}(${rooms.slice(0, i + 1).join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...downOnly,
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "client-is-a-leaf",
      severity: "error",
      from: { path: "^packages/client/" },
      to: { path: "^packages/howdah/" },
    },
    {
      name: "kernel-imports-nothing",
      severity: "error",
      from: { path: `${src}kernel/`, pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules", pathNot: "node_modules/pino" },
    },
    {
      name: "spec-knows-only-zod",
      severity: "error",
      from: { path: `${src}spec/`, pathNot: "\\.test\\.ts$" },
      to: { path: "node_modules", pathNot: "node_modules/zod" },
    },
    {
      name: "api-starts-no-process",
      severity: "error",
      from: { path: `${src}api/` },
      to: { path: "^(node:)?child_process$" },
    },
    {
      name: "control-parses-no-yaml",
      severity: "error",
      from: { path: `${src}control/` },
      to: { path: "node_modules/yaml" },
    },
    {
      name: "only-store-knows-sqlite",
      severity: "error",
      from: { path: src, pathNot: `${src}store/` },
      to: { path: "node_modules/libsql" },
    },
    { name: "not-to-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules|dist" },
    exclude: { path: "/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
