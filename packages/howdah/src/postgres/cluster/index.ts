export { createCluster } from "./create-cluster.js";
export { checkInitdbArguments } from "./initdb-options.js";
export { type ClusterPool, createPool } from "./pool.js";
