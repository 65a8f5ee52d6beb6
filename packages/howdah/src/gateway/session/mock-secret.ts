import { createHmac } from "node:crypto";

/** A service's own: the same role name gets another made-up salt at each service, as a real one would. */
export function mockSecretOf(secret: Buffer, service: number): Buffer {
  return createHmac("sha256", secret).update(`service ${service}`).digest();
}
