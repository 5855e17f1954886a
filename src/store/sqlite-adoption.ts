/**
 * The adoption of one tree in the database, each step in a transaction of the caller's. What a step has not yet told the database
 * when it ends is told then, so that the counts are those of the leaves that are there, whoever looks.
 */
import { advance, finish, type InSteps } from '../merkle/in-steps.ts';
import type { LeafCounts } from '../merkle/leaves.ts';
import type { Hash } from '../wire/hash.ts';
import type { MessageFields } from '../wire/node.ts';
import { adoptingTree, type FeedIndex, newTally } from './adoption.ts';
import { BYTES_ABOVE_LEAF, noteLive } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
import type { Adoption, AdoptionInput } from './store.ts';

const MAX_SUPERSEDED = 256;
/** Arrivals that are gone through at once for the leaves of one feed among them. */
const PORTION = 1_024;
/** Messages that are marked at once. */
const MARKED = 256;

export class SqliteAdoption implements FeedIndex {
  readonly input: AdoptionInput;
  readonly #db: SqliteConnection;
  readonly #leaves: SqliteLeaves;
  readonly #tally = newTally();
  #peer = 0;
  /** A leaf is read, and added next: its number need not be looked up again. */
  #lastRead = { hash: '', id: 0 };
  #work: InSteps<Adoption> | undefined;
  /** The feed's state when the last step ended. */
  #left = '';
  /** Not yet told to the database. */
  #messages = 0;
  #liveBytes = 0;

  constructor(db: SqliteConnection, leaves: SqliteLeaves, input: AdoptionInput) {
    this.input = input;
    this.#db = db;
    this.#leaves = leaves;
  }

  /** Undefined if there is more to do. After an error this adoption is of no use any more. */
  step(nodes: number): Adoption | undefined {
    this.#peer = this.#leaves.peerId(this.input.feed, this.input.nowMs);
    const work = this.#work ?? this.#begin();
    this.#work = work;
    // Another process adopts for this feed as well: if both went on in steps, each might make the other start over for ever.
    const isAlone = this.#left === '' || this.#left === this.#state();
    const adoption = isAlone ? advance(work, nodes) : { done: true, value: finish(this.#begin()) };
    this.#save();
    return adoption.done ? (adoption.value as Adoption) : undefined;
  }

  readonly read = (hash: Hash) => {
    const row = this.#db.get<{ id: number; value: Uint8Array }>(
      'SELECT id, value FROM nodes WHERE hash = ?',
      blob(hash),
    );
    if (row !== undefined) this.#lastRead = { hash, id: row.id };
    return row?.value;
  };

  readonly leafCounts: LeafCounts = {
    get: (hash) => {
      const row = this.#db.get<{ leaves: number | null }>('SELECT leaves FROM nodes WHERE hash = ?', blob(hash));
      return row?.leaves ?? undefined;
    },
    set: (hash, leaves) => this.#db.run('UPDATE nodes SET leaves = ? WHERE hash = ?', leaves, blob(hash)),
  };

  currentRoot(): Hash | undefined {
    const root = this.#db.get<{ root: Uint8Array | null }>('SELECT root FROM peers WHERE id = ?', this.#peer)?.root;
    return root ? hashFrom(root) : undefined;
  }

  adopting(): Hash | undefined {
    const root = this.#db.get<{ adopting: Uint8Array | null }>('SELECT adopting FROM peers WHERE id = ?', this.#peer);
    return root?.adopting ? hashFrom(root.adopting) : undefined;
  }

  setAdopting(root: Hash | undefined): void {
    this.#db.run('UPDATE peers SET adopting = ? WHERE id = ?', root === undefined ? null : blob(root), this.#peer);
  }

  *leaves(): Generator<readonly Hash[]> {
    const last = this.#leaves.lastArrival();
    for (let from = 0; from < last; from += PORTION) {
      const rows = this.#db.all<{ hash: Uint8Array }>(
        `SELECT hash FROM leaves JOIN nodes ON nodes.id = leaves.node
         WHERE peer = ? AND arrival > ? AND arrival <= ? ORDER BY arrival`,
        this.#peer,
        from,
        from + PORTION,
      );
      yield rows.map(({ hash }) => hashFrom(hash));
    }
  }

  addLeaf(leaf: Hash, message: MessageFields | undefined, bytes: number): boolean {
    const { nowMs, authenticated } = this.input;
    const node = this.#lastRead.hash === leaf ? this.#lastRead.id : this.#leaves.nodeId(leaf);
    if (!this.#leaves.add(this.#peer, node, message, { nowMs, authenticated, read: false })) return false;
    if (message !== undefined) this.#messages += 1;
    this.#liveBytes += bytes + BYTES_ABOVE_LEAF;
    return true;
  }

  removeLeaf(leaf: Hash): boolean {
    const wasMessage = this.#leaves.remove(this.#peer, leaf);
    if (wasMessage) this.#messages -= 1;
    this.#liveBytes -= (this.read(leaf)?.length ?? 0) + BYTES_ABOVE_LEAF;
    return wasMessage;
  }

  authenticateSome(): boolean {
    const some = `SELECT arrival FROM leaves WHERE peer = ? AND authenticated = 0 LIMIT ${MARKED}`;
    return this.#db.run(`UPDATE leaves SET authenticated = 1 WHERE arrival IN (${some})`, this.#peer) === MARKED;
  }

  setRoot(root: Hash): boolean {
    const wentBack = this.#db.run('DELETE FROM superseded WHERE peer = ? AND root = ?', this.#peer, blob(root)) > 0;
    this.#db.run(
      'INSERT OR REPLACE INTO superseded (peer, root) SELECT id, root FROM peers WHERE id = ? AND root <> ?',
      this.#peer,
      blob(root),
    );
    this.#db.run(
      `DELETE FROM superseded WHERE peer = ?1 AND id <=
         (SELECT id FROM superseded WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${MAX_SUPERSEDED})`,
      this.#peer,
    );
    this.#db.run('UPDATE peers SET root = ?, adopting = NULL WHERE id = ?', blob(root), this.#peer);
    return wentBack;
  }

  countMessages(): number {
    const row = this.#db.get<{ messages: number }>('SELECT messages FROM peers WHERE id = ?', this.#peer);
    return (row?.messages ?? 0) + this.#messages;
  }

  #begin(): InSteps<Adoption> {
    return adoptingTree(this, this.input, this.#tally);
  }

  #save(): void {
    this.#db.run('UPDATE peers SET messages = messages + ? WHERE id = ?', this.#messages, this.#peer);
    noteLive(this.#db, this.#liveBytes);
    this.#messages = 0;
    this.#liveBytes = 0;
    this.#left = this.#state();
  }

  /** Two states that differ in their leaves differ here: whoever makes a root current notes when. */
  #state(): string {
    return JSON.stringify(
      this.#db.get('SELECT hex(root), hex(adopting), last_sync_ms FROM peers WHERE id = ?', this.#peer),
    );
  }
}
