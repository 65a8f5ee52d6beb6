export {
  type Authority,
  checkServerCertificate,
  createAuthority,
  defaultNames,
  issueCertificate,
  needsRenewal,
  readCertificate,
  type ServerCertificate,
} from "./certificates/index.js";
export type {
  ControlCalls,
  Endpoint,
  GatewayCalls,
  GatewayHello,
  GatewayNotices,
  GatewayStats,
  LinkError,
  RefusalReason,
  SessionInfo,
} from "./link/contract.js";
export { LinkFailure } from "./link/failure.js";
export {
  type ControlHandlers,
  type GatewayPeer,
  GatewayServer,
  type GatewayServerOptions,
} from "./link/gateway-server.js";
export { endGateway, type LaunchOptions, launchGateway } from "./process/launch.js";
