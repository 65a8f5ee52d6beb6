import type { Measured } from "./metrics/measured.js";

export type { Measured } from "./metrics/measured.js";

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Everything that is counted, in Prometheus's text format. The library is loaded when somebody asks for the first time. */
export async function renderMetrics(measured: Measured, options: { readonly version: string }): Promise<string> {
  const { measureProcess, render } = await import("./metrics/render.js");
  return render(measured, options.version, measureProcess());
}
