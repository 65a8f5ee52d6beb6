/**
 * What a form cannot carry. Encoders refuse such a connection unless told to leave things out, and even then never leave
 * out what says which server, role or database is meant: a text that leads elsewhere is worse than none.
 */
import { type Connection, driverOf } from "./connection.js";
import type { Driver } from "./driver-vocabulary.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { ADDRESS_PARAMETERS, isLibpqParameter, type LibpqParameter } from "./keywords.js";

export interface Loss {
  /** `host`, `port`, `username`, … or the key in `parameters`. */
  readonly part: string;
  /** `essential`: the result would reach another server, role or database, so the form always refuses.
   *  `parameter`: refused unless `onLoss` is `omit`. `driver`: another driver's own parameter, silently left out. */
  readonly kind: "essential" | "parameter" | "driver";
  /** A lower-case fact without the value. */
  readonly reason: string;
}

export interface EncodeOptions {
  /** What to do with parameters that the form has no word for. Default: `refuse`. */
  readonly onLoss?: "refuse" | "omit";
}

/** The losses among the parameters. `carries` decides for libpq's, `driver` names the form's own driver, if any. */
export function parameterLosses(
  c: Connection,
  carries: (parameter: LibpqParameter, value: string) => boolean,
  driver: Driver | null = null,
): Loss[] {
  return Object.entries(c.parameters).flatMap(([part, value]): Loss[] => {
    if (isLibpqParameter(part)) {
      if (carries(part, value)) return [];
      const kind = ADDRESS_PARAMETERS.has(part) ? "essential" : "parameter";
      return [{ part, kind, reason: `'${part}' or its value has no counterpart in this form` }];
    }
    const owner = driverOf(part);
    return owner === driver ? [] : [{ part, kind: "driver", reason: `only the ${owner} form carries it` }];
  });
}

/** Throws ConnectionFormatError for the first loss that may not be passed over; names the part, not its value. */
export function refuseLosses(form: FormName, losses: readonly Loss[], options: EncodeOptions): void {
  const refused = losses.find(
    (loss) => loss.kind === "essential" || (loss.kind === "parameter" && options.onLoss !== "omit"),
  );
  if (refused) throw new ConnectionFormatError(form, refused.reason, { part: refused.part });
}
