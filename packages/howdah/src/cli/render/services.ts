import type { WireService, WireServiceDetails } from "../../api/client/types.js";
import { humanSize } from "../../kernel/sizes.js";
import { humanAge, humanDate } from "./dates.js";
import { endpointPairs, shortMode, sleepPairs } from "./sleep.js";
import { plainStyle, type Style, toneOfStatus } from "./style.js";
import { renderPairs, renderTable } from "./table.js";

export function renderServiceTable(services: readonly WireService[], style: Style = plainStyle): string {
  if (services.length === 0) {
    return "No services yet. Make one with 'howdah services create -t postgres -n NAME', or 'howdah up' beside a compose file.\n";
  }
  return renderTable(
    services,
    [
      { title: "ID", value: (s) => String(s.id), align: "right" },
      { title: "NAME", value: (s) => s.name },
      { title: "PROJECT", value: (s) => s.project },
      { title: "STATUS", value: statusOf, tone: (s) => toneOfStatus(s.status) },
      { title: "MODE", value: (s) => shortMode(s.mode) },
      { title: "VERSION", value: (s) => s.version ?? "-" },
      { title: "ENDPOINT", value: (s) => `${s.endpoint.host}:${s.endpoint.port}` },
      { title: "DATA", value: (s) => (s.data_bytes === null ? "-" : humanSize(s.data_bytes)), align: "right" },
    ],
    style,
  );
}

/** One service for people; the JSON form is `serviceDocument`. */
export function renderServiceDetails(
  details: WireServiceDetails,
  style: Style = plainStyle,
  now: number = Date.now(),
): string {
  const { service } = details;
  const settings = Object.entries(details.current_parameters).filter(([name]) => name.startsWith("set."));
  const head = renderPairs(
    [
      ["Name", style("strong", service.name)],
      ["Id", String(service.id)],
      ["Project", service.project],
      ["Slug", service.slug === service.name ? undefined : service.slug],
      ["Status", style(toneOfStatus(service.status), statusOf(service))],
      ["Detail", service.status_detail ?? undefined],
      ["Wanted", isAsWished(service) ? undefined : service.desired],
      ["PostgreSQL", `${service.version ?? "not started yet"}${service.engine ? ` (${service.engine})` : ""}`],
      ["Image", service.image ?? undefined],
      ...sleepPairs(service.mode, service.sleep, now),
      ...endpointPairs(service),
      ["URL", service.connection_info ?? undefined],
      ["Memory", humanSize(service.memory_bytes)],
      ["Data", service.data_bytes === null ? undefined : humanSize(service.data_bytes)],
      ["Process", service.pid === null ? undefined : String(service.pid)],
      ["Created", `${humanDate(service.created_at)} (${humanAge(service.created_at, now)})`],
      ["Settings", settings.length === 0 ? undefined : settings.map(([n, v]) => `${n.slice(4)} = ${v}`).join(", ")],
    ],
    style,
  );
  return head + service.notices.map((notice) => `${style("warning", "notice:")} ${notice}\n`).join("");
}

/** The contract's fields and ours at top level, and `service` and `current_parameters` as the API nests them. */
export function serviceDocument(details: WireServiceDetails): Record<string, unknown> {
  return { ...details.service, service: details.service, current_parameters: details.current_parameters };
}

/** What `up` and `create` say of each service: where it is, without the password, and how to get the whole URL. */
export function renderConnections(
  services: readonly WireService[],
  nameOf: (service: WireService) => string,
  style: Style = plainStyle,
): string {
  const width = Math.max(0, ...services.map((service) => service.name.length));
  return services
    .map((service) => {
      const url = service.connection_info ?? `${service.endpoint.host}:${service.endpoint.port}`;
      const name = style("strong", service.name.padEnd(width));
      const status = style(toneOfStatus(service.status), statusOf(service));
      const how = style("dim", `with its password: howdah services url ${nameOf(service)}`);
      return `${name}  ${status}  ${url}\n${" ".repeat(width)}  ${how}\n`;
    })
    .join("");
}

export function renderApps(apps: readonly { name: string; command: string }[], style: Style = plainStyle): string {
  if (apps.length === 0) return "";
  const width = Math.max(...apps.map((app) => app.name.length));
  const lines = apps.map((app) => `  ${app.name.padEnd(width)}  ${app.command}\n`);
  return `${style("dim", "Howdah runs databases only; start the others yourself, with their environment:")}\n${lines.join("")}`;
}

/** One that sleeps is wanted running: it will be there when somebody comes. */
function isAsWished({ desired, status }: WireService): boolean {
  return desired === status || (desired === "running" && (status === "sleeping" || status === "waking"));
}

function statusOf(service: WireService): string {
  return service.busy && service.status !== "creating" ? `${service.status}…` : service.status;
}
