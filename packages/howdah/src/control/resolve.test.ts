import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expression } from "../spec/index.js";
import { missingConfigs, type ResolveContext, resolveExpression } from "./resolve.js";

const context = (configs: Record<string, string>): ResolveContext => ({
  config: (name) => configs[name],
  service: (name) =>
    name === "database"
      ? {
          host: "127.0.0.1",
          port: "5433",
          username: "u",
          password: "s",
          database: "d",
          uri: "postgresql://…",
          jdbc: "jdbc:…",
        }
      : undefined,
});
const config = (
  name: string,
  rest: Partial<Extract<Expression[number], { kind: "config" }>> = {},
): Expression[number] => ({
  kind: "config",
  name,
  encode: "plain",
  onEmpty: false,
  ...rest,
});
const literal = (text: string): Expression[number] => ({ kind: "literal", text, sensitive: false });

describe("resolveExpression", () => {
  it("concatenates literals, configs and service properties", () => {
    const expression: Expression = [
      literal("postgres://u:"),
      config("PW", { encode: "userinfo" }),
      literal("@"),
      { kind: "service", service: "database", property: "host", encode: "plain" },
      literal(":"),
      { kind: "service", service: "database", property: "port", encode: "plain" },
    ];
    expect(resolveExpression(expression, context({ PW: "p@ss:w/rd%?#" })).text).toBe(
      "postgres://u:p%40ss%3Aw%2Frd%25%3F%23@127.0.0.1:5433",
    );
  });

  it("uses a fallback for an unset config, and for an empty one only with onEmpty", () => {
    const fallback = [literal("x")];
    const text = (part: Expression[number], configs: Record<string, string>) =>
      resolveExpression([part], context(configs)).text;
    expect(text(config("A", { fallback }), {})).toBe("x");
    expect(text(config("A", { fallback }), { A: "" })).toBe("");
    expect(text(config("A", { fallback, onEmpty: true }), { A: "" })).toBe("x");
    expect(text(config("A", { fallback: [config("B", { fallback })] }), { B: "b" })).toBe("b");
  });

  it("names every missing config once, with what the file says about it", () => {
    const resolved = resolveExpression(
      [config("A"), config("B", { message: "ask the team" }), config("A")],
      context({}),
    );
    expect(resolved.missing).toEqual(["A", "B"]);
    const error = missingConfigs(resolved.missing, resolved.messages, "shop");
    expect(error.message).toBe('missing configs ["A", "B"] (B: ask the team)');
    expect(error.spec.exit).toBe(3);
    expect(missingConfigs(["POSTGRES_PASSWORD"], {}, "p").message).toBe('missing configs ["POSTGRES_PASSWORD"]');
  });

  it("treats an empty required config as missing under ':?'", () => {
    expect(resolveExpression([config("A", { onEmpty: true, message: "m" })], context({ A: "" })).missing).toEqual([
      "A",
    ]);
  });

  it("refuses a service that does not exist", () => {
    const expression: Expression = [{ kind: "service", service: "nope", property: "host", encode: "plain" }];
    expect(() => resolveExpression(expression, context({}))).toThrow("service 'nope' does not exist");
  });

  it("puts any password into a URI so that the URI gives it back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (password) => {
        const text = resolveExpression(
          [literal("postgres://u:"), config("P", { encode: "userinfo" }), literal("@h/d")],
          context({ P: password }),
        ).text;
        expect(decodeURIComponent(new URL(text).password)).toBe(password);
      }),
    );
  });
});
