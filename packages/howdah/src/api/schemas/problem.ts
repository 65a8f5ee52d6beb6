import { z } from "zod";
import { ERROR_CODES } from "../../kernel/errors.js";

const DiagnosticPlace = z.object({ file: z.string(), line: z.int(), column: z.int() });

/** RFC 7807, in the contract's shape: what is ours stands under `extensions`. */
export const ProblemDetails = z
  .object({
    type: z.string().nullish().describe("urn:howdah:error:<code>"),
    title: z.string(),
    detail: z.string().nullish().describe("A lower-case fact with quoted values"),
    instance: z.string().nullish(),
    status: z.int(),
    extensions: z
      .looseObject({
        code: z.enum(ERROR_CODES as [string, ...string[]]).describe("Stable; see docs/reference/errors.md"),
        hint: z.string().describe("One sentence telling the next move"),
        request_id: z.string(),
        fields: z.record(z.string(), z.unknown()).optional(),
        diagnostics: z
          .array(
            z.object({
              severity: z.enum(["error", "warning", "notice"]),
              code: z.string(),
              message: z.string(),
              hint: z.string().optional(),
              place: DiagnosticPlace.optional(),
            }),
          )
          .optional(),
      })
      .describe("Additional properties of the problem"),
  })
  .meta({ id: "ProblemDetails", description: "Follows RFC 7807, problem details for HTTP APIs" });
