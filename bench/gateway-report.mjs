// What bench/gateway.mjs prints: its figures as a table of rates, ratios and processor time, and the goals met or missed.

const median = (xs) => {
  const sorted = [...xs].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Ratios are taken within a round, and the median is that of the ratios. */
function ratio(figure, name, to) {
  const [a, b] = [figure.rates[name], figure.rates[to]];
  return a === undefined || b === undefined ? null : median(a.map((rate, round) => rate / b[round]));
}

/** Prints table and goals; answers the goals. */
export function report(figures, targets) {
  const names = targets.map((t) => t.name);
  const ours = names.filter((name) => name !== "direct" && name !== "pgbouncer");
  const show = (x) => (x === null || Number.isNaN(x) ? "-" : x.toFixed(2));
  const measured = names.filter((n) => n !== "direct");
  const ratios = ours.flatMap((n) => ["direct", "pgbouncer"].map((to) => [n, to]));
  ratios.push(["pgbouncer", "direct"]);
  const columns = ["row", ...names, ...ratios.map((pair) => pair.join("/")), ...measured.map((n) => `${n} µs`)];
  const processor = (f, n) => (f.processorUs[n].length > 0 ? median(f.processorUs[n]).toFixed(1) : "-");
  const table = figures.map((f) => [
    f.name,
    ...names.map((n) => `${Math.round(median(f.rates[n]))}`),
    ...ratios.map(([n, to]) => show(ratio(f, n, to))),
    ...measured.map((n) => processor(f, n)),
  ]);
  const widths = columns.map((title, c) => Math.max(title.length, ...table.map((line) => line[c].length)));
  for (const line of [columns, widths.map((w) => "-".repeat(w)), ...table]) {
    console.log(`| ${line.map((cell, c) => cell.padEnd(widths[c])).join(" | ")} |`);
  }
  return ours.map((name) => goals(figures, name));
}

function goals(figures, name) {
  const ratios = (rows, to) => rows.map((f) => ratio(f, name, to)).filter((x) => x !== null);
  const toBouncer = ratios(figures, "pgbouncer");
  const toDirect = ratios(
    figures.filter((f) => f.clients === 8),
    "direct",
  );
  const result = [];
  const goal = (text, value, atLeast) => {
    const met = value >= atLeast;
    result.push({ target: name, goal: text, value, atLeast, met });
    console.log(`${met ? "met   " : "MISSED"} ${name}: ${text} ${value.toFixed(2)}, goal ${atLeast}`);
  };
  if (toBouncer.length > 0) {
    goal("median over rows of the ratio to PgBouncer", median(toBouncer), 1);
    goal("worst row's ratio to PgBouncer", Math.min(...toBouncer), 0.85);
  }
  if (toDirect.length > 0) goal("worst ratio to direct at 8 clients", Math.min(...toDirect), 0.75);
  return result;
}
