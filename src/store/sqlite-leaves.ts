/** The leaves of each feed's current tree, in the database; and the numbers in which they arrived. */
import { claimedMs, orderingMs } from '../feed/message.ts';
import type { Hash } from '../wire/hash.ts';
import type { MessageFields } from '../wire/node.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { blob } from './sqlite-rows.ts';
import { removeFromSearch } from './sqlite-search.ts';

const NODE = '(SELECT id FROM nodes WHERE hash = ?)';
const UNLESS_THERE = 'ON CONFLICT (node, peer) DO NOTHING';
/** An arrival is never given twice, so that whoever looks for what came later misses nothing. */
const LAST_ARRIVAL = 'max((SELECT ifnull(max(arrival), 0) FROM leaves), (SELECT last_removed FROM home))';

export interface LeafMarks {
  readonly nowMs: number;
  readonly authenticated: boolean;
  readonly read: boolean;
}

export function ownLeaf(nowMs: number): LeafMarks {
  return { nowMs, authenticated: true, read: true };
}

export class SqliteLeaves {
  readonly #db: SqliteConnection;
  /** The transaction in which the database was asked for the last arrival, and what it is by now. */
  #askedIn = 0;
  #last = 0;

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  peerId(name: string, nowMs: number): number {
    const known = this.#db.get<{ id: number }>('SELECT id FROM peers WHERE name = ?', name);
    if (known !== undefined) return known.id;
    this.#db.run('INSERT INTO peers (name, first_seen_ms) VALUES (?, ?)', name, nowMs);
    return this.peerId(name, nowMs);
  }

  has(peer: number, hash: Hash): boolean {
    return this.#db.get(`SELECT 1 FROM leaves WHERE peer = ? AND node = ${NODE}`, peer, blob(hash)) !== undefined;
  }

  /** The highest arrival that was ever given, 0 before the first. */
  lastArrival(): number {
    return this.#db.get<{ last: number }>(`SELECT ${LAST_ARRIVAL} AS last`)?.last ?? 0;
  }

  /** The number of a node that is kept. */
  nodeId(hash: Hash): number {
    return this.#db.get<{ id: number }>('SELECT id FROM nodes WHERE hash = ?', blob(hash))?.id ?? 0;
  }

  /** `node`: its number. False, and nothing is done, if it is there. */
  add(peer: number, node: number, message: MessageFields | undefined, marks: LeafMarks): boolean {
    const { nowMs, authenticated, read } = marks;
    const arrival = this.#nextArrival();
    if (message === undefined) {
      const sql = `INSERT INTO leaves (arrival, peer, node) VALUES (?, ?, ?) ${UNLESS_THERE}`;
      return this.#db.run(sql, arrival, peer, node) > 0;
    }
    const orderMs = orderingMs(claimedMs(message.date, nowMs), nowMs);
    const { inReplyTo } = message;
    const added = this.#db.run(
      `INSERT INTO leaves (arrival, peer, node, order_ms, received_ms, authenticated, read, answers)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ${UNLESS_THERE}`,
      arrival,
      peer,
      node,
      orderMs,
      nowMs,
      +authenticated,
      +read,
      inReplyTo === null ? null : blob(inReplyTo),
    );
    return added > 0;
  }

  /** True if a message went with it. */
  remove(peer: number, hash: Hash): boolean {
    const row = this.#db.get<{ arrival: number; order_ms: number | null }>(
      `DELETE FROM leaves WHERE peer = ? AND node = ${NODE} RETURNING arrival, order_ms`,
      peer,
      blob(hash),
    );
    if (row === undefined) return false;
    this.#db.run('UPDATE home SET last_removed = max(last_removed, ?)', row.arrival);
    if (row.order_ms === null) return false;
    removeFromSearch(this.#db, row.arrival);
    return true;
  }

  /** Within one transaction nobody else gives any: the database is asked once. */
  #nextArrival(): number {
    if (this.#askedIn !== this.#db.transactions) {
      this.#askedIn = this.#db.transactions;
      this.#last = this.lastArrival();
    }
    this.#last += 1;
    return this.#last;
  }
}
