/**
 * Turns expressions into text where the secrets are kept: configs and the properties of services stay on the server,
 * and only somebody who may ask for the value gets it. Pure: what is known comes in as two functions.
 */
import { percentEncodeUserinfo } from "@howdah/client/connection";
import { HowdahError } from "../kernel/errors.js";
import type { Expression, ServiceProperty } from "../spec/index.js";

export interface ResolveContext {
  config(name: string): string | undefined;
  /** undefined: no such service in the project. */
  service(name: string): Readonly<Record<ServiceProperty, string>> | undefined;
}

export interface Resolved {
  readonly text: string;
  /** Names of configs that are needed and not set, in order, each once. */
  readonly missing: readonly string[];
  /** What `${X:?message}` says, by config. */
  readonly messages: Readonly<Record<string, string>>;
}

export function resolveExpression(expression: Expression, context: ResolveContext): Resolved {
  let text = "";
  const missing: string[] = [];
  const messages: Record<string, string> = {};
  for (const part of expression) {
    if (part.kind === "literal") {
      text += part.text;
      continue;
    }
    let value: string | undefined;
    if (part.kind === "service") {
      value = context.service(part.service)?.[part.property];
      if (value === undefined) {
        throw new HowdahError("SERVICE_NOT_FOUND", `service '${part.service}' does not exist in this project`);
      }
    } else {
      value = context.config(part.name);
      if (value === "" && part.onEmpty) value = undefined;
      if (value === undefined && part.fallback !== undefined) {
        const inner = resolveExpression(part.fallback, context);
        value = inner.text;
        missing.push(...inner.missing);
        Object.assign(messages, inner.messages);
      }
      if (value === undefined) {
        missing.push(part.name);
        if (part.message !== undefined && part.message !== "") messages[part.name] = part.message;
        value = "";
      }
    }
    text += part.encode === "userinfo" ? percentEncodeUserinfo(value) : value;
  }
  return { text, missing: [...new Set(missing)], messages };
}

/** Defang's own sentence, so that people and scripts recognise it. */
export function missingConfigs(
  missing: readonly string[],
  messages: Readonly<Record<string, string>>,
  project: string,
): HowdahError {
  const names = [...new Set(missing)];
  const said = names.flatMap((n) => (messages[n] === undefined ? [] : [`${n}: ${messages[n]}`]));
  const list = `[${names.map((n) => JSON.stringify(n)).join(", ")}]`;
  const example = names.map((n) => `${n}=VALUE`).join(" ");
  return new HowdahError("CONFIG_MISSING", `missing configs ${list}${said.length > 0 ? ` (${said.join("; ")})` : ""}`, {
    hint: `Set them with 'howdah config set -p ${project} ${example}' (--random instead of =VALUE makes one up) and run the command again.`,
    fields: { missing: names, project },
  });
}
