import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HowdahError } from "./errors.js";
import { createLogger } from "./log.js";
import { SECRET_FIELDS } from "./redact.js";

const SECRET = "hunter2-SECRET";

/** Runs `write` with a logger and returns the lines, parsed. */
function logged(write: (log: ReturnType<typeof createLogger>) => void): { text: string; lines: unknown[] } {
  let text = "";
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  write(createLogger("debug", destination));
  const lines = text.split("\n").slice(0, -1);
  return { text, lines: lines.map((line) => JSON.parse(line)) };
}

const names = [...SECRET_FIELDS, "POSTGRES_PASSWORD", "newPassword", "Authorization", "api_key", "apiToken"];

describe("log", () => {
  test("a secret never appears, whatever field it is in and however deep", () => {
    const steps = fc.array(fc.constantFrom("options", "services", "0", "[]"), { maxLength: 7 });
    fc.assert(
      fc.property(fc.constantFrom(...names), steps, (name, path) => {
        const fields = path.reduceRight<unknown>(
          (inner, step) => (step === "[]" ? [1, inner] : { [step]: inner, n: 1 }),
          {
            [name]: SECRET,
            shown: "in clear",
          },
        );
        const { text } = logged((log) => log.info({ fields }, "event"));
        expect(text).not.toContain(SECRET);
        expect(text).toContain("[redacted]");
        expect(text).toContain("in clear");
      }),
    );
  });

  test.each(names)("'%s' at the top", (name) => {
    const { lines } = logged((log) => log.warn({ [name]: SECRET, port: 5432 }, "event"));
    expect(lines).toEqual([expect.objectContaining({ [name]: "[redacted]", port: 5432, msg: "event" })]);
  });

  test.each(SECRET_FIELDS)("'%s' in the bindings of a child logger, three levels deep", (name) => {
    const { text } = logged((log) => log.child({ a: { b: { [name]: SECRET } }, [name]: SECRET }).info("event"));
    expect(text).not.toContain(SECRET);
  });

  test("a secret object is censored as a whole", () => {
    const { text } = logged((log) => log.info({ env: { HARMLESS: SECRET } }, "event"));
    expect(text).not.toContain(SECRET);
  });

  test("the fields of an error, of its causes, and passwords within its message", () => {
    const cause = Object.assign(new Error(`cannot reach postgres://user:${SECRET}@127.0.0.1:5432/db`), {
      config: { nested: { deep: { deeper: { password: SECRET } } } },
    });
    const error = new HowdahError("SERVICE_FAILED", "it failed", { cause });
    const { text, lines } = logged((log) => {
      log.error({ err: error }, "event");
      log.error({ err: cause }, "event");
      log.error(cause);
      log.child({ target: cause.message }).info(`${cause.message}, "quoted"@x`);
    });
    expect(text).not.toContain(SECRET);
    expect(lines).toHaveLength(4);
    expect(text).toContain("postgres://user:[redacted]@127.0.0.1:5432/db");
    expect(lines[0]).toMatchObject({ err: { type: "HowdahError", code: "SERVICE_FAILED" } });
    expect(text).toContain("log.test.ts");
  });

  test("what goes round in circles is cut, the rest is untouched", () => {
    const round: Record<string, unknown> = { n: 1 };
    round["self"] = round;
    const at = new Date(0);
    const { lines } = logged((log) =>
      log.info({ round, at, list: [null, true], twice: [round["n"], round["n"]] }, "event"),
    );
    expect(lines[0]).toMatchObject({
      round: { n: 1, self: "[circular]" },
      at: "1970-01-01T00:00:00.000Z",
      list: [null, true],
      twice: [1, 1],
    });
  });

  test("says when, and keeps to its level", () => {
    const { lines } = logged((log) => {
      log.info("a");
      log.trace("b");
    });
    expect(lines).toEqual([expect.objectContaining({ level: 30, pid: process.pid, msg: "a" })]);
    expect(lines[0]).toHaveProperty("time", expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
  });
});
