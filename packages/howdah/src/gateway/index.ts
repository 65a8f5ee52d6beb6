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
  Endpoint,
  GatewayCalls,
  GatewayHello,
  GatewayStats,
  SessionInfo,
} from "./link/contract.js";
export {
  type ControlHandlers,
  type GatewayPeer,
  GatewayServer,
} from "./link/gateway-server.js";
export { endGateway, launchGateway } from "./process/launch.js";
