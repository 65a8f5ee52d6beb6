import type { MeasuredGateway, MeasuredProcess, MeasuredService, MeasuredWakes } from "./measured.js";

/** A metric with its samples, before it is written down. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Where it is not the family's: the parts of a histogram. */
  readonly name?: string;
}

/** States in which somebody who connects is served, if need be after a wake. */
const SERVED: ReadonlySet<MeasuredService["state"]> = new Set(["running", "sleeping", "waking"]);

export function controlFamilies(version: string, own: MeasuredProcess): Family[] {
  return [
    gauge("howdah_build_info", "Always 1; the version of Howdah is in the label.", 1, { version }),
    gauge("process_resident_memory_bytes", "Resident memory of the control process.", own.rss),
    gauge("process_start_time_seconds", "When the control process started, since the epoch.", own.startedAt),
    counter("process_cpu_seconds_total", "Processor time of the control process.", own.cpuSeconds),
    counter(
      "howdah_control_event_loop_busy_seconds_total",
      "Time in which the event loop of the control process was not idle.",
      own.eventLoopBusySeconds,
    ),
  ];
}

export function serviceFamilies(services: readonly MeasuredService[]): Family[] {
  const family = (
    type: Family["type"],
    name: string,
    help: string,
    value: (service: MeasuredService) => number | null,
    more: (service: MeasuredService) => Sample["labels"] = () => ({}),
  ): Family => ({
    type,
    name,
    help,
    samples: services.flatMap((service) => {
      const figure = value(service);
      const labels = { project: service.project, service: service.name, ...more(service) };
      return figure === null ? [] : [{ labels, value: figure }];
    }),
  });
  return [
    family(
      "gauge",
      "howdah_service_up",
      "Whether a client that connects is served: 1 while the service runs, sleeps or wakes.",
      ({ state }) => (SERVED.has(state) ? 1 : 0),
    ),
    // Only the present state: a thousand services with ten series each would be more than all the rest together.
    family(
      "gauge",
      "howdah_service_state",
      "Always 1; the present state and the mode of the service are in the labels.",
      () => 1,
      ({ state, mode }) => ({ state, mode: mode.kind }),
    ),
    family(
      "gauge",
      "howdah_service_connections",
      "Clients that have logged in, those that wait for the server included.",
      ({ sleep }) => sleep.connections,
    ),
    family(
      "gauge",
      "howdah_service_data_bytes",
      "Size of the data directory, where it is known.",
      ({ dataBytes }) => dataBytes,
    ),
    family(
      "counter",
      "howdah_service_wakes_total",
      "How often the service was woken since it was created.",
      ({ sleep }) => sleep.wakes,
    ),
    family(
      "counter",
      "howdah_service_asleep_seconds_total",
      "Time asleep since the service was created, the present sleep included.",
      ({ sleep }) => sleep.asleepMs / 1_000,
    ),
    family(
      "gauge",
      "howdah_service_last_wake_seconds",
      "How long the last wake took, from the first client's wish until the server took connections.",
      ({ sleep }) => (sleep.lastWakeMs === null ? null : sleep.lastWakeMs / 1_000),
    ),
  ];
}

export function wakeFamily({ buckets, sum, count }: MeasuredWakes): Family {
  const name = "howdah_wake_seconds";
  const bucket = (le: string, value: number): Sample => ({ name: `${name}_bucket`, labels: { le }, value });
  return {
    type: "histogram",
    name,
    help: "Wakes since the control process started, from the first client's wish until the server took connections.",
    samples: [
      ...buckets.map((each) => bucket(String(each.le), each.count)),
      bucket("+Inf", count),
      { name: `${name}_sum`, labels: {}, value: sum },
      { name: `${name}_count`, labels: {}, value: count },
    ],
  };
}

/** Counters begin anew with each gateway process, as Prometheus expects of restarts. */
export function gatewayFamilies(gateway: MeasuredGateway | null): Family[] {
  const up = gauge("howdah_gateway_up", "Whether a gateway process is there and answers.", gateway === null ? 0 : 1);
  if (gateway === null) return [up];
  return [
    up,
    counter("howdah_gateway_accepted_connections_total", "Connections accepted.", gateway.accepted),
    counter("howdah_gateway_logins_total", "Connections that have logged in.", gateway.loggedIn),
    counter("howdah_gateway_cancel_requests_total", "Cancel requests.", gateway.cancels),
    {
      type: "counter",
      name: "howdah_gateway_refused_connections_total",
      help: "Connections refused, by reason.",
      samples: Object.entries(gateway.refused).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    counter("howdah_gateway_client_received_bytes_total", "Bytes received from clients.", gateway.bytesFromClients),
    counter("howdah_gateway_client_sent_bytes_total", "Bytes sent to clients.", gateway.bytesToClients),
    gauge(
      "howdah_gateway_unauthenticated_connections",
      "Connections that have not proven yet who they are.",
      gateway.unauthenticated,
    ),
    gauge("howdah_gateway_resident_memory_bytes", "Resident memory of the gateway process.", gateway.rss),
  ];
}

function gauge(name: string, help: string, value: number, labels: Sample["labels"] = {}): Family {
  return { type: "gauge", name, help, samples: [{ labels, value }] };
}

function counter(name: string, help: string, value: number): Family {
  return { type: "counter", name, help, samples: [{ labels: {}, value }] };
}
