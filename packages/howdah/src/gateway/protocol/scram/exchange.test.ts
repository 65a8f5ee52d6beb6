import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outcome, violation } from "../testing/outcome.js";
import { clientFinal, clientFirst, deriveKeys, type PasswordClient, verifierText } from "../testing/password-client.js";
import { ScramClientExchange } from "./client-exchange.js";
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from "./mechanisms.js";
import { ScramServerExchange, type ScramServerOptions } from "./server-exchange.js";
import { mockVerifier, parseVerifier, type ScramVerifier } from "./verifier.js";

const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const PENCIL: ScramVerifier = { iterations: 4096, salt: SALT, ...deriveKeys("pencil", SALT, 4096) };
const HASH = randomBytes(32);
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const latin1 = (text: string) => Buffer.from(text, "latin1");

function exchange(options: Partial<ScramServerOptions> = {}): ScramServerExchange {
  return new ScramServerExchange({ verifier: PENCIL, doomed: false, tls: false, endPointHash: null, ...options });
}
const overTls = { tls: true, endPointHash: HASH };
const pencil: PasswordClient = { password: "pencil", nonce: NONCE };
const bound: PasswordClient = { ...pencil, header: "p=tls-server-end-point,,", binding: HASH };

/** A whole login; what the server makes of the proof. */
function login(server: ScramServerExchange, mechanism: string, client: PasswordClient) {
  const { data, expected } = clientFinal(client, server.first(mechanism, clientFirst(client)));
  return { outcome: server.final(data), expected };
}

describe("the example of RFC 7677", () => {
  const server = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const serverFirst = `r=${NONCE}${server},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
  const final = `c=biws,r=${NONCE}${server},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
  const serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

  it("is what the server says", () => {
    const scram = exchange({ nonce: server });
    expect(scram.first(SCRAM_SHA_256, latin1(`n,,n=user,r=${NONCE}`)).toString()).toBe(serverFirst);
    const outcome = scram.final(latin1(final));
    if (!outcome.ok) throw new Error("the example's proof was refused");
    expect(outcome.serverFinal.toString()).toBe(serverFinal);
    expect(outcome.clientKey).toEqual(deriveKeys("pencil", SALT, 4096).clientKey);
  });

  it("is what the client of the tests says", () => {
    const said = clientFinal({ ...pencil, user: "user" }, latin1(serverFirst));
    expect([said.data.toString(), said.expected]).toEqual([final, serverFinal]);
  });

  it("with the empty name that clients of PostgreSQL send, is what our client says", () => {
    const client = new ScramClientExchange(deriveKeys("pencil", SALT, 4096), NONCE);
    expect(client.initial()).toEqual({ mechanism: "SCRAM-SHA-256", data: latin1(`n,,n=,r=${NONCE}`) });
    const expected = clientFinal(pencil, latin1(serverFirst));
    expect(client.respond(latin1(serverFirst))).toEqual(expected.data);
    expect(client.verify(latin1(expected.expected))).toBe(true);
    expect(client.verify(latin1(serverFinal))).toBe(false);
    expect(client.verify(latin1("e=invalid-proof"))).toBe(false);
  });
});

describe("a login", () => {
  const nonce = fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,40}$/);
  const password = fc.stringMatching(/^[\x20-\x7e]{1,20}$/);
  const salt = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((b) => Buffer.from(b));
  const iterations = fc.integer({ min: 1, max: 50 });
  const transport = fc.constantFrom(
    { options: {}, mechanism: SCRAM_SHA_256, client: { header: "n,," } },
    { options: {}, mechanism: SCRAM_SHA_256, client: { header: "y,," } },
    { options: { tls: true }, mechanism: SCRAM_SHA_256, client: { header: "y,," } },
    { options: overTls, mechanism: SCRAM_SHA_256, client: { header: "n,," } },
    { options: overTls, mechanism: SCRAM_SHA_256_PLUS, client: bound },
  );

  it("succeeds with the password and with no other, and yields the key to log in with", () => {
    fc.assert(
      fc.property(password, password, salt, iterations, nonce, transport, (right, tried, s, i, n, t) => {
        const verifier = parseVerifier(verifierText(right, s, i));
        if (verifier === null) throw new Error("not a verifier");
        const client = { ...t.client, password: tried, nonce: n, user: "a\xff" };
        const { outcome, expected } = login(exchange({ ...t.options, verifier }), t.mechanism, client);
        expect(outcome.ok).toBe(right === tried);
        if (!outcome.ok) return;
        expect(outcome.serverFinal.toString("latin1")).toBe(expected);

        // the server behind us knows the role by the same verifier
        const behind = exchange({ verifier });
        const ours = new ScramClientExchange({ ...verifier, clientKey: outcome.clientKey });
        const { mechanism, data } = ours.initial();
        const answer = behind.final(ours.respond(behind.first(mechanism, data)));
        if (!answer.ok) throw new Error("the server did not take the recovered key");
        expect(ours.verify(answer.serverFinal)).toBe(true);
        expect(answer.clientKey).toEqual(outcome.clientKey);
      }),
    );
  });

  it("may have extensions that are passed over and signed", () => {
    const client = { ...pencil, firstExtension: ",x=1,y=", finalExtension: ",t=a,Z=b=c" };
    expect(login(exchange(), SCRAM_SHA_256, client).outcome.ok).toBe(true);
    const scram = exchange();
    const { data } = clientFinal(client, scram.first(SCRAM_SHA_256, clientFirst(client)));
    expect(scram.final(latin1(data.toString("latin1").replace("t=a", "t=b")))).toEqual({ ok: false });
  });

  it("that is doomed fails with the right password, and looks no different before", () => {
    const doomed = exchange({ doomed: true, nonce: "n" });
    const first = doomed.first(SCRAM_SHA_256, clientFirst(pencil));
    expect(first).toEqual(exchange({ nonce: "n" }).first(SCRAM_SHA_256, clientFirst(pencil)));
    expect(doomed.final(clientFinal(pencil, first).data)).toEqual({ ok: false });
    const nobody = exchange({ doomed: true, verifier: mockVerifier(randomBytes(32), "nobody") });
    expect(login(nobody, SCRAM_SHA_256, pencil).outcome).toEqual({ ok: false });
  });

  it("checks one proof", () => {
    const scram = exchange();
    const serverFirst = scram.first(SCRAM_SHA_256, clientFirst(pencil));
    const { data } = clientFinal(pencil, serverFirst);
    expect(scram.final(clientFinal({ ...pencil, password: "guess" }, serverFirst).data)).toEqual({ ok: false });
    expect(() => scram.final(data)).toThrow("invalid SCRAM exchange state");
    expect(() => scram.first(SCRAM_SHA_256, clientFirst(pencil))).toThrow("invalid SCRAM exchange state");
    expect(() => exchange().final(data)).toThrow("invalid SCRAM exchange state");
  });

  it("must come back with both nonces", () => {
    for (const foreign of ["", NONCE, `${NONCE}theirs2`, `x${NONCE}theirs`]) {
      const scram = exchange({ nonce: "theirs" });
      scram.first(SCRAM_SHA_256, clientFirst(pencil));
      const replayed = clientFinal(pencil, latin1(`r=${foreign},s=${SALT.toString("base64")},i=4096`)).data;
      expect(violation(() => scram.final(replayed))).toEqual({
        sqlstate: "08P01",
        message: "invalid SCRAM response",
        detail: "Nonce does not match.",
      });
    }
  });

  it("never uses a nonce twice", () => {
    const nonces = Array.from({ length: 100 }, () =>
      exchange()
        .first(SCRAM_SHA_256, clientFirst(pencil))
        .toString()
        .slice(2, NONCE.length + 2 + 24),
    );
    expect(new Set(nonces).size).toBe(100);
    for (const n of nonces) expect(n).toMatch(/^rOprNGfwEbeRWgbNEkqO[A-Za-z0-9+/]{24}$/);
  });
});

describe("channel binding", () => {
  it("is offered where there is a certificate that can be bound", () => {
    expect(exchange(overTls).mechanisms).toEqual(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    expect(exchange({ tls: true }).mechanisms).toEqual(["SCRAM-SHA-256"]);
    expect(exchange({ endPointHash: HASH }).mechanisms).toEqual(["SCRAM-SHA-256"]);
  });

  it("fails with another certificate", () => {
    for (const binding of [randomBytes(32), Buffer.alloc(0), Buffer.concat([HASH, HASH])]) {
      expect(violation(() => login(exchange(overTls), SCRAM_SHA_256_PLUS, { ...bound, binding }))).toEqual({
        sqlstate: "28000",
        message: "SCRAM channel binding check failed",
        detail: null,
      });
    }
  });

  it("that somebody took out of the offer is missed", () => {
    expect(violation(() => login(exchange(overTls), SCRAM_SHA_256, { ...pencil, header: "y,," }))).toMatchObject({
      sqlstate: "28000",
      message: "SCRAM channel binding negotiation error",
    });
  });

  it("that somebody put in or took out of the header is found in the proof", () => {
    // the client says y, the one between makes it n, so that the offer is not missed
    const scram = exchange(overTls);
    const first = scram.first(SCRAM_SHA_256, clientFirst(pencil));
    const { data } = clientFinal({ ...pencil, header: "y,," }, first);
    expect(violation(() => scram.final(data)).message).toBe(
      "unexpected SCRAM channel-binding attribute in client-final-message",
    );
  });

  it.each([
    [
      "chosen without TLS",
      {},
      SCRAM_SHA_256_PLUS,
      "p=tls-server-end-point,,",
      "client selected an invalid SASL authentication mechanism",
    ],
    [
      "chosen without a certificate",
      { tls: true },
      SCRAM_SHA_256_PLUS,
      "p=tls-server-end-point,,",
      "client selected an invalid SASL authentication mechanism",
    ],
    [
      "of another type",
      overTls,
      SCRAM_SHA_256_PLUS,
      "p=tls-unique,,",
      'unsupported SCRAM channel-binding type "tls-unique"',
    ],
    [
      "of a type that is no text",
      overTls,
      SCRAM_SHA_256_PLUS,
      `p=\xff\n${"x".repeat(99)},,`,
      `unsupported SCRAM channel-binding type "??${"x".repeat(28)}"`,
    ],
  ])("%s is refused", (_, options, mechanism, header, message) => {
    const first = () => exchange(options).first(mechanism, clientFirst({ ...pencil, header }));
    expect(violation(first)).toMatchObject({ sqlstate: "08P01", message });
  });

  it.each([
    [
      "none",
      SCRAM_SHA_256_PLUS,
      "n,,",
      "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
    ],
    [
      "y",
      SCRAM_SHA_256_PLUS,
      "y,,",
      "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
    ],
    [
      "some",
      SCRAM_SHA_256,
      "p=tls-server-end-point,,",
      "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
    ],
  ])("must be what the mechanism says, not %s", (_, mechanism, header, detail) => {
    const first = () => exchange(overTls).first(mechanism, clientFirst({ ...pencil, header }));
    expect(violation(first)).toEqual({ sqlstate: "08P01", message: "malformed SCRAM message", detail });
  });
});

describe("any bytes", () => {
  const piece = fc.constantFrom(
    "n",
    "y",
    "p=",
    "tls-server-end-point",
    ",",
    ",,",
    "a=",
    "m=",
    "n=",
    "r=",
    "c=biws",
    "=",
    NONCE,
    "\0",
    "\xff",
    "p=AAAA",
  );
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
    fc.array(piece, { maxLength: 10 }).map((parts) => latin1(parts.join(""))),
  );
  const mechanism = fc.constantFrom(SCRAM_SHA_256, SCRAM_SHA_256_PLUS, "", "PLAIN", "scram-sha-256");

  it("never succeed, and never fail otherwise than they should", () => {
    fc.assert(
      fc.property(any, any, mechanism, fc.constantFrom({}, overTls, { tls: true }), (first, final, m, options) => {
        const attempt = (play: () => unknown) => {
          const result = outcome(play);
          return "value" in result ? result.value : {};
        };
        attempt(() => exchange(options).first(m, first));
        const begun = exchange(options);
        begun.first(SCRAM_SHA_256, clientFirst(pencil));
        expect(attempt(() => begun.final(final))).not.toMatchObject({ ok: true });

        const keys = { ...PENCIL, clientKey: HASH };
        attempt(() => new ScramClientExchange(keys, NONCE).respond(first));
        const client = new ScramClientExchange(keys, NONCE);
        client.respond(latin1(`r=${NONCE}x,s=AAAA,i=1`));
        expect(attempt(() => client.verify(final))).not.toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("changed in a proof that holds make it fail", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const scram = exchange();
        const { data } = clientFinal(pencil, scram.first(SCRAM_SHA_256, clientFirst(pencil)));
        const i = at % data.length;
        data[i] = (data[i] ?? 0) ^ change;
        const result = outcome(() => scram.final(data));
        // the last character of the proof has bits that base64 does not use
        if (i !== data.length - 2) expect(result).not.toMatchObject({ value: { ok: true } });
      }),
    );
  });
});

describe("a message that is malformed", () => {
  const NOT_PRINTABLE = "non-printable characters in SCRAM nonce";
  it.each([
    ["", "malformed SCRAM message", "The message is empty."],
    ["n,,n=,r=a\0", "malformed SCRAM message", "Message length does not match input length."],
    ["x,,n=,r=a", "malformed SCRAM message", "Unexpected channel-binding flag \"'x'\"."],
    ["n", "malformed SCRAM message", 'Comma expected, but found character "0x00".'],
    ["n,\xff", "malformed SCRAM message", 'Unexpected attribute "0xff" in client-first-message.'],
    ["n,,r=a", "malformed SCRAM message", 'Expected attribute "n" but found "\'r\'".'],
    ["n,,n", "malformed SCRAM message", 'Expected character "=" for attribute "n".'],
    ["n,,n=", "malformed SCRAM message", 'Expected attribute "r" but found "0x00".'],
    ["n,,n=,r=a b", NOT_PRINTABLE, null],
    ["n,,n=,r=\x7f", NOT_PRINTABLE, null],
    ["n,,n=,r=a,1=b", "malformed SCRAM message", "Attribute expected, but found invalid character \"'1'\"."],
  ])("%j is refused in PostgreSQL's words", (text, message, detail) => {
    const first = () => exchange().first(SCRAM_SHA_256, latin1(text));
    expect(violation(first)).toEqual({ sqlstate: "08P01", message, detail });
  });

  it.each([
    ["n,a=admin,n=,r=a", "client uses authorization identity, but it is not supported"],
    ["n,,m=x,n=,r=a", "client requires an unsupported SCRAM extension"],
  ])("%j is refused as not supported", (text, message) => {
    const first = () => exchange().first(SCRAM_SHA_256, latin1(text));
    expect(violation(first)).toEqual({ sqlstate: "0A000", message, detail: null });
  });
});

describe("our client", () => {
  it.each([
    ["another nonce", `r=x${NONCE}y,s=AAAA,i=4096`],
    ["only our own nonce", `r=${NONCE},s=AAAA,i=4096`],
    ["no salt", `r=${NONCE}y,i=4096`],
    ["a salt that is none", `r=${NONCE}y,s=*,i=4096`],
    ["no iterations", `r=${NONCE}y,s=AAAA,i=x`],
    ["an extension that is mandatory", `m=1,r=${NONCE}y,s=AAAA,i=4096`],
    ["nothing", ""],
  ])("does not answer a server that sends %s", (_, serverFirst) => {
    const client = new ScramClientExchange({ ...PENCIL, clientKey: HASH }, NONCE);
    expect(violation(() => client.respond(latin1(serverFirst))).sqlstate).toBe("08P01");
    expect(() => client.verify(latin1("v=AAAA"))).toThrow("invalid SCRAM exchange state");
  });
});
