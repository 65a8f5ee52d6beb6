import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  authenticationMd5Password,
  authenticationOk,
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
  errorResponse,
  negotiateProtocolVersion,
  SSL_ACCEPTED,
  SSL_REFUSED,
} from "./backend-messages.js";
import { saslInitialResponse, saslResponse } from "./frontend-messages.js";
import {
  parseAuthentication,
  parseBackendKeyData,
  parseErrorResponse,
  parseNegotiateProtocolVersion,
  parseParameterStatus,
  parsePasswordMessage,
  parseSaslInitialResponse,
} from "./login-messages.js";
import { MAX_LOGIN_MESSAGE_BYTES, parseMessage } from "./message.js";
import { outcome, violation } from "./testing/outcome.js";

/** The body of the one message that these bytes are. */
function bodyOf(bytes: Buffer, type: string): Buffer {
  const message = parseMessage(bytes, MAX_LOGIN_MESSAGE_BYTES);
  expect(message?.length).toBe(bytes.length);
  expect(String.fromCharCode(message?.type ?? 0)).toBe(type);
  return message?.body ?? Buffer.alloc(0);
}

const text = fc.string({ unit: "binary", maxLength: 20 }).filter((t) => !t.includes("\0"));
const buffer = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));

describe("bytes on the wire", () => {
  it("are those of the protocol's manual", () => {
    expect(authenticationOk().toString("hex")).toBe("520000000800000000");
    expect(authenticationMd5Password(Buffer.from("abcd")).toString("latin1")).toBe("R\0\0\0\x0c\0\0\0\x05abcd");
    expect(authenticationSasl(["SCRAM-SHA-256"]).toString("latin1")).toBe("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
    expect(authenticationSaslContinue(Buffer.from("r=1")).toString("latin1")).toBe("R\0\0\0\x0b\0\0\0\x0br=1");
    expect(authenticationSaslFinal(Buffer.from("v=1")).toString("latin1")).toBe("R\0\0\0\x0b\0\0\0\x0cv=1");
    expect(saslInitialResponse("M", Buffer.from("n,,")).toString("latin1")).toBe("p\0\0\0\x0dM\0\0\0\0\x03n,,");
    expect(saslInitialResponse("M", null).toString("latin1")).toBe("p\0\0\0\x0aM\0\xff\xff\xff\xff");
    expect(saslResponse(Buffer.from("c=")).toString("latin1")).toBe("p\0\0\0\x06c=");
    expect(negotiateProtocolVersion(2, ["_pq_.a"]).toString("latin1")).toBe(
      "v\0\0\0\x13\0\x03\0\x02\0\0\0\x01_pq_.a\0",
    );
    expect(`${SSL_ACCEPTED}${SSL_REFUSED}`).toBe("SN");
    expect(errorResponse({ severity: "FATAL", sqlstate: "57P03", message: "m", hint: "h" }).toString("latin1")).toBe(
      "E\0\0\0\x20SFATAL\0VFATAL\0C57P03\0Mm\0Hh\0\0",
    );
  });
});

describe("what is encoded", () => {
  it("is decoded to the same", () => {
    fc.assert(
      fc.property(text, buffer, fc.array(text.filter((t) => t !== "")), (mechanism, data, names) => {
        expect(parseSaslInitialResponse(bodyOf(saslInitialResponse(mechanism, data), "p"))).toEqual({
          mechanism,
          data,
        });
        expect(parseSaslInitialResponse(bodyOf(saslInitialResponse(mechanism, null), "p"))).toEqual({
          mechanism,
          data: null,
        });
        expect(bodyOf(saslResponse(data), "p")).toEqual(data);
        const authentication = (bytes: Buffer) => parseAuthentication(bodyOf(bytes, "R"));
        expect(authentication(authenticationOk())).toEqual({ kind: "ok" });
        expect(authentication(authenticationSasl(names))).toEqual({ kind: "sasl", mechanisms: names });
        expect(authentication(authenticationSaslContinue(data))).toEqual({ kind: "sasl-continue", data });
        expect(authentication(authenticationSaslFinal(data))).toEqual({ kind: "sasl-final", data });
        expect(authentication(authenticationMd5Password(Buffer.from("salt")))).toEqual({ kind: "other", code: 5 });
      }),
    );
  });

  it("of an error is decoded to the same", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("FATAL" as const, "ERROR" as const),
        fc.stringMatching(/^[0-9A-Z]{5}$/),
        text,
        fc.option(text),
        fc.option(text),
        (severity, sqlstate, message, detail, hint) => {
          const sent = { severity, sqlstate, message, detail: detail ?? undefined, hint: hint ?? undefined };
          expect(parseErrorResponse(bodyOf(errorResponse(sent), "E"))).toEqual({
            severity,
            sqlstate,
            message,
            detail,
            hint,
          });
        },
      ),
    );
  });

  it("of a version is decoded to the same, whole or only its minor part", () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.array(text), (minor, unknownOptions) => {
        const body = bodyOf(negotiateProtocolVersion(minor, unknownOptions), "v");
        expect(parseNegotiateProtocolVersion(body)).toEqual({ minor, unknownOptions });
        const other = Buffer.from(body);
        other.writeInt16BE(0, 0);
        expect(parseNegotiateProtocolVersion(other)).toEqual({ minor, unknownOptions });
        other.writeInt16BE(2, 0);
        expect(violation(() => parseNegotiateProtocolVersion(other)).sqlstate).toBe("08P01");
      }),
    );
  });
});

describe("an error", () => {
  it("can hold any text and still be one", () => {
    const response = errorResponse({
      severity: "FATAL",
      sqlstate: "ECONNREFUSED",
      message: "a\0b",
      detail: "\u{10ffff}".repeat(40_000),
      hint: "€".repeat(40_000),
    });
    expect(response.length).toBeLessThan(MAX_LOGIN_MESSAGE_BYTES);
    expect(parseErrorResponse(bodyOf(response, "E"))).toMatchObject({ sqlstate: "XX000", message: "a?b" });
  });

  it("of a server may lack fields and have unknown ones", () => {
    expect(parseErrorResponse(Buffer.from("SERREUR\0VERROR\0C28P01\0Mnon\0Fauth.c\0zzz\0\0"))).toEqual({
      severity: "ERROR",
      sqlstate: "28P01",
      message: "non",
      detail: null,
      hint: null,
    });
    expect(parseErrorResponse(Buffer.from("\0"))).toMatchObject({ severity: "FATAL", sqlstate: "XX000", message: "" });
  });
});

describe("what is malformed", () => {
  it.each([
    ["no mechanism", () => parseSaslInitialResponse(Buffer.from("SCRAM")), "invalid string in message"],
    ["no length", () => parseSaslInitialResponse(Buffer.from("M\0\0\0")), "insufficient data left in message"],
    [
      "10 GB",
      () => parseSaslInitialResponse(Buffer.from("M\0\x7f\xff\xff\xff", "latin1")),
      "insufficient data left in message",
    ],
    [
      "minus two",
      () => parseSaslInitialResponse(Buffer.from("M\0\xff\xff\xff\xfe", "latin1")),
      "insufficient data left in message",
    ],
    ["garbage behind", () => parseSaslInitialResponse(Buffer.from("M\0\0\0\0\x01ab")), "invalid message format"],
    ["no zero byte", () => parsePasswordMessage(Buffer.from("secret")), "invalid password packet size"],
    ["two zero bytes", () => parsePasswordMessage(Buffer.from("sec\0ret\0")), "invalid password packet size"],
    ["no password", () => parsePasswordMessage(Buffer.alloc(0)), "invalid password packet size"],
    ["no code", () => parseAuthentication(Buffer.alloc(3)), "insufficient data left in message"],
    ["a long ok", () => parseAuthentication(Buffer.alloc(5)), "invalid message format"],
    ["an open list", () => parseAuthentication(Buffer.from("\0\0\0\x0aM\0")), "invalid string in message"],
    ["no terminator", () => parseErrorResponse(Buffer.from("Mx\0")), "no data left in message"],
    ["a short secret", () => parseBackendKeyData(Buffer.alloc(7)), "invalid length of cancel key"],
    ["a long secret", () => parseBackendKeyData(Buffer.alloc(4 + 257)), "invalid length of cancel key"],
    ["no value", () => parseParameterStatus(Buffer.from("a\0b")), "invalid string in message"],
    [
      "two billion options",
      () => parseNegotiateProtocolVersion(Buffer.from("\0\x03\0\0\x7f\xff\xff\xff", "latin1")),
      "insufficient data left in message",
    ],
    [
      "minus one option",
      () => parseNegotiateProtocolVersion(Buffer.from("\0\x03\0\0\xff\xff\xff\xff", "latin1")),
      "insufficient data left in message",
    ],
  ])("%s", (_, parse, message) => {
    expect(violation(parse)).toMatchObject({ sqlstate: "08P01", message });
  });

  it("an empty password has a code of its own", () => {
    expect(violation(() => parsePasswordMessage(Buffer.from("\0")))).toMatchObject({
      sqlstate: "28P01",
      message: "empty password returned by client",
    });
  });

  it("is never answered with another error, nor read beyond", () => {
    const parsers = [
      parseSaslInitialResponse,
      parsePasswordMessage,
      parseAuthentication,
      parseErrorResponse,
      parseBackendKeyData,
      parseParameterStatus,
      parseNegotiateProtocolVersion,
    ];
    const small = fc.integer({ min: 0, max: 12 });
    const any = fc
      .oneof(fc.uint8Array({ maxLength: 48 }), fc.array(fc.oneof(small, fc.nat(255)), { maxLength: 48 }))
      .map((b) => Buffer.from(b));
    fc.assert(
      fc.property(any, (bytes) => {
        for (const parse of parsers) {
          const alone = outcome<unknown>(() => parse(bytes));
          // the same bytes in the middle of others
          const around = Buffer.concat([Buffer.alloc(9, 65), bytes, Buffer.from("\0\0B\0")]);
          expect(outcome<unknown>(() => parse(around.subarray(9, 9 + bytes.length)))).toEqual(alone);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

it("reads key data and parameters, as copies", () => {
  const body = Buffer.from("\0\0\x16\x2eabcdefgh");
  const key = parseBackendKeyData(body);
  body.fill(0);
  expect(key).toEqual({ pid: 5678, secret: Buffer.from("abcdefgh") });
  expect(parseParameterStatus(Buffer.from("server_version\x0018.1\0"))).toEqual({
    name: "server_version",
    value: "18.1",
  });
  expect(parsePasswordMessage(Buffer.from("md5abc\0"))).toBe("md5abc");
});
