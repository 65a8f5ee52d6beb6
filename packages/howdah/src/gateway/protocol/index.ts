export {
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
export { type FirstMessage, isTlsHello, parseFirstMessage } from "./first-message.js";
export { cancelRequest, saslInitialResponse, saslResponse, startupMessage } from "./frontend-messages.js";
export {
  parseAuthentication,
  parseBackendKeyData,
  parseErrorResponse,
  parseNegotiateProtocolVersion,
  parseParameterStatus,
  parsePasswordMessage,
  parseSaslInitialResponse,
} from "./login-messages.js";
export { verifyMd5 } from "./md5.js";
export { MAX_LOGIN_MESSAGE_BYTES, MAX_SASL_MESSAGE_BYTES, type Message, parseMessage } from "./message.js";
export { ScramClientExchange } from "./scram/client-exchange.js";
export { SCRAM_SHA_256 } from "./scram/mechanisms.js";
export { ScramServerExchange } from "./scram/server-exchange.js";
export { mockVerifier, parseVerifier, type ScramVerifier } from "./scram/verifier.js";
export { ProtocolViolation } from "./violation.js";
