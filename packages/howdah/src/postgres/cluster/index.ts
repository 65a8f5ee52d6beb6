export { createCluster } from "./create-cluster.js";
export { type ClusterPool, createPool } from "./pool.js";
