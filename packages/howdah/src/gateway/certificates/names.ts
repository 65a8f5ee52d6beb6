/** The names of a certificate: what a client may have typed as host, DNS names and addresses alike. */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback } from "../../spec/addresses.js";

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
/** What each family's "every address of this machine" reaches; `::` takes IPv4 clients as well. */
const WILDCARDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["0.0.0.0", ["IPv4"]],
  ["::", ["IPv4", "IPv6"]],
]);
/** `kind:value`, where a value with odd characters is a JSON string. */
const ALTERNATIVE = /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

export interface Interfaces {
  readonly [name: string]: readonly { readonly address: string; readonly family: string }[] | undefined;
}

/**
 * What clients may call this machine: localhost by name and address, its host name, and of its other addresses those
 * that services listen on. `listenAddresses` are IP addresses; a wildcard stands for all that the machine has now.
 */
export function defaultNames(
  hostname: string,
  listenAddresses: readonly string[],
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  const addresses = listenAddresses.flatMap((address) => {
    const families = WILDCARDS.get(canonicalName(address));
    if (families === undefined) return [address];
    return Object.values(interfaces)
      .flatMap((each) => each ?? [])
      .filter(({ family, address: own }) => families.includes(family) && !isLinkLocal(own))
      .map(({ address: own }) => own);
  });
  const beyond = addresses.filter((address) => !isLoopback(address)).map(canonicalName);
  const names = ["localhost", "127.0.0.1", "::1", canonicalName(hostname), ...beyond.sort()];
  return [...new Set(names.filter(isCertifiable))];
}

/** Whether a certificate can be made out to it. The `*` of wildcard certificates is nothing that we issue. */
export function isCertifiable(name: string): boolean {
  if (isIP(name) !== 0) return !name.includes("%");
  return name.length <= 253 && name.split(".").every((label) => LABEL.test(label));
}

/** One spelling for each name: lower case, no dot at the end, IPv6 in its short form. */
export function canonicalName(name: string): string {
  if (isIP(name) === 6 && !name.includes("%")) return new URL(`http://[${name}]`).hostname.slice(1, -1);
  return name.toLowerCase().replace(/\.$/, "");
}

/** The DNS names and addresses of its subjectAltName, in one spelling each. */
export function namesOf(certificate: X509Certificate): string[] {
  const found = (certificate.subjectAltName ?? "").matchAll(ALTERNATIVE);
  return [...found].map(([, , value = ""]) => canonicalName(value.startsWith('"') ? String(JSON.parse(value)) : value));
}

/** fe80::/10 means another machine behind each interface. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
