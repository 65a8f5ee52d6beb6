import { HowdahError } from "../kernel/errors.js";
import type { EngineInfo } from "../postgres/index.js";
import type { Major } from "../spec/index.js";
import type { Context } from "./context.js";
import type { Control, EngineView } from "./types.js";

export function engineControl(context: Context): Control["engines"] {
  const { engines, store, pool } = context;
  const users = (major: Major) => store.services.list().filter((s) => s.definition.major === major);
  const view = (info: EngineInfo): EngineView => ({
    ...info,
    services: users(info.major).filter((s) => s.engine === null || s.engine === info.kind).length,
  });
  return {
    list: async () => (await engines.list()).map(view),
    install: async (major, onProgress) => {
      const distribution = await engines.install(major, onProgress);
      const info = (await engines.list()).find((e) => e.major === major && e.kind === distribution.kind);
      if (info === undefined)
        throw new HowdahError("ENGINE_NOT_INSTALLED", `PostgreSQL ${major} is not there after its installation`);
      return view(info);
    },
    remove: async (major) => {
      const inTrash = store.trash.list().filter((t) => t.service.definition.major === major);
      const names = [...users(major), ...inTrash.map((t) => t.service)]
        .filter((s) => s.engine !== "system")
        .map((s) => `${s.project}/${s.name}`);
      if (names.length > 0) {
        throw new HowdahError("ENGINE_IN_USE", `PostgreSQL ${major} runs ${names.join(", ")}`, {
          hint: "Remove the services first; those in the trash count until they expire.",
        });
      }
      await engines.remove(major);
      await pool.sweep();
    },
  };
}
