import { z } from "zod";
import { Expression } from "./expression.js";
import { Service } from "./service.js";

/** A part of the project that is not a database: not run by Howdah, but given its environment (`howdah run`, `howdah env`). */
export const App = z.strictObject({
  name: z.string(),
  image: z.string().nullable().default(null),
  /** What the file would run, for the line that tells the user how to start it; null: the image's own. */
  command: z.array(z.string()).nullable().default(null),
  environment: z.record(z.string(), Expression).default({}),
  dependsOn: z.array(z.string()).default([]),
});
export type App = z.infer<typeof App>;

/** What every door builds and control makes real: the wished-for state of one project. */
export const Stack = z.strictObject({
  project: z.string(),
  services: z.array(Service).default([]),
  apps: z.array(App).default([]),
});
export type Stack = z.infer<typeof Stack>;
