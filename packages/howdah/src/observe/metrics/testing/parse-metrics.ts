/**
 * Prometheus's text format 0.0.4, read strictly: whatever its grammar does not know is an error, and so are samples that
 * stand outside their family.
 */
export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])+)$`, "u");
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? ([0-9.e+-]+)$`, "su");
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/uy;
const PARTS = /_(bucket|sum|count)$/;

/** Throws on anything that Prometheus would not read. */
export function parseMetrics(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("no line break at the end");
  const families = new Map<string, ParsedFamily>();
  const helps = new Map<string, string>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    if (help !== null) {
      if (helps.has(help[1] ?? "")) throw new Error(`twice: ${line}`);
      helps.set(help[1] ?? "", help[2] ?? "");
    } else if (type !== null) {
      current = type[1] ?? "";
      if (families.has(current)) throw new Error(`twice: ${line}`);
      families.set(current, { type: type[2] ?? "", help: helps.get(current) ?? "", samples: [] });
    } else {
      const sample = SAMPLE.exec(line);
      if (sample === null) throw new Error(`not a line of the format: ${JSON.stringify(line)}`);
      const [, name = "", labels, value = ""] = sample;
      const family = families.get(current);
      const base = family?.type === "histogram" ? name.replace(PARTS, "") : name;
      if (family === undefined || base !== current) throw new Error(`outside its family: ${line}`);
      if (Number.isNaN(Number(value))) throw new Error(`not a number: ${line}`);
      family.samples.push({ name, labels: parseLabels(labels ?? ""), value: Number(value) });
    }
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const label = LABEL.exec(text);
    if (label === null) throw new Error(`not labels: ${JSON.stringify(text)}`);
    const [whole, name = "", value = ""] = label;
    if (Object.hasOwn(labels, name)) throw new Error(`label '${name}' stands twice`);
    labels[name] = value.replace(/\\(["\\n])/g, (_, c: string) => (c === "n" ? "\n" : c));
    at += whole.length;
  }
  return labels;
}
