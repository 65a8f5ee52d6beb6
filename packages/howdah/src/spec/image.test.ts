import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isHowdahError } from "../kernel/errors.js";
import { parseImage, parseMajor } from "./image.js";

const DIGEST = `sha256:${"16".repeat(32)}`;

describe("parseImage", () => {
  it.each([
    ["postgres", "postgres", null, null, "postgres", null],
    ["postgres:latest", "postgres", "latest", null, "postgres", null],
    ["postgres:alpine3.20", "postgres", "alpine3.20", null, "postgres", null],
    ["postgres:16.3-bookworm", "postgres", "16.3-bookworm", null, "postgres", 16],
    ["postgres:18beta1", "postgres", "18beta1", null, "postgres", 18],
    ["postgres:9.6", "postgres", "9.6", null, "postgres", 9],
    ["postgres:20240101", "postgres", "20240101", null, "postgres", null],
    [`postgres:16@${DIGEST}`, "postgres", "16", DIGEST, "postgres", 16],
    [`postgres@${DIGEST}`, "postgres", null, DIGEST, "postgres", null],
    ["localhost:5000/postgres", "localhost:5000/postgres", null, null, "postgres", null],
    ["localhost:5000/library/postgres:17", "localhost:5000/library/postgres", "17", null, "postgres", 17],
    ["docker.io/library/postgres:15-alpine", "docker.io/library/postgres", "15-alpine", null, "postgres", 15],
    ["bitnami/postgresql:16.3.0", "bitnami/postgresql", "16.3.0", null, "postgres", 16],
    ["gotempsh/postgres-walg:18-bookworm", "gotempsh/postgres-walg", "18-bookworm", null, "postgres", 18],
    ["pgvector/pgvector:pg16", "pgvector/pgvector", "pg16", null, "pgvector", 16],
    ["pgvector/pgvector:0.8.0-pg17", "pgvector/pgvector", "0.8.0-pg17", null, "pgvector", 17],
    ["ankane/pgvector:v0.5.1", "ankane/pgvector", "v0.5.1", null, "pgvector", null],
    ["postgis/postgis:16-3.4-alpine", "postgis/postgis", "16-3.4-alpine", null, "postgis", 16],
    ["timescale/timescaledb:latest-pg16", "timescale/timescaledb", "latest-pg16", null, "timescale", 16],
    ["timescale/timescaledb-ha:pg17.2-ts2.18", "timescale/timescaledb-ha", "pg17.2-ts2.18", null, "timescale", 17],
    ["timescale/timescaledb:2.14.2", "timescale/timescaledb", "2.14.2", null, "timescale", null],
    ["redis:7", "redis", "7", null, "other", 7],
    ["prometheuscommunity/postgres-exporter", "prometheuscommunity/postgres-exporter", null, null, "other", null],
    ["postgres:", "postgres", null, null, "postgres", null],
    ["", "", null, null, "other", null],
  ] as const)("%s", (image, repository, tag, digest, flavor, major) => {
    expect(parseImage(image)).toEqual({ repository, tag, digest, flavor, major, isPostgres: flavor !== "other" });
  });

  it("reads nothing from a digest and never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => parseImage(`postgres@sha256:${text}`).major === null));
    fc.assert(fc.property(fc.string(), (text) => typeof parseImage(text).repository === "string"));
  });
});

describe("parseMajor", () => {
  it.each(["18", "18.4", "18-alpine", "pg18", "postgres:18-alpine", `postgres:18@${DIGEST}`, " 18 ", "latest"])(
    "reads 18 from '%s'",
    (text) => expect(parseMajor(text)).toBe(18),
  );

  it.each([
    ["13", "PostgreSQL 13 reached its end of life"],
    ["9.6", "PostgreSQL 9 reached its end of life"],
    ["postgres:12-alpine", "PostgreSQL 12 reached its end of life"],
    ["19", "PostgreSQL 19 is not known"],
    ["", "'' names no PostgreSQL version"],
    ["eighteen", "'eighteen' names no PostgreSQL version"],
    [`postgres@${DIGEST}`, `'postgres@${DIGEST}' names no PostgreSQL version`],
  ])("refuses '%s'", (text, message) => {
    let caught: unknown;
    try {
      parseMajor(text);
    } catch (error) {
      caught = error;
    }
    if (!isHowdahError(caught, "VERSION_UNSUPPORTED")) throw new Error("no VERSION_UNSUPPORTED", { cause: caught });
    expect(caught.message).toBe(message);
    expect(caught.hint).toBe("Choose one of 14, 15, 16, 17, 18.");
  });
});
