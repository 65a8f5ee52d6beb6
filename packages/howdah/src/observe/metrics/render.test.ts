import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { METRICS_CONTENT_TYPE, renderMetrics } from "../index.js";
import type { Measured, MeasuredGateway, MeasuredProcess, MeasuredService } from "./measured.js";
import { render } from "./render.js";
import { parseMetrics } from "./testing/parse-metrics.js";

const OWN: MeasuredProcess = {
  rss: 80_000_000,
  cpuSeconds: 1.5,
  startedAt: 1_780_000_000.25,
  eventLoopBusySeconds: 0.5,
};
const GATEWAY: MeasuredGateway = {
  unauthenticated: 3,
  accepted: 120,
  loggedIn: 100,
  cancels: 2,
  refused: { protocol: 1, timeout: 0, password: 16 },
  bytesFromClients: 123_456_789_012,
  bytesToClients: 5,
  rss: 60_000_000,
};
const WAKES = {
  buckets: [
    { le: 0.01, count: 0 },
    { le: 0.025, count: 2 },
    { le: 60, count: 3 },
  ],
  sum: 0.75,
  count: 4,
};
const NEVER = { connections: 0, wakes: 0, lastWakeMs: null, asleepMs: 0 };

function service(own: Partial<MeasuredService>): MeasuredService {
  return {
    project: "shop",
    name: "db",
    state: "running",
    mode: { kind: "regular" },
    dataBytes: null,
    sleep: NEVER,
    ...own,
  };
}

const MEASURED: Measured = {
  services: [
    service({ dataBytes: 40_000_000, sleep: { ...NEVER, connections: 7 } }),
    service({
      name: "cache",
      state: "sleeping",
      mode: { kind: "flash" },
      sleep: { connections: 0, wakes: 12, lastWakeMs: 31, asleepMs: 86_400_500 },
    }),
    service({ project: "default", name: "old", state: "failed" }),
  ],
  gateway: GATEWAY,
  wakes: WAKES,
};

describe("metrics", () => {
  it("are written as Prometheus reads them", async () => {
    await expect(await render(MEASURED, "1.2.3", OWN)).toMatchFileSnapshot("metrics.golden.txt");
  });

  it("say that no gateway is there", async () => {
    const families = parseMetrics(await render({ ...MEASURED, gateway: null }, "1.2.3", OWN));
    expect(families.get("howdah_gateway_up")?.samples).toEqual([{ name: "howdah_gateway_up", labels: {}, value: 0 }]);
    expect([...families.keys()].filter((name) => name.startsWith("howdah_gateway_"))).toEqual(["howdah_gateway_up"]);
  });

  it("tell of this process, and are the same however often they are asked for", async () => {
    expect(METRICS_CONTENT_TYPE).toContain("version=0.0.4");
    for (let i = 0; i < 2; i++) {
      const families = parseMetrics(await renderMetrics(MEASURED, { version: "1.2.3" }));
      expect(families.get("process_resident_memory_bytes")?.samples[0]?.value).toBeGreaterThan(1_000_000);
      expect(families.get("process_start_time_seconds")?.samples[0]?.value).toBeLessThanOrEqual(Date.now() / 1_000);
      expect(families.get("howdah_service_wakes_total")?.samples[1]?.value).toBe(12);
    }
  });

  it("keep their format and every figure, whatever names there are", async () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    const count = fc.nat();
    const measured = fc.record({
      project: text,
      name: text,
      connections: count,
      wakes: count,
      asleepMs: fc.double({ min: 0, max: 1e15, noNaN: true }),
      dataBytes: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER })),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(measured, { maxLength: 8 }),
        text,
        fc.dictionary(text, count),
        async (all, version, refused) => {
          const services = all.map(({ project, name, dataBytes, ...sleep }) =>
            service({ project, name, dataBytes, sleep: { ...sleep, lastWakeMs: null } }),
          );
          const gateway = { ...GATEWAY, refused };
          const families = parseMetrics(await render({ services, gateway, wakes: WAKES }, version, OWN));
          const figures = (name: string) => families.get(name)?.samples.map(({ labels, value }) => [labels, value]);
          const each = (value: (one: (typeof all)[number]) => number | null) =>
            all
              .filter((one) => value(one) !== null)
              .map((one) => [{ project: one.project, service: one.name }, value(one)]);
          expect(figures("howdah_service_connections")).toEqual(each((one) => one.connections));
          expect(figures("howdah_service_wakes_total")).toEqual(each((one) => one.wakes));
          expect(figures("howdah_service_asleep_seconds_total")).toEqual(each((one) => one.asleepMs / 1_000));
          expect(figures("howdah_service_data_bytes")).toEqual(each((one) => one.dataBytes));
          expect(figures("howdah_build_info")).toEqual([[{ version }, 1]]);
          expect(figures("howdah_gateway_refused_connections_total")).toEqual(
            Object.entries(refused).map(([reason, value]) => [{ reason }, value]),
          );
        },
      ),
    );
  });
});
