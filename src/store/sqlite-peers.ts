/** Peers in the database: their pinned keys, and what the person has decided about them. */
import type { PublicKey } from '../identity/public-key.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import { type PeerRow, peerFrom } from './sqlite-rows.ts';
import type { PeerRecord } from './store.ts';

export class SqlitePeers {
  readonly #db: SqliteConnection;
  readonly #leaves: SqliteLeaves;

  constructor(db: SqliteConnection, leaves: SqliteLeaves) {
    this.#db = db;
    this.#leaves = leaves;
  }

  get(name: string): PeerRecord | undefined {
    const row = this.#db.get<PeerRow>('SELECT * FROM peers WHERE name = ?', name);
    return row && peerFrom(row);
  }

  all(): PeerRecord[] {
    return this.#db.all<PeerRow>('SELECT * FROM peers ORDER BY name').map(peerFrom);
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    const pinned = this.get(name)?.key;
    if (pinned !== undefined) return pinned === key ? 'same' : 'changed';
    return this.#db.write(() => {
      const peer = this.#leaves.peerId(name, nowMs);
      const isPinned = this.#db.run('UPDATE peers SET key = ? WHERE id = ? AND key IS NULL', key, peer) === 1;
      if (isPinned) return 'pinned';
      return this.get(name)?.key === key ? 'same' : 'changed';
    });
  }

  repinKey(name: string, key: PublicKey, nowMs: number): PublicKey | undefined {
    return this.#db.write(() => {
      const before = this.get(name)?.key;
      this.#db.run('UPDATE peers SET key = ? WHERE id = ?', key, this.#leaves.peerId(name, nowMs));
      return before;
    });
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#db.write(() =>
      this.#db.run('UPDATE peers SET following = ? WHERE id = ?', +following, this.#leaves.peerId(name, nowMs)),
    );
  }

  setQuota(name: string, quota: number | undefined, nowMs: number): void {
    this.#db.write(() =>
      this.#db.run('UPDATE peers SET quota = ? WHERE id = ?', quota ?? null, this.#leaves.peerId(name, nowMs)),
    );
  }

  setBlocked(name: string, blocked: boolean, nowMs: number): void {
    this.#db.write(() => {
      const peer = this.#leaves.peerId(name, nowMs);
      this.#db.run('UPDATE peers SET blocked = ? WHERE id = ?', +blocked, peer);
      if (!blocked) return;
      this.#db.run('UPDATE peers SET following = 0 WHERE id = ?', peer);
      this.#db.run('DELETE FROM lists WHERE peer = ?', name);
    });
  }

  setMuted(name: string, muted: boolean, nowMs: number, untilMs?: number): void {
    const sql = 'UPDATE peers SET muted = ?, muted_until_ms = ? WHERE id = ?';
    this.#db.write(() =>
      this.#db.run(sql, +muted, (muted ? untilMs : undefined) ?? null, this.#leaves.peerId(name, nowMs)),
    );
  }
}
