/** The own tree in the database: it is added to, and taken from, in one transaction each, so that two processes never fork it. */
import { appendLeaf, loadRightEdge } from '../merkle/append.ts';
import { buildTree } from '../merkle/build.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../merkle/withdraw.ts';
import { type Hash, hashOf } from '../wire/hash.ts';
import { encodeMessage, type MessageFields } from '../wire/node.ts';
import { messageIn } from './adoption.ts';
import { BYTES_ABOVE_LEAF, noteLive } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { ownLeaf, type SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
import type { OwnFeed } from './store.ts';
import { OwnTreeExistsError } from './store-errors.ts';

/** Former roots that are remembered. */
const MAX_FORMER = 64;

interface OwnRow {
  own_root: Uint8Array;
  own_leaves: number;
}

export class SqliteOwnFeed {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #leaves: SqliteLeaves;

  constructor(db: SqliteConnection, nodes: SqliteNodes, leaves: SqliteLeaves) {
    this.#db = db;
    this.#nodes = nodes;
    this.#leaves = leaves;
  }

  get(): OwnFeed {
    const row = this.#db.get<OwnRow>('SELECT own_root, own_leaves FROM home') as OwnRow;
    return { root: hashFrom(row.own_root), messages: row.own_leaves };
  }

  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash } {
    const value = encodeMessage(message);
    const hash = hashOf(value);
    return this.#db.write(() => {
      const own = this.get();
      const edge = loadRightEdge(own.root, own.messages, (node) => this.#nodes.get(node));
      const { root, created } = appendLeaf(edge, hash);
      this.#nodes.insert([{ hash, value }, ...created]);
      const peer = this.#leaves.peerId(author, nowMs);
      const isNew = !this.#leaves.has(peer, hash);
      if (isNew) this.#leaves.add(peer, this.#leaves.nodeId(hash), message, ownLeaf(nowMs));
      this.#set(peer, root, { leaves: own.messages + 1, messages: +isNew });
      if (isNew) noteLive(this.#db, value.length + BYTES_ABOVE_LEAF);
      this.#nodes.collectIfWorthIt();
      return { hash, root };
    });
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    return this.#db.write(() => {
      const { root: before, messages: count } = this.get();
      const read = (node: Hash) => this.#nodes.get(node);
      const positions = canonicalLeaves(before, count, read).flatMap((leaf, at) => (leaf === hash ? [at] : []));
      const tombstone = hashOf(TOMBSTONE);
      if (positions.length === 0 || hash === tombstone) return undefined;
      this.#nodes.insert([{ hash: tombstone, value: TOMBSTONE }]);
      let root = before;
      for (const position of positions) {
        const replaced = replaceLeaf(root, count, position, tombstone, read);
        this.#nodes.insert(replaced.created);
        root = replaced.root;
      }
      const peer = this.#leaves.peerId(author, nowMs);
      const wasMessage = this.#leaves.remove(peer, hash);
      if (!this.#leaves.has(peer, tombstone))
        this.#leaves.add(peer, this.#leaves.nodeId(tombstone), undefined, ownLeaf(nowMs));
      this.#set(peer, root, { leaves: count, messages: -Number(wasMessage) });
      // At once: what was withdrawn must not be there to be asked for.
      this.#nodes.collect();
      return { root };
    });
  }

  leaves(): Uint8Array[] {
    const { root, messages } = this.get();
    const hashes = canonicalLeaves(root, messages, (node) => this.#nodes.get(node));
    return hashes.map((hash) => this.#nodes.get(hash) as Uint8Array);
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    return this.#db.write(() => {
      if (this.get().messages > 0) throw new OwnTreeExistsError();
      const nodes = leaves.map((value) => ({ hash: hashOf(value), value }));
      const { root, nodes: internal } = buildTree(nodes.map(({ hash }) => hash));
      this.#nodes.insert(nodes);
      this.#nodes.insert([...internal].map(([hash, value]) => ({ hash, value })));
      const peer = this.#leaves.peerId(author, nowMs);
      let messages = 0;
      for (const { hash, value } of nodes) {
        if (this.#leaves.has(peer, hash)) continue;
        const message = messageIn(value);
        this.#leaves.add(peer, this.#leaves.nodeId(hash), message, ownLeaf(nowMs));
        noteLive(this.#db, value.length + BYTES_ABOVE_LEAF);
        messages += message === undefined ? 0 : 1;
      }
      this.#set(peer, root, { leaves: leaves.length, messages });
      return { root };
    });
  }

  /** Newest first, each once. */
  former(): OwnFeed[] {
    const sql = 'SELECT root, leaves FROM former_own_roots WHERE root <> (SELECT own_root FROM home) ORDER BY id DESC';
    const rows = this.#db.all<{ root: Uint8Array; leaves: number }>(sql);
    const feeds = rows.map(({ root, leaves }): OwnFeed => ({ root: hashFrom(root), messages: leaves }));
    return [...new Map(feeds.toReversed().map((feed) => [feed.root, feed])).values()].toReversed();
  }

  /** Makes this the own tree. `messages`: how many more there are now. */
  #set(peer: number, root: Hash, { leaves, messages }: { leaves: number; messages: number }): void {
    this.#db.run(
      'INSERT INTO former_own_roots (root, leaves) SELECT own_root, own_leaves FROM home WHERE own_leaves > 0',
    );
    this.#db.run(`DELETE FROM former_own_roots WHERE id <= (SELECT max(id) FROM former_own_roots) - ${MAX_FORMER}`);
    this.#db.run('UPDATE home SET own_root = ?, own_leaves = ?', blob(root), leaves);
    this.#db.run('UPDATE peers SET root = ?, messages = messages + ? WHERE id = ?', blob(root), messages, peer);
  }
}
