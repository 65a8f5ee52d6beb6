/** Where a client comes from, and whether it may. */
import { BlockList, isIP, type Socket } from "node:net";

export interface Peer {
  /** IPv4 also where the socket says `::ffff:10.0.0.7`; without a zone (`%eth0`). */
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** `127.0.0.1:50312` or `[::1]:50312`. */
  readonly shown: string;
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED_BITS = 96;

/** null: it is gone already. */
export function peerOf(socket: Socket): Peer | null {
  return socket.remoteAddress === undefined ? null : peerAt(socket.remoteAddress, socket.remotePort ?? 0);
}

export function peerAt(remote: string, port: number): Peer {
  const bare = remote.split("%", 1)[0] ?? remote;
  const address = MAPPED.exec(bare)?.[1] ?? bare;
  return isIP(address) === 4
    ? { address, family: "ipv4", shown: `${address}:${port}` }
    : { address, family: "ipv6", shown: `[${address}]:${port}` };
}

// By the list itself: it lives as long as the endpoint that holds it.
const lists = new WeakMap<readonly string[], BlockList>();

/** Is the address in one of the networks? An empty list admits everybody. */
export function admits(allow: readonly string[], peer: Peer): boolean {
  if (allow.length === 0) return true;
  let list = lists.get(allow);
  if (list === undefined) {
    list = compile(allow);
    lists.set(allow, list);
  }
  return list.check(peer.address, peer.family);
}

/** The networks come from control, which has checked them (`spec/endpoint`). */
function compile(allow: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of allow) {
    const [text = "", bits] = network.split("/");
    const mapped = MAPPED.exec(text)?.[1];
    const { address, family } = peerAt(text, 0);
    const length = family === "ipv4" ? 32 : 128;
    const prefix = bits === undefined ? length : mapped === undefined ? Number(bits) : Number(bits) - MAPPED_BITS;
    if (prefix >= 0) list.addSubnet(address, prefix, family);
  }
  return list;
}

/** Whom a wrong password counts against: an IPv4 address, or the /64 that one subscriber of IPv6 has for himself. */
export function blameOf(peer: Peer): string {
  if (peer.family === "ipv4") return peer.address;
  const [head = "", tail] = peer.address.toLowerCase().split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => "0"), ...back];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
