/**
 * From the first byte to the startup packet: requests for encryption are answered, TLS is taken on, and what comes out
 * is either a client that says who it is or a request to cancel. In clear text nothing may stand behind a request for
 * encryption: whoever put it there wants it to be taken for something that came encrypted (CVE-2021-23214).
 *
 * A client from a network that is not on the allow-list gets no TLS and no question to control. It is told so, in clear:
 * by its startup packet's answer, or, where TLS is required and libpq would not go on without, by the answer to its
 * SSLRequest.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Endpoint } from "../link/contract.js";
import {
  type FirstMessage,
  isTlsHello,
  ProtocolViolation,
  parseFirstMessage,
  SSL_ACCEPTED,
  SSL_REFUSED,
} from "../protocol/index.js";
import type { Inbox } from "./inbox.js";
import { Dropped, Refused, SQLSTATES } from "./refusal.js";
import type { TlsIdentity } from "./tls-identity.js";

const ALPN = "postgresql";

export type Startup = FirstMessage & { readonly kind: "startup" };
export type Cancel = FirstMessage & { readonly kind: "cancel" };

export interface OpeningOptions {
  readonly socket: Socket;
  readonly inbox: Inbox;
  readonly endpoint: Endpoint;
  /** Null: there is no certificate, or this endpoint has TLS switched off. */
  readonly tls: TlsIdentity | null;
  /** For the error when the client's network is not allowed; null: it is. */
  readonly forbidden: string | null;
  /** Takes the place of the socket by the encrypted one. */
  readonly onEncrypted: (socket: TLSSocket) => Inbox;
}

/** @throws ProtocolViolation, Refused, Dropped */
export async function openConversation(o: OpeningOptions): Promise<Startup | Cancel> {
  let { inbox } = o;
  const encrypt = async () => {
    inbox = o.onEncrypted(await takeOnTls(o.socket, inbox, o.tls));
  };
  const { hello } = await inbox.next((bytes) =>
    bytes.length === 0 ? null : { length: 0, hello: isTlsHello(bytes[0]) },
  );
  if (hello) {
    if (o.forbidden !== null) throw new Dropped(o.forbidden, "network");
    await encrypt();
  }
  // Each kind of encryption may be asked for once, and not within another.
  let sslAsked = hello;
  let gssAsked = hello;
  for (;;) {
    const { message } = await inbox.next(parseFirstMessage);
    switch (message.kind) {
      case "ssl-request":
        if (sslAsked) throw askedTwice(5679);
        sslAsked = true;
        refuseBytesBehind(o.socket, inbox, "SSL");
        if (o.forbidden !== null && o.endpoint.ssl === "require") throw forbidden(o.forbidden);
        if (o.tls === null || o.forbidden !== null) {
          o.socket.write(SSL_REFUSED);
          continue;
        }
        o.socket.write(SSL_ACCEPTED);
        await encrypt();
        gssAsked = true;
        continue;
      case "gss-request":
        if (gssAsked) throw askedTwice(5680);
        gssAsked = true;
        refuseBytesBehind(o.socket, inbox, "GSSAPI encryption");
        o.socket.write(SSL_REFUSED);
        continue;
      case "cancel":
        if (o.forbidden !== null) throw new Dropped(o.forbidden, "network");
        return message;
      case "startup":
        if (o.forbidden !== null) throw forbidden(o.forbidden);
        return message;
    }
  }
}

async function takeOnTls(socket: Socket, inbox: Inbox, identity: TlsIdentity | null): Promise<TLSSocket> {
  if (identity === null) throw new Dropped("TLS is asked for where there is none", "tls");
  const hello = inbox.release();
  // OpenSSL reads the stream's own buffer first.
  if (hello !== null) socket.unshift(hello);
  const direct = hello !== null;
  const tls = new TLSSocket(socket, { isServer: true, secureContext: identity.context, ALPNProtocols: [ALPN] });
  // Node reports errors of a TLS socket without a tls.Server only here, and would leave it open after the handshake.
  tls.on("_tlsError", (error: Error) => tls.destroy(error));
  await new Promise<void>((resolve, reject) => {
    const failed = (cause?: unknown) => reject(new Dropped("the TLS handshake failed", "tls", cause));
    tls.once("secure", resolve);
    tls.on("error", failed);
    tls.once("close", () => failed());
    // A client that does not like the certificate just goes; without a tls.Server nobody closes our half then.
    tls.once("end", () => failed());
  });
  // As PostgreSQL does: bytes that some other protocol's client sent by mistake or by trick are none of ours.
  if (direct && tls.alpnProtocol !== ALPN) throw new Dropped("direct TLS without the protocol's name in ALPN", "tls");
  return tls;
}

function refuseBytesBehind(socket: Socket, inbox: Inbox, what: string): void {
  if (inbox.unread === 0 && socket.readableLength === 0) return;
  throw new ProtocolViolation(`received unencrypted data after ${what} request`, {
    detail: "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.",
  });
}

/** PostgreSQL takes the code for a version then. */
function askedTwice(code: number): ProtocolViolation {
  const message = `unsupported frontend protocol 1234.${code}: server supports 3.0 to 3.2`;
  return new ProtocolViolation(message, { sqlstate: "0A000" });
}

function forbidden(message: string): Refused {
  return new Refused("network", SQLSTATES.invalidAuthorization, message, {
    hint: "The service's allow-list does not hold this address; 'howdah services update NAME -s allow=...' changes the list.",
  });
}
