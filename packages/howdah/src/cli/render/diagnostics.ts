import { type Diagnostic, formatPlace } from "../../spec/diagnostic.js";
import { plainStyle, type Style, type Tone } from "./style.js";

const TONES = { error: "bad", warning: "warning", notice: "accent" } as const satisfies Record<
  Diagnostic["severity"],
  Tone
>;

/**
 * `compose.yaml:12:5: warning: …`, then the hint, and with `source` the line that is meant with a caret below.
 * `source` maps a file's name to its text; undefined where it cannot be read.
 */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  style: Style = plainStyle,
  source?: (file: string) => string | undefined,
): string {
  const place = diagnostic.place === undefined ? "" : `${style("strong", `${formatPlace(diagnostic.place)}:`)} `;
  const lines = [`${place}${style(TONES[diagnostic.severity], `${diagnostic.severity}:`)} ${diagnostic.message}`];
  if (diagnostic.place !== undefined && source !== undefined) {
    const { file, line, column } = diagnostic.place;
    const text = source(file)?.split(/\r?\n/)[line - 1];
    if (text !== undefined && text.trim() !== "") lines.push(...excerpt(text, line, column, style));
  }
  if (diagnostic.hint !== undefined) lines.push(`  ${style("dim", diagnostic.hint)}`);
  return lines.join("\n");
}

function excerpt(text: string, line: number, column: number, style: Style): string[] {
  const gutter = String(line);
  // Tabs stay tabs in front of the caret, so that it stands below its column however wide they are.
  const indent = text.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, " ");
  return [
    `  ${style("dim", `${gutter} |`)} ${maskSecrets(text)}`,
    `  ${style("dim", `${" ".repeat(gutter.length)} |`)} ${indent}${style("accent", "^")}`,
  ];
}

const SECRET_KEY =
  /((?:pass|pwd|secret|token|credential|api_?key|private_?key)[\w.-]*["']?\s*[:=]\s*)(?!["']?\$)(\S.*)$/i;
const USERINFO = /:\/\/(\S*)@/g;
const REFERENCE = /\$\{[^}]*\}|\$\w+/g;

/** A terminal is looked at by others, and its scrollback is kept: what may be a secret is not copied to it. */
export function maskSecrets(text: string): string {
  return text.replace(SECRET_KEY, "$1•••").replace(USERINFO, (whole, userinfo: string) => {
    const [, password = ""] = /:(.*)/.exec(userinfo.replace(REFERENCE, "")) ?? [];
    return password === "" ? whole : "://•••@";
  });
}
