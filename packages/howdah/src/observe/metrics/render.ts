/**
 * Measurements in Prometheus's text format. The figures are counted elsewhere, so the library's own counters would be
 * filled once and thrown away; it gets the finished samples instead, in a registry of each call, and writes them down.
 * Its default metrics are left out: they keep timers running in a process that should be idle when nobody asks.
 */
import { performance } from "node:perf_hooks";
import { type Histogram, Registry } from "prom-client";
import { controlFamilies, type Family, gatewayFamilies, serviceFamilies, wakeFamily } from "./families.js";
import type { Measured, MeasuredProcess } from "./measured.js";

export function measureProcess(): MeasuredProcess {
  const { user, system } = process.cpuUsage();
  return {
    rss: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1_000_000,
    startedAt: performance.timeOrigin / 1_000,
    eventLoopBusySeconds: performance.eventLoopUtilization().active / 1_000,
  };
}

/** Text format 0.0.4, ending in a line break. */
export function render(measured: Measured, version: string, own: MeasuredProcess): Promise<string> {
  const registry = new Registry();
  const families = [
    ...controlFamilies(version, own),
    ...serviceFamilies(measured.services),
    wakeFamily(measured.wakes),
    ...gatewayFamilies(measured.gateway),
  ];
  for (const family of families) register(registry, family);
  return registry.metrics();
}

/** As the library itself registers what it has gathered from other processes: an object with a name and `get`. */
function register(registry: Registry, { name, help, type, samples }: Family): void {
  const values = samples.map(({ name: metricName = name, labels, value }) => ({ metricName, labels, value }));
  const metric = { name, help, type, get: async () => ({ name, help, type, values }) };
  // Its types know the library's own classes only.
  registry.registerMetric(metric as unknown as Histogram);
}
