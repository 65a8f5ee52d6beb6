/**
 * What stands behind `${X}`. In environment values and credentials it is a config whose fallback is what `.env` or the
 * default says; everywhere else only `.env` and defaults count, because configs are kept on the server and the file
 * must be readable without it. Variables of the shell never count (they would make two people's files differ), but
 * who relies on one is told.
 */
import type { Place } from "../../kernel/errors.js";
import type { DotenvEntry } from "./dotenv.js";
import { lexInterpolation, type Operation, type Segment } from "./interpolation.js";
import {
  type ConfigPiece,
  configPiece,
  type Origin,
  overridable,
  type Piece,
  type Pieces,
  staticText,
  textPiece,
} from "./pieces.js";
import type { Report } from "./report.js";

export interface Where {
  /** Such as `services.database.image`. */
  readonly path: string;
  readonly place: Place;
}

export interface Scope extends Where {
  readonly origin: Origin;
  /** Values that stand above in the same env_file. */
  readonly above?: ReadonlyMap<string, Pieces>;
  /** Values of the same `environment`; the last resort for a name found nowhere else. */
  readonly sibling?: (name: string) => Pieces | undefined;
}

/** Defang and compose fill these in by themselves, so they are never missing. */
const RESERVED = ["COMPOSE_PROJECT_NAME", "DEFANG_PROVIDER", "DEFANG_STACK"];

/** Lines of `.env` that double each other's values would fill the memory within some thirty lines. */
const MAX_VALUE_LENGTH = 1024 * 1024;

export class Variables {
  readonly #dotenv = new Map<string, { text: string; place: Place }>();
  #project: string | undefined;

  constructor(
    dotenv: readonly DotenvEntry[],
    private readonly shell: Readonly<Record<string, string>>,
    private readonly report: Report,
  ) {
    for (const { key, place, value } of dotenv) {
      if (value === null) continue;
      const text = this.#static(value, { path: key, place }, (name) => {
        const hint = `Define '${name}' above '${key}'.`;
        this.report.warning("unset-variable", `'${name}' has no value in '${key}'; it is left empty`, place, hint);
        return "";
      });
      const fits = text !== undefined && text.length <= MAX_VALUE_LENGTH;
      if (text !== undefined && !fits) {
        report.error("value-too-long", `the value of '${key}' is longer than ${MAX_VALUE_LENGTH} characters`, place);
      }
      this.#dotenv.set(key, { text: fits ? text : "", place });
    }
  }

  /** The value of `.env`. */
  dotenv(name: string): { readonly text: string; readonly place: Place } | undefined {
    return this.#dotenv.get(name);
  }

  setProject(name: string): void {
    this.#project = name;
  }

  /** The segments of a text, or undefined when its interpolation cannot be read, which is reported. */
  lex(text: string, where: Where): readonly Segment[] | undefined {
    const result = lexInterpolation(text);
    if (result.ok) return result.segments;
    const hint = "Write '$$' for a dollar sign.";
    this.report.error("interpolation", `${result.problem} in '${where.path}'`, where.place, hint);
    return undefined;
  }

  /** A text for places that take no configs. undefined when something is missing or unreadable, which is reported. */
  evaluate(text: string, where: Where): string | undefined {
    const segments = this.lex(text, where);
    if (segments === undefined) return undefined;
    return this.#static(segments, where, (name) => {
      this.noteShell(name, where.place);
      const hint = `Add ${name} to .env, or write a default: \${${name}:-value}.`;
      this.report.error("unset-variable", `'${name}' has no value in '${where.path}'`, where.place, hint);
      return undefined;
    });
  }

  /** For texts that are shown only: what has no value stays as it is written. */
  evaluateLoosely(text: string): string {
    const result = lexInterpolation(text);
    if (!result.ok) return text;
    return this.#static(result.segments, undefined, () => undefined) ?? text;
  }

  pieces(segments: readonly Segment[], scope: Scope): Pieces {
    return segments.flatMap(
      (segment): Pieces =>
        segment.kind === "text"
          ? [textPiece(segment.text, scope.origin)]
          : this.#variable(segment.name, segment.operation, scope),
    );
  }

  /** The value of an environment key that is written without one. */
  inherited(name: string, place: Place): Pieces {
    const known = this.#known(name);
    if (known === undefined) this.noteShell(name, place);
    return [configPiece(name, known === undefined ? undefined : [known])];
  }

  noteShell(name: string, place: Place): void {
    if (!Object.hasOwn(this.shell, name) || this.#dotenv.has(name)) return;
    const hint = `Variables of the shell are not read: add '${name}' to .env, or run 'howdah config set ${name}'.`;
    this.report.warning("shell-ignored", `environment variable "${name}" is ignored; add it to .env`, place, hint);
  }

  #known(name: string): Piece | undefined {
    const text = this.#dotenv.get(name)?.text;
    if (text !== undefined) return textPiece(text, "dotenv");
    if (name === "COMPOSE_PROJECT_NAME" && this.#project !== undefined) return textPiece(this.#project);
    return undefined;
  }

  #variable(name: string, operation: Operation | null, scope: Scope): Pieces {
    const above = scope.above?.get(name);
    if (above !== undefined) return this.#ofAbove(above, operation, scope);
    if (name === "COMPOSE_PROJECT_NAME" && this.#project !== undefined) return [textPiece(this.#project)];
    const found = this.#known(name);
    if (found === undefined) this.noteShell(name, scope.place);
    const reserved = RESERVED.includes(name) ? [textPiece("")] : undefined;
    if (operation === null) {
      const fallback = found === undefined ? (scope.sibling?.(name) ?? reserved) : [found];
      return fallback === undefined ? [configPiece(name)] : overridable(name, fallback);
    }
    const { operator, operand } = operation;
    const onEmpty = operator.startsWith(":");
    const counts = found !== undefined && !(onEmpty && staticText([found]) === "");
    const inner = () => this.pieces(operand, { ...scope, origin: scope.origin === "dotenv" ? "dotenv" : "default" });
    switch (operator) {
      case ":-":
      case "-":
        return [{ ...configPiece(name, counts ? [found] : inner()), onEmpty }];
      case ":?":
      case "?": {
        const message = this.evaluateLoosely(operandText(operand));
        const piece: ConfigPiece = { ...configPiece(name, counts ? [found] : undefined), onEmpty };
        return [message === "" ? piece : { ...piece, message }];
      }
      case ":+":
      case "+":
        if (counts) return inner();
        this.#noteAlternative(name, scope);
        return [];
    }
  }

  /** A value of the same file is at hand, so the operators are carried out at once. */
  #ofAbove(above: Pieces, operation: Operation | null, scope: Scope): Pieces {
    if (operation === null) return above;
    const empty = operation.operator.startsWith(":") && staticText(above) === "";
    const inner = () => this.pieces(operation.operand, scope);
    if (operation.operator.endsWith("+")) return empty ? [] : inner();
    return empty && operation.operator === ":-" ? inner() : above;
  }

  #noteAlternative(name: string, where: Where): void {
    const message = `'\${${name}:+…}' in '${where.path}' is empty, because '${name}' is not in .env`;
    this.report.notice("alternative-empty", message, where.place, "Only .env is looked at here, not the configs.");
  }

  #static(
    segments: readonly Segment[],
    where: Where | undefined,
    missing: (name: string) => string | undefined,
  ): string | undefined {
    let text = "";
    for (const segment of segments) {
      const part =
        segment.kind === "text" ? segment.text : this.#staticVariable(segment.name, segment.operation, where, missing);
      if (part === undefined) return undefined;
      text += part;
    }
    return text;
  }

  #staticVariable(
    name: string,
    operation: Operation | null,
    where: Where | undefined,
    missing: (name: string) => string | undefined,
  ): string | undefined {
    const found = this.#known(name);
    const value = found === undefined ? (RESERVED.includes(name) ? "" : undefined) : staticText([found]);
    if (operation === null) return value ?? missing(name);
    const { operator, operand } = operation;
    const counts = value !== undefined && !(operator.startsWith(":") && value === "");
    const inner = () => this.#static(operand, where, missing);
    if (operator.endsWith("-")) return counts ? value : inner();
    if (operator.endsWith("+")) return counts ? inner() : "";
    if (counts) return value;
    const message = this.evaluateLoosely(operandText(operand));
    if (where !== undefined) {
      const said = message === "" ? "" : `: ${message}`;
      this.report.error("unset-variable", `'${name}' has no value in '${where.path}'${said}`, where.place);
    }
    return undefined;
  }
}

/** The operand of `:?` is a message; variables in it are shown by name. */
function operandText(operand: readonly Segment[]): string {
  return operand.map((s) => (s.kind === "text" ? s.text.replaceAll("$", "$$$$") : `\${${s.name}}`)).join("");
}
