/**
 * What the database needs done now and then, a portion at a time: garbage is removed, the words of new messages are indexed, leaf
 * keys are written down. Some of it in the transaction of whoever writes, the rest once nothing else is to be done.
 */
import type { SqliteAdoptions } from './sqlite-adoptions.ts';
import { Collection } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import type { SqliteSearch } from './sqlite-search.ts';

/** Of a collection, in each writing call and each turn of the timer. */
const COLLECTION_STEP = 2_048;
/** Collection begins when so much, and half as much as is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;
/** Between two turns of what is done when nothing else is, so that it takes little of a sync, and no key press waits. */
const TIDY_AFTER_MS = 25;
/** Arrivals whose words are taken note of in a turn: some milliseconds. */
const INDEX_SLICE = 512;
/** So many leaf keys may stay in memory alone: whoever opens the home reads their packs anew. */
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
    // What was undone is not gone on with.
    db.onRollback(() => {
      this.#collection = undefined;
    });
  }

  /** Within a transaction of the caller's. */
  indexSome(): void {
    this.#search.follow(INDEX_SLICE);
  }

  /** A portion, within a transaction of the caller's. True if there is more to do. */
  collectSome(): boolean {
    this.#collection ??= this.#isWorthCollecting() ? new Collection(this.#db, this.#nodes) : undefined;
    if (this.#collection?.step(COLLECTION_STEP)) return true;
    this.#collection = undefined;
    return false;
  }

  /** All of it; how many nodes went. */
  collectAll(): number {
    return this.#db.write(() => {
      const collection = new Collection(this.#db, this.#nodes);
      collection.step(Number.POSITIVE_INFINITY);
      return collection.removed;
    });
  }

  /** What can wait, portion after portion, once nothing else is to be done. */
  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      try {
        if (this.#doSome()) this.soon();
      } catch {
        // Whoever needs it done meets the same, and says so.
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

  /** A command that ends just after its download leaves no packs behind that the next one has to read for their keys. */
  #putKeys(): void {
    if (this.#nodes.keys.waiting <= KEYS_LEFT) return;
    const putAll = () => {
      while (this.#nodes.keys.putSome());
    };
    try {
      this.#db.write(putAll, { durable: false });
    } catch {
      // On a full disk, say: they are read from their packs then.
    }
  }

  /** What a power cut takes back is done again. True if there is more to do. */
  #doSome(): boolean {
    if (this.#search.isBehind()) return this.#db.write(() => this.#search.follow(INDEX_SLICE), { durable: false });
    if (this.#collection !== undefined) return this.#db.write(() => this.collectSome(), { durable: false });
    // What has just come is looked up again when its tree is made current: that costs least from memory.
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
