/**
 * Recognises secrets that are written into a file. A false alarm costs a warning and a hidden word in a plan, a miss
 * costs nothing but the advice; so key names decide, and values only where they have the shape of a known token.
 */
import { findHostPositions } from "./host-positions.js";
import type { Piece, Pieces } from "./pieces.js";
import { slicePieces, valueText } from "./value-text.js";

const SECRET_KEY =
  /(^|[_.-]|PG)(PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET|TOKEN|CREDENTIALS?|(API|PRIVATE|ACCESS|SECRET|ENCRYPTION|SIGNING)_?KEY|SECRET_KEY_BASE)$/i;
const TOKEN_VALUE =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\b[sr]k_live_[A-Za-z0-9]{10}|\bxox[abprs]-[A-Za-z0-9-]{10}|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.|\bnpm_[A-Za-z0-9]{36}|\bsk-[A-Za-z0-9_-]{20}/;

export function isSecretKey(key: string): boolean {
  // dbPassword is two words as well.
  return SECRET_KEY.test(key.replace(/([a-z0-9])([A-Z])/g, "$1_$2"));
}

export interface Linted {
  readonly pieces: Pieces;
  /** A secret stands in the file itself. */
  readonly found: boolean;
}

/** Marks secret texts sensitive. Texts of `.env` and `env_file` are sensitive already and no reason to warn. */
export function lintSecrets(key: string, pieces: Pieces): Linted {
  const { text } = valueText(pieces);
  const ranges = findHostPositions(text).passwords;
  const whole = isSecretKey(key) || TOKEN_VALUE.test(text);
  let found = false;
  const mark = (piece: Piece): Piece => {
    if (piece.kind === "config" && piece.fallback !== undefined) {
      const inner = lintSecrets(isSecretKey(piece.name) ? piece.name : key, piece.fallback);
      found ||= inner.found;
      return { ...piece, fallback: inner.pieces };
    }
    return piece;
  };
  const conceal = (piece: Piece): Piece => {
    if (piece.kind !== "text" || piece.sensitive || piece.text === "") return mark(piece);
    found = true;
    return { ...piece, sensitive: true };
  };
  if (whole) return { pieces: pieces.map(conceal), found };
  const result: Piece[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    result.push(...slicePieces(pieces, at, start).map(mark), ...slicePieces(pieces, start, end).map(conceal));
    at = end;
  }
  result.push(...slicePieces(pieces, at, Number.POSITIVE_INFINITY).map(mark));
  return { pieces: result, found };
}
