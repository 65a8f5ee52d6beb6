import { inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import { parseDotenv } from "../../manifests/compose/dotenv.js";
import { Report } from "../../manifests/compose/report.js";
import { Variables } from "../../manifests/compose/variables.js";
import type { Diagnostic } from "../../spec/diagnostic.js";

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The variables of a dotenv file, read as `.env` beside a compose file is. A key alone takes its value from the
 * environment. Stricter in one point: a reference to nothing is an error here, because a secret that came out empty
 * is found late. Throws CONFIG_MISSING.
 */
export function readEnvFile(file: string, text: string): EnvFile {
  const report = new Report();
  const entries = parseDotenv({ file, text }, report);
  const variables = new Variables(entries, {}, report);
  const values: Record<string, string> = {};
  for (const { key, value, place } of entries) {
    const found = value === null ? inheritedEnvironment()[key] : variables.dotenv(key)?.text;
    if (found === undefined) {
      throw new HowdahError("CONFIG_MISSING", `'${key}' has no value in the file, and none in the environment`, {
        place,
        hint: `Write ${key}=VALUE.`,
      });
    }
    values[key] = found;
  }
  const diagnostics = report.diagnostics.map((d): Diagnostic => {
    return d.code === "unset-variable"
      ? { ...d, severity: "error", message: d.message.replace("; it is left empty", "") }
      : d;
  });
  return { values, diagnostics };
}
