/**
 * The store in SQLite. WAL, so that a `post` beside a `serve` reads and writes at the same time. What was acknowledged must
 * survive a power cut: such commits wait for the disk (synchronous=FULL). Nodes on their way do not; others have them still.
 * Every write begins IMMEDIATE: it then sees what it changes, and two processes never append to the same own root.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { claimedMs, orderingMs } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { appendLeaf, loadRightEdge } from '../merkle/append.ts';
import { type Hash, hashOf } from '../wire/hash.ts';
import { encodeMessage, type MessageFields, nodeKind } from '../wire/node.ts';
import { adoptTree, type FeedIndex } from './adoption.ts';
import { migrate } from './migrations.ts';
import { sweepNodes } from './sqlite-collection.ts';
import { blob, hashFrom, type MessageRow, messageFrom, type PeerRow, peerFrom } from './sqlite-rows.ts';
import type {
  Adoption,
  AdoptionInput,
  Draft,
  MessageQuery,
  NodeStatus,
  OwnFeed,
  PeerRecord,
  Store,
  StoredMessage,
  StoredNode,
} from './store.ts';
import { asStoreError } from './store-errors.ts';

const DEFAULT_LIMIT = 50;
const MAX_SUPERSEDED = 256;
const BUSY_TIMEOUT_MS = 5_000;
/** Collection runs when so much, and half as much as is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;
const CHECKPOINT_PAGES = 2_000;
/** What a leaf costs in internal nodes of a tree whose nodes are full: its hash, and a little. */
const BYTES_ABOVE_LEAF = 34;

interface HomeRow {
  own_root: Uint8Array;
  own_leaves: number;
  node_bytes: number;
  live_bytes: number;
}

export interface SqliteStoreOptions {
  /** How long to wait for another process's transaction, ms. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** How large the file may become, in pages of 4 kB: more is a full disk. Default: as large as the disk allows. */
  readonly maxPages?: number;
}

/**
 * Opens, or creates, the database of a home. `:memory:` is one of its own each time.
 * @throws CorruptStoreError, NewerHomeError, ReadOnlyStoreError, BusyStoreError
 */
export function openSqliteStore(file: string, options: SqliteStoreOptions = {}): Store {
  const { busyTimeoutMs = BUSY_TIMEOUT_MS, maxPages } = options;
  try {
    const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    try {
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      migrate(db, file);
      if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
      return new SqliteStore(db, file);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw asStoreError(file, error);
  }
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();
  #isDurable = true;
  #isClosed = false;

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
  }

  getNode(hash: Hash): Uint8Array | undefined {
    return this.#get<{ value: Uint8Array }>('SELECT value FROM nodes WHERE hash = ?', blob(hash))?.value;
  }

  ownFeed(): OwnFeed {
    const { own_root, own_leaves } = this.#home();
    return { root: hashFrom(own_root), messages: own_leaves };
  }

  publish(author: string, draft: Draft, nowMs: number): { hash: Hash; root: Hash } {
    const value = encodeMessage(draft);
    const hash = hashOf(value);
    return this.#write(() => {
      const own = this.ownFeed();
      const edge = loadRightEdge(own.root, own.messages, (node) => this.getNode(node));
      const { root, created } = appendLeaf(edge, hash);
      this.#insertNodes([{ hash, value }, ...created]);
      this.#run('UPDATE home SET own_root = ?, own_leaves = own_leaves + 1', blob(root));
      const peer = this.#peerId(author, nowMs);
      const isNew = !this.#hasLeaf(peer, hash);
      if (isNew) this.#addLeaf(peer, hash, draft, { nowMs, authenticated: true, read: true });
      this.#run('UPDATE peers SET root = ?, messages = messages + ? WHERE id = ?', blob(root), +isNew, peer);
      if (isNew) this.#noteLive(value.length + BYTES_ABOVE_LEAF);
      this.#collectIfWorthIt();
      return { hash, root };
    });
  }

  foreignChanges(): number {
    return this.#get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return hashes.map((hash) => {
      const row = this.#get<{ leaves: number | null }>('SELECT leaves FROM nodes WHERE hash = ?', blob(hash));
      if (row === undefined) return 'missing';
      return row.leaves === null ? 'partial' : 'complete';
    });
  }

  beginWalk(feed: string, root: Hash, nowMs: number): void {
    this.#write(() => this.#run('UPDATE peers SET wanted = ? WHERE id = ?', blob(root), this.#peerId(feed, nowMs)), {
      durable: false,
    });
  }

  putNodes(nodes: readonly StoredNode[]): void {
    this.#write(() => this.#insertNodes(nodes), { durable: false });
  }

  adopt(input: AdoptionInput): Adoption {
    return this.#write(() => {
      const peer = this.#peerId(input.feed, input.nowMs);
      const adoption = adoptTree(this.#indexOf(peer, input), input);
      if (adoption.status !== 'adopted') return adoption;
      this.#run('UPDATE peers SET last_sync_ms = ? WHERE id = ?', input.nowMs, peer);
      if (input.authenticated)
        this.#run('UPDATE leaves SET authenticated = 1 WHERE peer = ? AND authenticated = 0', peer);
      this.#collectIfWorthIt();
      return adoption;
    });
  }

  endWalk(feed: string): void {
    this.#write(() => this.#run('UPDATE peers SET wanted = NULL WHERE name = ?', feed), { durable: false });
  }

  currentRoot(feed: string): Hash | undefined {
    const row = this.#get<{ root: Uint8Array | null }>('SELECT root FROM peers WHERE name = ?', feed);
    return row?.root ? hashFrom(row.root) : undefined;
  }

  peer(name: string): PeerRecord | undefined {
    const row = this.#get<PeerRow>('SELECT * FROM peers WHERE name = ?', name);
    return row && peerFrom(row);
  }

  peers(): PeerRecord[] {
    return this.#all<PeerRow>('SELECT * FROM peers ORDER BY name').map(peerFrom);
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    const pinned = this.peer(name)?.key;
    if (pinned !== undefined) return pinned === key ? 'same' : 'changed';
    return this.#write(() => {
      const peer = this.#peerId(name, nowMs);
      const isPinned = this.#run('UPDATE peers SET key = ? WHERE id = ? AND key IS NULL', key, peer) === 1;
      if (isPinned) return 'pinned';
      return this.peer(name)?.key === key ? 'same' : 'changed';
    });
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#write(() => this.#run('UPDATE peers SET following = ? WHERE id = ?', +following, this.#peerId(name, nowMs)));
  }

  setMuted(name: string, muted: boolean, nowMs: number): void {
    this.#write(() => this.#run('UPDATE peers SET muted = ? WHERE id = ?', +muted, this.#peerId(name, nowMs)));
  }

  messages({ authors, limit = DEFAULT_LIMIT, beforeMs = Number.MAX_SAFE_INTEGER }: MessageQuery = {}): StoredMessage[] {
    const from = 'FROM leaves JOIN peers ON peers.id = leaves.peer JOIN nodes USING (hash)';
    const columns = 'leaves.*, peers.name AS author, nodes.value AS value';
    const rows = authors
      ? [...new Set(authors)].flatMap((author) =>
          this.#all<MessageRow>(
            `SELECT ${columns} ${from} WHERE peer = (SELECT id FROM peers WHERE name = ?) AND order_ms < ?
             ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
            author,
            beforeMs,
            limit,
          ),
        )
      : this.#all<MessageRow>(
          `SELECT ${columns} ${from} WHERE order_ms < ? ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
          beforeMs,
          limit,
        );
    return rows
      .sort((a, b) => a.order_ms - b.order_ms || a.arrival - b.arrival)
      .slice(-limit)
      .map(messageFrom);
  }

  message(hash: Hash): StoredMessage | undefined {
    const row = this.#get<MessageRow>(
      `SELECT leaves.*, peers.name AS author, nodes.value AS value
       FROM leaves JOIN peers ON peers.id = leaves.peer JOIN nodes USING (hash)
       WHERE hash = ? AND order_ms IS NOT NULL ORDER BY arrival LIMIT 1`,
      blob(hash),
    );
    return row && messageFrom(row);
  }

  messagesStartingWith(prefix: string, limit: number): StoredMessage[] {
    const rows = this.#all<{ hash: Uint8Array }>(
      'SELECT DISTINCT hash FROM leaves WHERE hash BETWEEN ? AND ? AND order_ms IS NOT NULL ORDER BY hash LIMIT ?',
      blob(prefix.padEnd(64, '0')),
      blob(prefix.padEnd(64, 'f')),
      limit,
    );
    return rows.flatMap(({ hash }) => this.message(hashFrom(hash)) ?? []);
  }

  countMessages(): number {
    return this.#get<{ count: number }>('SELECT ifnull(sum(messages), 0) AS count FROM peers')?.count ?? 0;
  }

  markRead(hashes: readonly Hash[]): void {
    this.#write(() => {
      for (const hash of hashes)
        this.#run('UPDATE leaves SET read = 1 WHERE hash = ? AND order_ms IS NOT NULL', blob(hash));
    });
  }

  collectGarbage(): number {
    return this.#write(() => this.#collect());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #home(): HomeRow {
    return this.#get<HomeRow>('SELECT * FROM home') as HomeRow;
  }

  #insertNodes(nodes: readonly StoredNode[]): void {
    let bytes = 0;
    for (const { hash, value } of nodes) {
      const leaves = nodeKind(value) === 'internal' ? null : 1;
      const inserted = this.#run('INSERT OR IGNORE INTO nodes VALUES (?, ?, ?)', blob(hash), value, leaves);
      if (inserted > 0) bytes += value.length;
    }
    if (bytes > 0) this.#run('UPDATE home SET node_bytes = node_bytes + ?', bytes);
  }

  #peerId(name: string, nowMs: number): number {
    const known = this.#get<{ id: number }>('SELECT id FROM peers WHERE name = ?', name);
    if (known !== undefined) return known.id;
    this.#run('INSERT INTO peers (name, first_seen_ms) VALUES (?, ?)', name, nowMs);
    return this.#peerId(name, nowMs);
  }

  #hasLeaf(peer: number, hash: Hash): boolean {
    return this.#get('SELECT 1 FROM leaves WHERE peer = ? AND hash = ?', peer, blob(hash)) !== undefined;
  }

  #addLeaf(
    peer: number,
    hash: Hash,
    message: MessageFields | undefined,
    { nowMs, authenticated, read }: { nowMs: number; authenticated: boolean; read: boolean },
  ): void {
    if (message === undefined) {
      this.#run('INSERT INTO leaves (peer, hash) VALUES (?, ?)', peer, blob(hash));
      return;
    }
    const orderMs = orderingMs(claimedMs(message.date, nowMs), nowMs);
    this.#run(
      'INSERT INTO leaves (peer, hash, order_ms, received_ms, authenticated, read) VALUES (?, ?, ?, ?, ?, ?)',
      peer,
      blob(hash),
      orderMs,
      nowMs,
      +authenticated,
      +read,
    );
  }

  #removeLeaf(peer: number, hash: Hash): boolean {
    const row = this.#get<{ order_ms: number | null }>(
      'DELETE FROM leaves WHERE peer = ? AND hash = ? RETURNING order_ms',
      peer,
      blob(hash),
    );
    return row !== undefined && row.order_ms !== null;
  }

  #indexOf(peer: number, { feed, nowMs, authenticated }: AdoptionInput): FeedIndex {
    let messages = 0;
    let liveBytes = 0;
    return {
      read: (hash) => this.getNode(hash),
      leafCounts: {
        get: (hash) => {
          const row = this.#get<{ leaves: number | null }>('SELECT leaves FROM nodes WHERE hash = ?', blob(hash));
          return row?.leaves ?? undefined;
        },
        set: (hash, leaves) => this.#run('UPDATE nodes SET leaves = ? WHERE hash = ?', leaves, blob(hash)),
      },
      currentRoot: () => this.currentRoot(feed),
      hadLeaf: (leaf) => this.#hasLeaf(peer, leaf),
      addLeaf: (leaf, message, bytes) => {
        this.#addLeaf(peer, leaf, message, { nowMs, authenticated, read: false });
        if (message !== undefined) messages += 1;
        liveBytes += bytes + BYTES_ABOVE_LEAF;
      },
      removeLeaf: (leaf) => {
        const wasMessage = this.#removeLeaf(peer, leaf);
        if (wasMessage) messages -= 1;
        liveBytes -= (this.getNode(leaf)?.length ?? 0) + BYTES_ABOVE_LEAF;
        return wasMessage;
      },
      setRoot: (root) => {
        const wentBack = this.#run('DELETE FROM superseded WHERE peer = ? AND root = ?', peer, blob(root)) > 0;
        this.#run(
          'INSERT OR REPLACE INTO superseded (peer, root) SELECT id, root FROM peers WHERE id = ? AND root NOT NULL',
          peer,
        );
        this.#run(
          `DELETE FROM superseded WHERE peer = ?1 AND id <=
             (SELECT id FROM superseded WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${MAX_SUPERSEDED})`,
          peer,
        );
        this.#run('UPDATE peers SET root = ?, messages = messages + ? WHERE id = ?', blob(root), messages, peer);
        this.#noteLive(liveBytes);
        return wentBack;
      },
      countMessages: () => this.peer(feed)?.messages ?? 0,
    };
  }

  /** An estimate, until the next collection counts: what two feeds share is in twice. */
  #noteLive(bytes: number): void {
    this.#run('UPDATE home SET live_bytes = max(0, min(node_bytes, live_bytes + ?))', bytes);
  }

  #collectIfWorthIt(): void {
    const { node_bytes, live_bytes } = this.#home();
    if (node_bytes - live_bytes > Math.max(GARBAGE_FLOOR_BYTES, live_bytes / 2)) this.#collect();
  }

  #collect(): number {
    const swept = sweepNodes(this.#db);
    this.#run('UPDATE home SET node_bytes = node_bytes - ?, live_bytes = node_bytes - ?', swept.bytes, swept.bytes);
    return swept.nodes;
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#db.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  #get<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values) as T | undefined);
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values) as T[]);
  }

  /** Rows changed. */
  #run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes));
  }

  #write<T>(work: () => T, { durable = true } = {}): T {
    this.#guard(() => {
      if (durable !== this.#isDurable) this.#db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#isDurable = durable;
      this.#db.exec('BEGIN IMMEDIATE');
    });
    try {
      const result = work();
      this.#guard(() => this.#db.exec('COMMIT'));
      return result;
    } catch (error) {
      // Some errors, a full disk among them, have rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(this.#file, error);
    }
  }
}
