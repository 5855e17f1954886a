/** What a directory needs of a registry that several instances share. */
export { Instances, type TraversalOrder } from './instances.ts';
export { openRedisRegistry } from './redis-registry.ts';
