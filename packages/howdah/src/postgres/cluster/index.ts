export { createCluster } from "./create-cluster.js";
export { initdbArguments } from "./initdb-arguments.js";
export { type ClusterPool, createPool, type PoolOptions } from "./pool.js";
