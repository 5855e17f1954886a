/** The leaves of each feed's current tree, in the database; and the numbers in which they arrived. */
import { claimedMs, orderingMs } from '../feed/message.ts';
import { type Hash, keyOf } from '../wire/hash.ts';
import { messageHead } from '../wire/node.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

const ADDED_AT_ONCE = 32;
const COLUMNS = 8;
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

/** A leaf that is stored: its number, and its bytes. */
export interface Leaf {
  readonly leaf: number;
  readonly hash: Hash;
  readonly value: Uint8Array;
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

  /** Whether any feed has it. */
  isAnyones(leaf: number): boolean {
    return this.#db.get('SELECT 1 FROM leaves WHERE node = ?', leaf) !== undefined;
  }

  /** Which of these the feed has. */
  among(peer: number, leaves: readonly number[]): ReadonlySet<number> {
    const found = new Set<number>();
    for (let from = 0; from < leaves.length; from += ADDED_AT_ONCE) {
      const some = leaves.slice(from, from + ADDED_AT_ONCE);
      for (const { node } of this.#db.all<{ node: number }>(AMONG, peer, ...some, ...ABSENT.slice(some.length)))
        found.add(node);
    }
    return found;
  }

  /** The highest arrival that was ever given, 0 before the first. */
  lastArrival(): number {
    return this.#db.get<{ last: number }>(`SELECT ${LAST_ARRIVAL} AS last`)?.last ?? 0;
  }

  /** Adds those that are not there. Gives the arrival of the first one, and how many messages there are among all of these. */
  add(
    peer: number,
    leaves: readonly Leaf[],
    { nowMs, authenticated, read }: LeafMarks,
  ): { readonly first: number; readonly messages: number } {
    const first = this.#nextArrival();
    const rows: (number | null)[] = [];
    let messages = 0;
    let arrival = first - 1;
    for (const { leaf, value } of leaves) {
      const head = messageHead(value);
      arrival += 1;
      if (head === undefined) {
        rows.push(arrival, peer, leaf, null, null, null, null, null);
        continue;
      }
      messages += 1;
      const orderMs = orderingMs(claimedMs(head.date, nowMs), nowMs);
      const answers = head.inReplyTo === null ? null : keyOf(head.inReplyTo);
      rows.push(arrival, peer, leaf, orderMs, nowMs, +authenticated, +read, answers);
    }
    this.#db.insertRows(INSERT, COLUMNS, ADDED_AT_ONCE, rows, 'ON CONFLICT (node, peer) DO NOTHING');
    this.#last = arrival;
    return { first, messages };
  }

  /** True if a message went with it. */
  remove(peer: number, leaf: number): boolean {
    const row = this.#db.get<{ arrival: number; order_ms: number | null }>(
      'DELETE FROM leaves WHERE peer = ? AND node = ? RETURNING arrival, order_ms',
      peer,
      leaf,
    );
    if (row === undefined) return false;
    this.#db.run('UPDATE home SET last_removed = max(last_removed, ?)', row.arrival);
    return row.order_ms !== null;
  }

  /** Within one transaction nobody else gives any: the database is asked once. */
  #nextArrival(): number {
    if (this.#askedIn !== this.#db.transactions) {
      this.#askedIn = this.#db.transactions;
      this.#last = this.lastArrival();
    }
    return this.#last + 1;
  }
}

const INSERT = 'INSERT INTO leaves (arrival, peer, node, order_ms, received_ms, authenticated, read, answers)';
const AMONG = `SELECT node FROM leaves WHERE peer = ? AND node IN (${Array(ADDED_AT_ONCE).fill('?').join(', ')})`;
const ABSENT: readonly number[] = Array<number>(ADDED_AT_ONCE).fill(-1);
