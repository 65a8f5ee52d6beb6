import { describe, expect, it } from "vitest";
import { parsePsqlCommand } from "./psql-command.js";

const parse = (text: string) => parsePsqlCommand(text, 7);

describe("psql's commands", () => {
  it.each([
    ["\\c app", { kind: "connect", database: "app", user: null }],
    ['\\connect  "my db"', { kind: "connect", database: "my db", user: null }],
    [
      "\\connect -reuse-previous=on \"dbname='it''s'\"".replace("''", "\\'"),
      { kind: "connect", database: "it's", user: null },
    ],
    ["\\c 'dbname=x'", { kind: "connect", database: "x", user: null }],
    ["\\c", { kind: "connect", database: null, user: null }],
    ["\\c - bob", { kind: "connect", database: null, user: "bob" }],
    ["\\echo -n 'a  b' c\"d\"", { kind: "echo", text: "a  b cd" }],
    ["\\set ON_ERROR_STOP on", { kind: "stop-on-error", isOn: true }],
    ["\\set ON_ERROR_STOP 0", { kind: "stop-on-error", isOn: false }],
    ["\\set QUIET 1", { kind: "nothing" }],
    ["\\restrict aBc9", { kind: "restrict", key: "aBc9" }],
    ["\\unrestrict aBc9\r", { kind: "unrestrict", key: "aBc9" }],
    ["\\gexec", { kind: "run-each" }],
    ["\\g", { kind: "run" }],
    ["\\q", { kind: "quit" }],
    ["\\pset pager off", { kind: "nothing" }],
    ["\\timing", { kind: "nothing" }],
  ])("%s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ["\\i other.sql", "'\\i' is not possible", "order of their names"],
    ["\\copy t from 'x'", "'\\copy' is not possible", "COPY … FROM stdin"],
    ["\\set name 'x'", "':name' would not be replaced", "ends in .sh"],
    ["\\gset", "'\\gset' is not possible", "variables"],
    ["\\! rm -rf /", "'\\!' is not possible", ".sh"],
    ["\\;", "'\\;' is not possible", "SQL"],
    ["\\c app - otherhost", "only change the database", "\\connect DATABASE"],
    ["\\c postgres://h/x", "only change the database", "\\connect DATABASE"],
    ['\\c "host=h dbname=x"', "only change the database", "\\connect DATABASE"],
    ["\\g /tmp/file", "'\\g' is not possible", "SQL"],
  ])("%s is refused with what to do instead", (text, message, hint) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        line: 7,
        message: expect.stringContaining(message),
        options: expect.objectContaining({ hint: expect.stringContaining(hint) }),
      }),
    );
  });

  it("runs nothing in backquotes and wants its quotes closed", () => {
    expect(() => parse("\\echo `date`")).toThrow("backquotes");
    expect(() => parse("\\echo 'a")).toThrow("not closed");
  });
});
