import { expect, test } from "vitest";
import { type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import { fromKeywordValue, toKeywordValue } from "./keyword-value.js";

test.each<[string, ConnectionInit]>([
  ["", {}],
  [
    "host=localhost port=5432 dbname=mydb connect_timeout=10",
    { host: "localhost", port: 5432, database: "mydb", parameters: { connect_timeout: "10" } },
  ],
  ["host = 'a b'  user='it\\'s' password='\\\\'", { host: "a b", username: "it's", password: "\\" }],
  ["user=a\\ b password=\\'", { username: "a b", password: "'" }],
  ["user='a'password='b'", { username: "a", password: "b" }],
  ["user=a user=b", { username: "b" }],
  // libpq skips white space behind '=' before it looks for the value.
  ["user= password=x", { username: "password=x" }],
  ["user=a password=b\\", { username: "a", password: "b" }],
  ["user=''", {}],
  [
    "host=a,b,c port=1,,3",
    {
      host: "a",
      port: 1,
      fallbacks: [
        { host: "b", port: null },
        { host: "c", port: 3 },
      ],
    },
  ],
  [
    "hostaddr=10.0.0.1,10.0.0.2 port=1,2",
    { port: 1, fallbacks: [{ host: null, port: 2 }], parameters: { hostaddr: "10.0.0.1,10.0.0.2" } },
  ],
  ["requiressl=1", { parameters: { sslmode: "require" } }],
  ["requiressl=0", { parameters: { sslmode: "prefer" } }],
])("fromKeywordValue reads %j", (text, init) => {
  expect(fromKeywordValue(text)).toStrictEqual(connection(init));
});

test.each<[string, string]>([
  ["host", "a keyword is not followed by '='; quote values that contain spaces (at character 1)"],
  ["user=u password=my secret", "a keyword is not followed by '='; quote values that contain spaces (at character 20)"],
  ["user='u", "a quoted value is not closed (at character 6)"],
  ["user='u\\'", "a quoted value is not closed (at character 6)"],
  ["uzer=u", "a parameter is not one that PostgreSQL knows (at character 1)"],
  ["port=1,2", "2 ports do not match 1 host(s)"],
  ["port=http", "the port is not a whole number from 1 to 65535"],
])("fromKeywordValue refuses %j", (text, message) => {
  expect(() => fromKeywordValue(text)).toThrow(new ConnectionFormatError("keyword-value", message).message);
});

test("toKeywordValue quotes only what needs it", () => {
  const c = connection({
    host: "h",
    port: 1,
    username: "u",
    password: "it's a \\",
    database: "d",
    parameters: { options: "" },
  });
  expect(toKeywordValue(c)).toBe("host=h port=1 user=u password='it\\'s a \\\\' dbname=d options=''");
});
