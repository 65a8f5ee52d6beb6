import { initial } from "./0001-initial.js";
import { sleep } from "./0002-sleep.js";
import type { Migration } from "./types.js";

export const MIGRATIONS: readonly Migration[] = [initial, sleep];
