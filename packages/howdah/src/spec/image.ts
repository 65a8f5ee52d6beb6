/**
 * What a container image's name says about PostgreSQL. Howdah runs no image; the name only chooses the major version
 * and tells which extensions the user counts on. A wrong guess here starts the wrong major, so whatever is no version
 * for certain (digests, dates, an extension's own version) yields null, never a number.
 */
import { HowdahError } from "../kernel/errors.js";
import { DEFAULT_MAJOR, Major, SUPPORTED_MAJORS } from "./service.js";

export type ImageFlavor = "postgres" | "pgvector" | "postgis" | "timescale" | "other";

export interface ImageReference {
  /** With registry host and port where there are some: `localhost:5000/postgres`. */
  readonly repository: string;
  readonly tag: string | null;
  /** `sha256:…` */
  readonly digest: string | null;
  readonly flavor: ImageFlavor;
  readonly isPostgres: boolean;
  /** As the tag says, whether supported or not; null when it says nothing (`latest`, `alpine`, a digest). */
  readonly major: number | null;
}

const FLAVORS: readonly [RegExp, ImageFlavor][] = [
  [/pgvector$/, "pgvector"],
  [/postgis$/, "postgis"],
  [/timescaledb(-ha)?$/, "timescale"],
  [/postgres(ql)?(-walg)?$/, "postgres"],
];

/** Splits `[host[:port]/]path[:tag][@digest]`, never throws. The tag rules are Defang's: `pg16`, `0.8.0-pg17`, `16.3-bookworm`. */
export function parseImage(image: string): ImageReference {
  const [name = "", digest] = splitOnce(image.trim(), "@");
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const repository = colon === -1 ? name : name.slice(0, colon);
  const tag = colon === -1 ? null : name.slice(colon + 1) || null;
  const flavor = FLAVORS.find(([pattern]) => pattern.test(repository.toLowerCase()))?.[1] ?? "other";
  return {
    repository,
    tag,
    digest: digest || null,
    flavor,
    isPostgres: flavor !== "other",
    major: tag === null ? null : majorOfTag(tag, flavor),
  };
}

/**
 * The major that a version text means: `18`, `18.4`, `18-alpine`, `pg18`, a whole image name, or `latest`.
 * Throws VERSION_UNSUPPORTED, naming the supported ones.
 */
export function parseMajor(text: string): Major {
  const trimmed = text.trim();
  const image = /[:/@]/.test(trimmed) ? parseImage(trimmed) : undefined;
  if (trimmed === "latest" || image?.tag === "latest") return DEFAULT_MAJOR;
  const major = image === undefined ? majorOfTag(trimmed, "postgres") : image.major;
  const supported = SUPPORTED_MAJORS.join(", ");
  if (major === null) {
    throw new HowdahError("VERSION_UNSUPPORTED", `'${text}' names no PostgreSQL version`, {
      hint: `Choose one of ${supported}.`,
    });
  }
  return checkMajor(major);
}

/** Throws VERSION_UNSUPPORTED unless Howdah runs this major. */
export function checkMajor(major: number): Major {
  const known = Major.safeParse(major);
  if (known.success) return known.data;
  const hint = `Choose one of ${SUPPORTED_MAJORS.join(", ")}.`;
  const reason = major < SUPPORTED_MAJORS[0] ? "reached its end of life" : "is not known";
  throw new HowdahError("VERSION_UNSUPPORTED", `PostgreSQL ${major} ${reason}`, { hint });
}

/** More than two digits are a date or a build number, no major. */
function majorOfTag(tag: string, flavor: ImageFlavor): number | null {
  const marked = /(?:^|[^a-z])pg-?(\d{1,2})(?!\d)/i.exec(tag);
  // A leading number is the extension's own version in images that name PostgreSQL's as `pgNN`.
  const leading = flavor === "pgvector" || flavor === "timescale" ? null : /^v?(\d{1,2})(?!\d)/i.exec(tag);
  const digits = (marked ?? leading)?.[1];
  return digits === undefined ? null : Number(digits);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
