/** A keeper only waits: it needs no optimised code and hardly any young generation. Measured in decision 0021. */
export const KEEPER_FLAGS: readonly string[] = [
  "--v8-pool-size=0",
  "--max-semi-space-size=1",
  "--max-old-space-size=64",
];
