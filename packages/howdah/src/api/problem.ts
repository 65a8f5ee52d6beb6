/**
 * What a client may read of an error. Only reviewed errors keep their words; everything else is "internal error" and
 * a request id, because a driver's or the runtime's message may quote what was sent.
 */
import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { type ErrorCode, HowdahError, isHowdahError } from "../kernel/errors.js";
import type { WireProblem } from "./client/index.js";

export const PROBLEM_TYPE = "application/problem+json";
const MAX_NAMED_FIELDS = 5;

export function problemOf(error: unknown, requestId: string): WireProblem {
  const reviewed = reviewedError(error) ?? internal(error, requestId);
  const { code, message, hint, spec, fields, place } = reviewed;
  const shown = place === undefined ? fields : { ...fields, place };
  return {
    type: `urn:howdah:error:${code}`,
    title: titleOf(code),
    detail: message,
    status: spec.status,
    extensions: {
      code,
      hint,
      request_id: requestId,
      ...(Object.keys(shown).length === 0 ? {} : { fields: shown }),
    },
  };
}

/** The HowdahError that this is or stands for; undefined for what nobody foresaw. */
export function reviewedError(error: unknown): HowdahError | undefined {
  if (isHowdahError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidFields(error);
  return error instanceof Error ? refusedByHttpLayer(error as Partial<FastifyError> & Error) : undefined;
}

function internal(cause: unknown, requestId: string): HowdahError {
  return new HowdahError("INTERNAL", `internal error (request ${requestId})`, { cause });
}

function invalidFields(error: FastifyError & { validationContext?: string }): HowdahError {
  const where = error.validationContext === "body" ? "" : ` in the ${error.validationContext ?? "request"}`;
  const issues = (error.validation ?? []).flatMap((issue) => {
    const path = issue.instancePath.split("/").filter(Boolean);
    const keys = issue.keyword === "unrecognized_keys" ? issue.params["keys"] : undefined;
    if (Array.isArray(keys)) return keys.map((key) => ({ field: [...path, key].join("."), fact: "is not known" }));
    const field = path.join(".") || (error.validationContext ?? "body");
    return [{ field, fact: lowerFirst(issue.message ?? "has the wrong form") }];
  });
  const named = issues.slice(0, MAX_NAMED_FIELDS).map((issue) => `field '${issue.field}'${where}: ${issue.fact}`);
  if (issues.length > named.length) named.push(`${issues.length - named.length} more`);
  return new HowdahError("INVALID_INPUT", named.join("; "), {
    fields: { field: issues.map((issue) => issue.field) },
  });
}

/** Fastify's own refusals of a request; their messages are replaced, since a parser's may quote the body. */
function refusedByHttpLayer(error: Partial<FastifyError> & Error): HowdahError | undefined {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new HowdahError("BODY_TOO_LARGE", "the body is larger than this path takes");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new HowdahError("INVALID_INPUT", "the body is not of type 'application/json'");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return new HowdahError("INVALID_INPUT", "the body is empty");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new HowdahError("INVALID_INPUT", "the body is not as long as its Content-Length says");
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return new HowdahError("INVALID_INPUT", "the body is not valid JSON");
    default:
      // Any other 4xx comes from parsing the request: bad JSON, a bad percent-encoding, forbidden property names.
      if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return undefined;
      return new HowdahError("INVALID_INPUT", "the request could not be read", { cause: error });
  }
}

/** SERVICE_NOT_FOUND → `Service not found` */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
