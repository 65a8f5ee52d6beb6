import { z } from "zod";

/** One difference between a Stack and the world, with what will be done about it. Never holds a secret. */
export const Change = z.strictObject({
  action: z.enum(["create", "update", "start", "restart", "none", "orphan"]),
  service: z.string(),
  /** Lower-case phrases, one per difference: "set work_mem to 64MB", "alter the password of role 'postgres'". */
  details: z.array(z.string()),
});
export type Change = z.infer<typeof Change>;

export const StackPlan = z.strictObject({
  project: z.string(),
  changes: z.array(Change),
  /** Things the user should know although nothing stands in the way. */
  notices: z.array(z.string()),
});
export type StackPlan = z.infer<typeof StackPlan>;
