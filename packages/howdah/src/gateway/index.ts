export type { Authority, ServerCertificate } from "./certificates/contract.js";
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
