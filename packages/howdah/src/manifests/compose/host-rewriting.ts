/**
 * Names of managed services in host position become the service's real endpoint, which is 127.0.0.1 and a port of its
 * own instead of `database:5432`. A rewrite too many would corrupt a user name or a path, so everything outside the
 * positions of `host-positions.ts` stays byte for byte.
 */
import type { HostPosition } from "./host-positions.js";
import { findHostPositions } from "./host-positions.js";
import { type ConfigPiece, type Piece, type Pieces, servicePiece, staticText, textPiece } from "./pieces.js";
import { applyEdits, type Edit, slicePieces, type ValueText, valueText } from "./value-text.js";

export interface ManagedHost {
  readonly service: string;
  /** Ports that the service has inside a compose network; each stands for the endpoint's. */
  readonly ports: readonly number[];
}
/** By every name that resolves in a compose network: the service's own, container names, aliases. */
export type ManagedHosts = ReadonlyMap<string, ManagedHost>;

export interface Rewritten {
  readonly pieces: Pieces;
  /** The service whose host the whole value is, without a port. */
  readonly host: ManagedHost | null;
  readonly remarks: readonly Remark[];
}

export interface Remark {
  readonly kind: "encoded" | "wrong-port" | "taken-for-host";
  /** The config's name, the port or the service's name. */
  readonly subject: string;
}

const HOST_KEY = /(HOST|HOST_?NAME|SERVER|ADDR|ADDRESS|ENDPOINT)S?$/i;
/** The last word of keys whose value may well equal a service's name without being a host: `POSTGRES_USER: postgres`. */
const OTHER_KEY =
  /(USER|LOGIN|ROLE|OWNER|DB|DATABASE|NAME|PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|KEY|SCHEMA|TYPE|KIND|DRIVER|DIALECT|ADAPTER|CLIENT|CONNECTION|ENGINE|VENDOR|PROVIDER|BACKEND|STORE|STORAGE|MODE|PROFILES?|ENV|ENVIRONMENT|LEVEL|CATALOG|PLATFORM)$/i;

export function rewriteHosts(key: string, pieces: Pieces, hosts: ManagedHosts): Rewritten {
  return new Rewriter(key, hosts).value(pieces);
}

/** A port that stands alone: `PGPORT: "5432"` beside `PGHOST: database`. null when it is not the service's. */
export function rewritePort(pieces: Pieces, host: ManagedHost): Pieces | null {
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === "config") {
    if (only.fallback === undefined) return null;
    const fallback = rewritePort(only.fallback, host);
    return fallback === null ? null : [{ ...only, fallback }];
  }
  const text = staticText(pieces)?.trim();
  if (text === undefined || !host.ports.some((port) => String(port) === text)) return null;
  return [servicePiece(host.service, "port")];
}

class Rewriter {
  readonly #remarks: Remark[] = [];

  constructor(
    private readonly key: string,
    private readonly hosts: ManagedHosts,
  ) {}

  value(pieces: Pieces): Rewritten {
    const [only] = pieces;
    if (pieces.length === 1 && only?.kind === "config" && only.fallback !== undefined) {
      const inner = this.value(only.fallback);
      return { ...inner, pieces: [{ ...only, fallback: inner.pieces }] };
    }
    const value = valueText(pieces);
    const positions = findHostPositions(value.text);
    const edits: Edit[] = positions.userinfo.flatMap((range) => this.#encode(value, range.start, range.end));
    let whole: ManagedHost | null = null;
    for (const position of positions.hosts) {
      const host = this.#hostAt(pieces, value, position);
      if (host === null || !this.#mayBeHost(positions.form, positions.hosts.length, host.managed)) continue;
      edits.push(
        { start: position.start, end: position.end, pieces: host.pieces },
        ...this.#port(pieces, position, host.managed),
      );
      if (positions.form === "bare" && positions.hosts.length === 1) whole = host.managed;
    }
    return { pieces: edits.length === 0 ? pieces : applyEdits(pieces, edits), host: whole, remarks: this.#remarks };
  }

  #mayBeHost(form: string, count: number, host: ManagedHost): boolean {
    if (form !== "bare" || HOST_KEY.test(this.key)) return true;
    if (count > 1 || OTHER_KEY.test(this.key)) return false;
    this.#remark("taken-for-host", host.service);
    return true;
  }

  #hostAt(pieces: Pieces, value: ValueText, position: HostPosition): { managed: ManagedHost; pieces: Pieces } | null {
    const hole = position.end - position.start === 1 ? value.holes.get(position.start) : undefined;
    if (hole?.kind === "config" && hole.fallback !== undefined) {
      const name = staticText(hole.fallback);
      const managed = name === undefined ? undefined : this.hosts.get(name);
      if (managed === undefined) return null;
      return { managed, pieces: [{ ...hole, fallback: [servicePiece(managed.service, "host")] }] };
    }
    const written = slicePieces(pieces, position.start, position.end);
    // A name put together from a config and text may become another one on the server.
    const name = written.every((piece) => piece.kind === "text") ? staticText(written) : undefined;
    const managed = name === undefined ? undefined : this.hosts.get(name);
    return managed === undefined ? null : { managed, pieces: [servicePiece(managed.service, "host")] };
  }

  #port(pieces: Pieces, { port, insertPort }: HostPosition, host: ManagedHost): Edit[] {
    if (port !== null) {
      const written = slicePieces(pieces, port.start, port.end);
      const rewritten = rewritePort(written, host);
      if (rewritten !== null) return [{ ...port, pieces: rewritten }];
      const text = staticText(written);
      if (text !== undefined) this.#remark("wrong-port", text);
      return [];
    }
    if (insertPort === null) return [];
    const before = insertPort.before === "" ? [] : [textPiece(insertPort.before)];
    return [{ start: insertPort.at, end: insertPort.at, pieces: [...before, servicePiece(host.service, "port")] }];
  }

  /** A config in the user part of a URI: whatever its characters, the URI must give it back. */
  #encode(value: ValueText, start: number, end: number): Edit[] {
    const edits: Edit[] = [];
    for (const [at, piece] of value.holes) {
      if (at < start || at >= end || piece.kind !== "config") continue;
      this.#remark("encoded", piece.name);
      edits.push({ start: at, end: at + 1, pieces: [encoded(piece)] });
    }
    return edits;
  }

  #remark(kind: Remark["kind"], subject: string): void {
    if (!this.#remarks.some((r) => r.kind === kind && r.subject === subject)) this.#remarks.push({ kind, subject });
  }
}

/** The encoding is applied to whatever the config resolves to, its fallback included; a default that the author wrote
 *  percent-encoded into the URI is therefore decoded first. */
function encoded(piece: ConfigPiece): ConfigPiece {
  const { fallback } = piece;
  return {
    ...piece,
    encode: "userinfo",
    ...(fallback === undefined ? {} : { fallback: fallback.map(decodedDefault) }),
  };
}

function decodedDefault(piece: Piece): Piece {
  if (piece.kind === "config" && piece.fallback !== undefined) {
    return { ...piece, fallback: piece.fallback.map(decodedDefault) };
  }
  if (piece.kind !== "text" || piece.origin !== "default") return piece;
  return { ...piece, text: percentDecoded(piece.text) };
}

function percentDecoded(text: string): string {
  if (!/%[0-9A-Fa-f]{2}/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Percent signs that encode no UTF-8 are a password's own.
    return text;
  }
}
