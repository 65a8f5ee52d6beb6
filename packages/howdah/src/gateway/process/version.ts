import { readFileSync } from "node:fs";

/** Of this build; read when the worker starts, since it may not read it later. */
export function gatewayVersion(): string {
  const path = new URL("../../../package.json", import.meta.url);
  return String((JSON.parse(readFileSync(path, "utf8")) as { version?: unknown }).version);
}
