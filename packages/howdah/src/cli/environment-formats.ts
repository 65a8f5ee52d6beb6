/** How `howdah env` writes variables. Every form gives each value back exactly, whatever stands in it. */
export type EnvironmentFormat = "dotenv" | "json" | "shell";

type Variables = Readonly<Record<string, string>>;

export function formatEnvironment(variables: Variables, format: EnvironmentFormat): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(variables, null, 2)}\n`;
    case "shell":
      return lines(variables, (name, value) => (isShellName(name) ? `export ${name}=${shellQuote(value)}\n` : ""));
    case "dotenv":
      return lines(variables, (name, value) => `${name}=${dotenvQuote(value)}\n`);
  }
}

/** Names that a POSIX shell can export; a compose file may use others, such as `my.name`. */
export function isShellName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** One word of a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Readers of dotenv files agree on bare words, on single quotes that keep everything, and not on much else. So those
 * are used wherever they can; only a value with a single quote in it (or a backslash at its end, which some take for
 * an escape) goes into double quotes, with the escapes of Docker Compose.
 */
function dotenvQuote(text: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(text)) return text;
  if (!text.includes("'") && !text.endsWith("\\") && !text.includes("\r")) return `'${text}'`;
  const escaped = text
    .replace(/[\\"$]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `"${escaped}"`;
}

function lines(variables: Variables, line: (name: string, value: string) => string): string {
  return Object.entries(variables)
    .map(([name, value]) => line(name, value))
    .join("");
}
