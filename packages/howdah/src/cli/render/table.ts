import { plainStyle, type Style, type Tone } from "./style.js";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly tone?: (row: Row) => Tone | undefined;
  readonly align?: "left" | "right";
}

/** Aligned columns with two spaces between, a header line, and no blanks at the ends of lines. Ends in a newline. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style = plainStyle,
): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[i] ?? ""))),
  );
  const header = columns.map((column, i) => pad(column.title, widths[i] ?? 0, column.align));
  const lines = [style("dim", header.join("  ").trimEnd())];
  rows.forEach((row, r) => {
    const line = columns.map((column, i) => {
      const padded = pad(cells[r]?.[i] ?? "", widths[i] ?? 0, column.align);
      const text = i === columns.length - 1 ? padded.trimEnd() : padded;
      const tone = column.tone?.(row);
      return tone === undefined ? text : style(tone, text);
    });
    lines.push(line.join("  ").trimEnd());
  });
  return `${lines.join("\n")}\n`;
}

/** `name   value` lines, for one thing with many properties. Entries of undefined are left out. */
export function renderPairs(
  pairs: readonly (readonly [string, string | undefined])[],
  style: Style = plainStyle,
): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${style("dim", pad(name, width))}  ${value}\n`).join("");
}

function widthOf(text: string): number {
  return [...text].length;
}

function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? blanks + text : text + blanks;
}
