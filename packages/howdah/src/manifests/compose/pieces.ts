/**
 * A value while the door still works on it: like the spec's Expression, but every text remembers where it comes from,
 * because a default written into a URI may be percent-encoded already and a value of `.env` never is.
 */
import type { Expression, Part, ServiceProperty } from "../../spec/index.js";

/** `file`: written in the compose file; `default`: behind `:-`; `dotenv`: from `.env`, `env_file` or a secret's file. */
export type Origin = "file" | "default" | "dotenv";

export interface TextPiece {
  readonly kind: "text";
  readonly text: string;
  readonly sensitive: boolean;
  readonly origin: Origin;
}
export interface ConfigPiece {
  readonly kind: "config";
  readonly name: string;
  readonly encode: "plain" | "userinfo";
  readonly onEmpty: boolean;
  readonly fallback?: Pieces;
  readonly message?: string;
}
export interface ServicePiece {
  readonly kind: "service";
  readonly service: string;
  readonly property: ServiceProperty;
}
export type Piece = TextPiece | ConfigPiece | ServicePiece;
export type Pieces = readonly Piece[];

const CONFIG_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function textPiece(text: string, origin: Origin = "file"): TextPiece {
  return { kind: "text", text, sensitive: origin === "dotenv", origin };
}

export function configPiece(name: string, fallback?: Pieces): ConfigPiece {
  return { kind: "config", name, encode: "plain", onEmpty: false, ...(fallback === undefined ? {} : { fallback }) };
}

export function servicePiece(service: string, property: ServiceProperty): ServicePiece {
  return { kind: "service", service, property };
}

/** What the value is as far as files tell: a config counts as not set. undefined when it needs one, or a service. */
export function staticText(pieces: Pieces): string | undefined {
  let text = "";
  for (const piece of pieces) {
    const part = piece.kind === "text" ? piece.text : piece.kind === "config" ? fallbackText(piece) : undefined;
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

function fallbackText(piece: ConfigPiece): string | undefined {
  return piece.fallback === undefined ? undefined : staticText(piece.fallback);
}

export function isConfigName(name: string): boolean {
  return CONFIG_NAME.test(name);
}

/**
 * Defang's precedence: a config named as an environment key overrides whatever the file says for that key. Only the
 * server knows which configs there are, so the file's value becomes the fallback of that config.
 */
export function overridable(key: string, pieces: Pieces): Pieces {
  const [only] = pieces;
  if (!isConfigName(key) || (pieces.length === 1 && only?.kind === "config" && only.name === key)) return pieces;
  return [configPiece(key, pieces)];
}

export function toExpression(pieces: Pieces): Expression {
  const parts: Part[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (piece.kind !== "text") {
      parts.push(toPart(piece));
    } else if (last?.kind === "literal" && last.sensitive === piece.sensitive) {
      last.text += piece.text;
    } else if (piece.text !== "") {
      parts.push({ kind: "literal", text: piece.text, sensitive: piece.sensitive });
    }
  }
  return parts;
}

function toPart(piece: ConfigPiece | ServicePiece): Part {
  if (piece.kind === "service") return { ...piece, encode: "plain" };
  const { kind, name, encode, onEmpty, fallback, message } = piece;
  return {
    kind,
    name,
    encode,
    onEmpty,
    ...(fallback === undefined ? {} : { fallback: toExpression(fallback) }),
    ...(message === undefined ? {} : { message }),
  };
}
