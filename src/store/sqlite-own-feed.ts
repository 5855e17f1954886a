/** The own tree in the database: it is added to, and taken from, in one transaction each, so that two processes never fork it. */
import { appendLeaf, loadRightEdge } from '../merkle/append.ts';
import { buildTree } from '../merkle/build.ts';
import { countLeaves, leavesOf } from '../merkle/leaves.ts';
import { mergeLeaves } from '../merkle/merge.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../merkle/withdraw.ts';
import { type Hash, hashOf } from '../wire/hash.ts';
import { encodeMessage, type MessageFields, nodeKind } from '../wire/node.ts';
import { BYTES_ABOVE_LEAF, noteLive } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { type Leaf, ownLeaf, type SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
import { type Merge, type MergeTerms, type OwnFeed, storeLimits } from './store.ts';
import { OwnTreeExistsError } from './store-errors.ts';

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
    const own = this.get();
    const edge = loadRightEdge(own.root, own.messages, (node) => this.#nodes.get(node));
    const { root, created } = appendLeaf(edge, hash);
    this.#nodes.insert([{ hash, value }, ...created]);
    const peer = this.#leaves.peerId(author, nowMs);
    const added = this.#add(peer, [hash], nowMs);
    this.#set(peer, root, { leaves: own.messages + 1, messages: added });
    return { hash, root };
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
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
    const [withdrawn] = this.#find([hash]);
    const wasMessage = withdrawn !== undefined && this.#leaves.remove(peer, withdrawn.leaf);
    this.#add(peer, [tombstone], nowMs);
    this.#set(peer, root, { leaves: count, messages: -Number(wasMessage) });
    this.#db.run('INSERT OR IGNORE INTO withdrawn (hash) VALUES (?)', blob(hash));
    // At once: what was withdrawn must not be there to be asked for.
    if (withdrawn !== undefined) this.#forget(withdrawn);
    return { root };
  }

  merge(author: string, otherRoot: Hash, { nowMs, quota }: MergeTerms): Merge {
    const before = this.get();
    const read = (node: Hash) => this.#nodes.get(node);
    const count = countLeaves(otherRoot, read, new Map());
    if (!count.complete) return { status: 'incomplete', missing: count.missing };
    if (count.leaves > quota) return { status: 'over-quota', leaves: count.leaves, quota };
    const own = canonicalLeaves(before.root, before.messages, read);
    const leaves = mergeLeaves(own, [...leavesOf(otherRoot, read)], (leaf) => this.#isWithdrawn(leaf));
    const peer = this.#leaves.peerId(author, nowMs);
    // Whoever has read the other tree has what this one has.
    if (count.leaves > 0) this.#noteFormer({ root: otherRoot, messages: count.leaves });
    let { root } = before;
    let withdrawnMessages = 0;
    const there = new Set(own);
    const added = [...new Set(leaves)].filter((leaf) => !there.has(leaf));
    if (leaves !== own) {
      const kept = new Set(leaves);
      const gone = this.#find([...there].filter((leaf) => !kept.has(leaf)));
      const tree = buildTree(leaves);
      ({ root } = tree);
      this.#nodes.insert([{ hash: hashOf(TOMBSTONE), value: TOMBSTONE }]);
      this.#nodes.insert([...tree.nodes].map(([hash, value]) => ({ hash, value })));
      for (const { leaf } of gone) withdrawnMessages += Number(this.#leaves.remove(peer, leaf));
      const messages = this.#add(peer, added, nowMs) - withdrawnMessages;
      this.#set(peer, root, { leaves: leaves.length, messages });
      for (const leaf of gone) this.#forget(leaf);
    }
    const totalMessages =
      this.#db.get<{ messages: number }>('SELECT messages FROM peers WHERE id = ?', peer)?.messages ?? 0;
    return { status: 'merged', root, added: this.#messagesAmong(added), withdrawnMessages, totalMessages };
  }

  #isWithdrawn(leaf: Hash): boolean {
    return this.#db.get('SELECT 1 FROM withdrawn WHERE hash = ?', blob(leaf)) !== undefined;
  }

  #messagesAmong(hashes: readonly Hash[]): Hash[] {
    return this.#find(hashes).flatMap(({ hash, value }) => (nodeKind(value) === 'message' ? [hash] : []));
  }

  /** Of a leaf that stands in the own tree no more. */
  #forget({ leaf }: Leaf): void {
    if (!this.#leaves.isAnyones(leaf)) this.#nodes.removeLeaf(leaf);
  }

  leaves(): Uint8Array[] {
    const { root, messages } = this.get();
    const hashes = canonicalLeaves(root, messages, (node) => this.#nodes.get(node));
    return this.#nodes.many(hashes) as Uint8Array[];
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    if (this.get().messages > 0) throw new OwnTreeExistsError();
    const nodes = leaves.map((value) => ({ hash: hashOf(value), value }));
    const { root, nodes: internal } = buildTree(nodes.map(({ hash }) => hash));
    this.#nodes.insert(nodes);
    this.#nodes.insert([...internal].map(([hash, value]) => ({ hash, value })));
    const peer = this.#leaves.peerId(author, nowMs);
    const messages = this.#add(
      peer,
      nodes.map(({ hash }) => hash),
      nowMs,
    );
    this.#set(peer, root, { leaves: leaves.length, messages });
    return { root };
  }

  /** Those that are not there yet; how many messages came so. */
  #add(peer: number, hashes: readonly Hash[], nowMs: number): number {
    const leaves = this.#find([...new Set(hashes)]);
    const there = this.#leaves.among(
      peer,
      leaves.map(({ leaf }) => leaf),
    );
    const missing = leaves.filter(({ leaf }) => !there.has(leaf));
    noteLive(
      this.#db,
      missing.reduce((bytes, { value }) => bytes + value.length + BYTES_ABOVE_LEAF, 0),
    );
    return this.#leaves.add(peer, missing, ownLeaf(nowMs)).messages;
  }

  #find(hashes: readonly Hash[]): Leaf[] {
    return this.#nodes.find(hashes).filter((node) => node?.kind === 'leaf');
  }

  /** Newest first, each once. */
  former(): OwnFeed[] {
    const sql = 'SELECT root, leaves FROM former_own_roots WHERE root <> (SELECT own_root FROM home) ORDER BY id DESC';
    const rows = this.#db.all<{ root: Uint8Array; leaves: number }>(sql);
    const feeds = rows.map(({ root, leaves }): OwnFeed => ({ root: hashFrom(root), messages: leaves }));
    return [...new Map(feeds.toReversed().map((feed) => [feed.root, feed])).values()].toReversed();
  }

  #noteFormer({ root, messages }: OwnFeed): void {
    this.#db.run('INSERT INTO former_own_roots (root, leaves) VALUES (?, ?)', blob(root), messages);
    this.#db.run(
      `DELETE FROM former_own_roots WHERE id <= (SELECT max(id) FROM former_own_roots) - ${storeLimits.formerOwnFeeds}`,
    );
  }

  /** Makes this the own tree. `messages`: how many more there are now. */
  #set(peer: number, root: Hash, { leaves, messages }: { leaves: number; messages: number }): void {
    const former = this.get();
    if (former.messages > 0) this.#noteFormer(former);
    this.#db.run('UPDATE home SET own_root = ?, own_leaves = ?', blob(root), leaves);
    this.#db.run('UPDATE peers SET root = ?, messages = messages + ? WHERE id = ?', blob(root), messages, peer);
  }
}
