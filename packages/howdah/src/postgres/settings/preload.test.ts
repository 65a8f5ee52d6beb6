import { describe, expect, it } from "vitest";
import { preloadSettings } from "./index.js";

const NAME = "shared_preload_libraries";
const given = (asked: string | undefined, wanted: string[] = ["pg_prewarm"]) =>
  preloadSettings(wanted, asked === undefined ? {} : { [NAME]: asked })[NAME];

describe("libraries to preload", () => {
  it("stand behind the user's, which are never lost", () => {
    expect(given(undefined)).toBe("pg_prewarm");
    expect(given("")).toBe("pg_prewarm");
    expect(given("pg_stat_statements, auto_explain")).toBe("pg_stat_statements, auto_explain, pg_prewarm");
    expect(given("nonexistent")).toBe("nonexistent, pg_prewarm");
  });

  it.each(["pg_prewarm", ' "pg_prewarm" ', "$libdir/pg_prewarm", "a,pg_prewarm.so", 'b , "$libdir/pg_prewarm"'])(
    "are not named twice beside %j",
    (asked) => {
      expect(given(asked)).toBe(asked.trim());
    },
  );

  it("write the cache's list at the stop only, unless the user wants it otherwise", () => {
    expect(preloadSettings(["pg_prewarm"], {})).toHaveProperty(["pg_prewarm.autoprewarm_interval"], "0");
    const asked = { "pg_prewarm.autoprewarm_interval": "60" };
    expect(preloadSettings(["pg_prewarm"], asked)).toEqual({ [NAME]: "pg_prewarm" });
  });

  it("are the files' matter alone when Howdah wants none", () => {
    expect(preloadSettings([], { [NAME]: "auto_explain" })).toEqual({});
  });
});
