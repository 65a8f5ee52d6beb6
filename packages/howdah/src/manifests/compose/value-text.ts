/**
 * Pieces as one text in which everything that is no text is a single placeholder character, so that syntax (a URI, a
 * keyword string) can be recognised around configs; and edits of that text carried back into the pieces.
 */
import type { Piece, Pieces } from "./pieces.js";

/** U+FFFC, the object replacement character. A user's own is told from ours by its place in `holes`. */
export const HOLE = "\uFFFC";

export interface ValueText {
  readonly text: string;
  /** By offset in the text. */
  readonly holes: ReadonlyMap<number, Exclude<Piece, { kind: "text" }>>;
}

export interface Edit {
  readonly start: number;
  /** Exclusive; equal to `start` for an insertion. */
  readonly end: number;
  readonly pieces: Pieces;
}

export function valueText(pieces: Pieces): ValueText {
  const holes = new Map<number, Exclude<Piece, { kind: "text" }>>();
  let text = "";
  for (const piece of pieces) {
    if (piece.kind === "text") {
      text += piece.text;
    } else {
      holes.set(text.length, piece);
      text += HOLE;
    }
  }
  return { text, holes };
}

/** The pieces between two offsets of their text. */
export function slicePieces(pieces: Pieces, start: number, end: number): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const length = piece.kind === "text" ? piece.text.length : 1;
    const from = Math.max(start, at);
    const to = Math.min(end, at + length);
    if (from < to) {
      found.push(piece.kind === "text" ? { ...piece, text: piece.text.slice(from - at, to - at) } : piece);
    }
    at += length;
  }
  return found;
}

/** Edits must not overlap. What lies outside of them is kept as it is. */
export function applyEdits(pieces: Pieces, edits: readonly Edit[]): Piece[] {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const result: Piece[] = [];
  let at = 0;
  for (const edit of sorted) {
    result.push(...slicePieces(pieces, at, edit.start), ...edit.pieces);
    at = edit.end;
  }
  result.push(...slicePieces(pieces, at, Number.POSITIVE_INFINITY));
  return result;
}
