/**
 * Maintenance of the database, a portion at a time: it removes garbage, indexes the words of new messages, and writes leaf keys.
 * Some of it happens within other transactions, the rest when the store is idle.
 */
import type { SqliteAdoptions } from './sqlite-adoptions.ts';
import { Collection } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import type { SqliteSearch } from './sqlite-search.ts';

/** Steps of a collection in each writing call and each turn of the timer. */
const COLLECTION_STEP = 2_048;
/** Collection begins when at least this much, and at least half of what is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;
/** Pause between two turns of idle work, so that it slows a sync only a little and no key press waits. */
const TIDY_AFTER_MS = 25;
/** Messages whose words are indexed in one turn, which takes some milliseconds. */
const INDEX_SLICE = 512;
/** How many leaf keys may be in memory only. The next process that opens the home reads them from their packs again. */
const KEYS_LEFT = 256;

export class SqliteUpkeep {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #adoptions: SqliteAdoptions;
  readonly #search: SqliteSearch;
  #collection: Collection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #haveNodesCome = false;

  constructor(db: SqliteConnection, nodes: SqliteNodes, adoptions: SqliteAdoptions, search: SqliteSearch) {
    this.#db = db;
    this.#adoptions = adoptions;
    this.#nodes = nodes;
    this.#search = search;
    // After a rollback, the state in memory no longer holds.
    db.onRollback(() => {
      this.#collection = undefined;
    });
  }

  /** Within a transaction of the caller. */
  indexSome(): void {
    this.#search.follow(INDEX_SLICE);
  }

  /** One portion, within a transaction of the caller. True if there is more to do. */
  collectSome(): boolean {
    this.#collection ??= this.#isWorthCollecting() ? new Collection(this.#db, this.#nodes) : undefined;
    if (this.#collection?.step(COLLECTION_STEP)) return true;
    this.#collection = undefined;
    return false;
  }

  /** Removes all garbage. Returns how many nodes were removed. */
  collectAll(): number {
    return this.#db.write(() => {
      const collection = new Collection(this.#db, this.#nodes);
      collection.step(Number.POSITIVE_INFINITY);
      return collection.removed;
    });
  }

  /** Idle work, portion after portion. */
  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      try {
        if (this.#doSome()) this.soon();
      } catch {
        // The next call that depends on this work meets the same error and reports it.
      }
    }, TIDY_AFTER_MS).unref();
  }

  nodesCame(): void {
    this.#haveNodesCome = true;
    this.soon();
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#haveNodesCome) this.#putKeys();
    // The database may be closed more than once.
    this.#haveNodesCome = false;
  }

  /** A command that ends just after its download writes its leaf keys, so that the next one need not read them from the packs. */
  #putKeys(): void {
    if (this.#nodes.keys.waiting <= KEYS_LEFT) return;
    const putAll = () => {
      while (this.#nodes.keys.putSome());
    };
    try {
      this.#db.write(putAll, { durable: false });
    } catch {
      // For example on a full disk. They will be read from their packs.
    }
  }

  /** Work that a power failure undoes is done again. True if there is more to do. */
  #doSome(): boolean {
    if (this.#search.isBehind()) return this.#db.write(() => this.#search.follow(INDEX_SLICE), { durable: false });
    if (this.#collection !== undefined) return this.#db.write(() => this.collectSome(), { durable: false });
    // New leaves are looked up again when their tree is made current, which is fastest from memory.
    if (this.#adoptions.areUnderWay || this.#nodes.keys.waiting <= KEYS_LEFT) return false;
    return this.#db.write(() => this.#nodes.keys.putSome(), { durable: false });
  }

  #isWorthCollecting(): boolean {
    const counts = this.#db.get<ByteCounts>('SELECT node_bytes, live_bytes FROM home');
    const { node_bytes, live_bytes } = counts ?? { node_bytes: 0, live_bytes: 0 };
    return node_bytes - live_bytes > Math.max(GARBAGE_FLOOR_BYTES, live_bytes / 2);
  }
}

interface ByteCounts {
  node_bytes: number;
  live_bytes: number;
}
