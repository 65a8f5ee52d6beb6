/** The query of a URI, cut into pieces; what the pieces mean differs from form to form. */
export interface QueryToken {
  /** Still encoded. */
  readonly key: string;
  readonly keyAt: number;
  /** Still encoded; null where there is no `=`. Further `=` belong to the value. */
  readonly value: string | null;
  readonly valueAt: number;
}

/** `start`: the offset behind the `?`. Empty pieces (`a=1&&b=2`) are left out. */
export function queryTokens(text: string, start: number): QueryToken[] {
  const tokens: QueryToken[] = [];
  for (let at = start; at < text.length; ) {
    const ampersand = text.indexOf("&", at);
    const end = ampersand === -1 ? text.length : ampersand;
    const found = text.indexOf("=", at);
    const equals = found === -1 || found > end ? end : found;
    if (end > at)
      tokens.push({
        key: text.slice(at, equals),
        keyAt: at,
        value: equals === end ? null : text.slice(equals + 1, end),
        valueAt: Math.min(equals + 1, end),
      });
    at = end + 1;
  }
  return tokens;
}
