/** The stores that must all keep the promises of the interface. */
import { MemoryStore } from '../../../src/web/lab/memory-store.ts';
import { openInMemory } from './support.ts';

export const kinds = [
  { kind: 'SQLite', openInMemory },
  { kind: 'of the lab', openInMemory: () => new MemoryStore() },
];
