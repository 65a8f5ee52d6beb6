/** Which major a managed service's image means, and what the user should know about the image. */
import type { Place } from "../../kernel/errors.js";
import {
  checkMajor,
  DEFAULT_MAJOR,
  END_OF_LIFE_MAJORS,
  type ImageFlavor,
  Major,
  parseImage,
  type Service,
} from "../../spec/index.js";
import { type Context, reported } from "./context.js";
import { MANAGED_KEY } from "./managed.js";
import { asScalar, child, entryOf } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

type Engine = Service["engine"];

export interface ChosenImage {
  readonly image: string | null;
  readonly major: Major;
}

/** What each flavor brings that the embedded distribution lacks, and the package that has it. */
const EXTENSIONS: Partial<Record<ImageFlavor, { readonly extension: string; debian(major: number): string }>> = {
  pgvector: { extension: "vector", debian: (major) => `postgresql-${major}-pgvector` },
  postgis: { extension: "postgis", debian: (major) => `postgresql-${major}-postgis-3` },
  timescale: { extension: "timescaledb", debian: (major) => `timescaledb-2-postgresql-${major}` },
};

export function chooseImage(context: Context, service: string, map: MapNode, engine: Engine): ChosenImage {
  const path = `services.${service}.image`;
  const scalar = asScalar(child(map, "image"), path, context.report);
  const image = scalar && context.variables.evaluate(scalar.text, { path, place: scalar.place });
  noteBuild(context, service, map);
  if (scalar === undefined || image === undefined) {
    if (child(map, "image") === undefined) {
      noteDefault(context, `'${service}' has no image`, entryOf(map, "image")?.keyPlace ?? map.place);
    }
    return { image: null, major: DEFAULT_MAJOR };
  }
  return { image, major: majorOf(context, service, image, engine, scalar.place) };
}

function majorOf(context: Context, service: string, image: string, engine: Engine, place: Place): Major {
  const { isPostgres, flavor, major: written } = parseImage(image);
  if (!isPostgres) {
    const message = `service "${service}": managed Postgres service should use a postgres image`;
    context.report.warning("image-not-postgres", message, place, "Write 'image: postgres:18'.");
  }
  // The number of an image that is no PostgreSQL image is its own version as likely as PostgreSQL's.
  if (written === null || (!isPostgres && !Major.safeParse(written).success)) {
    noteDefault(context, `image '${image}' names no major version`, place);
    return noteExtension(context, flavor, DEFAULT_MAJOR, engine, place);
  }
  const major = reported(context, "version-unsupported", place, () => checkMajor(written));
  if (major === undefined) return DEFAULT_MAJOR;
  if (END_OF_LIFE_MAJORS.includes(major)) {
    const message = `PostgreSQL ${major} has reached its end of life and gets no more security fixes`;
    context.report.warning("end-of-life", message, place, "Move to a newer major with a dump and a new service.");
  }
  return noteExtension(context, flavor, major, engine, place);
}

function noteDefault(context: Context, message: string, place: Place): void {
  const hint = `Write it, 'postgres:${DEFAULT_MAJOR}', so that it never changes by itself.`;
  context.report.notice("version-default", `${message}; PostgreSQL ${DEFAULT_MAJOR} is taken`, place, hint);
}

function noteExtension(context: Context, flavor: ImageFlavor, major: Major, engine: Engine, place: Place): Major {
  const extra = EXTENSIONS[flavor];
  if (extra === undefined || engine === "system") return major;
  const message = `the embedded PostgreSQL ${major} lacks the extension '${extra.extension}' that this image brings; CREATE EXTENSION ${extra.extension} will fail there`;
  const hint = `Install your system's PostgreSQL with it, on Debian and Ubuntu 'apt-get install ${extra.debian(major)}' (from apt.postgresql.org), and write 'x-howdah: { engine: system }' beside '${MANAGED_KEY}' before the service is made.`;
  context.report.warning("extension-missing", message, place, hint);
  return major;
}

function noteBuild(context: Context, service: string, map: MapNode): void {
  const build = entryOf(map, "build");
  if (build === undefined || child(map, "build") === undefined) return;
  const message = `'build' of '${service}' is not done; what the Dockerfile adds to PostgreSQL is missing`;
  context.report.warning(
    "not-done",
    message,
    build.keyPlace,
    "Move init scripts into a mount on /docker-entrypoint-initdb.d.",
  );
}
