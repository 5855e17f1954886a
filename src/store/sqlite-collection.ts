/** Mark and sweep: removes the nodes that no tree in use reaches; and the estimate that tells when that is worth it. */
import type { DatabaseSync } from 'node:sqlite';
import { type Hash, hashToBytes, isEmptyRoot } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { hashFrom } from './sqlite-rows.ts';

/** What a leaf costs in internal nodes of a tree whose nodes are full: its hash, and a little. */
export const BYTES_ABOVE_LEAF = 34;

/** An estimate, until the next collection counts: what two feeds share is in twice. */
export function noteLive(db: SqliteConnection, bytes: number): void {
  db.run('UPDATE home SET live_bytes = max(0, min(node_bytes, live_bytes + ?))', bytes);
}

/** Runs within the caller's transaction: another process may be walking, and its target is a root like any other. */
export function sweepNodes(db: DatabaseSync): { readonly nodes: number; readonly bytes: number } {
  const reachable = markNodes(db);
  // A leaf that an adoption has brought, and another is to take away, is of no tree.
  const remove = db.prepare('DELETE FROM nodes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM leaves WHERE node = ?1)');
  // As in sqlite-connection.ts.
  remove.setReadBigInts(true);
  const garbage: { id: number; size: number }[] = [];
  for (const row of db.prepare('SELECT id, hash, length(value) AS size FROM nodes').iterate()) {
    const { id, hash, size } = row as unknown as { id: number; hash: Uint8Array; size: number };
    if (!reachable.has(hashFrom(hash))) garbage.push({ id, size });
  }
  let nodes = 0;
  let bytes = 0;
  for (const { id, size } of garbage) {
    if (remove.run(id).changes === 0n) continue;
    nodes += 1;
    bytes += size;
  }
  return { nodes, bytes };
}

function markNodes(db: DatabaseSync): Set<Hash> {
  const roots = db.prepare(
    `SELECT own_root AS root FROM home
     UNION SELECT root FROM peers WHERE root NOT NULL
     UNION SELECT adopting FROM peers WHERE adopting NOT NULL
     UNION SELECT wanted FROM peers WHERE wanted NOT NULL`,
  );
  const open = roots.all().map((row) => hashFrom((row as { root: Uint8Array }).root));
  // Leaves, by far the most nodes, are not read: only internal ones have children.
  const internal = db.prepare("SELECT value FROM nodes WHERE hash = ? AND substr(value, 1, 1) = x'01'");
  const reachable = new Set<Hash>();
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (isEmptyRoot(hash) || reachable.has(hash)) continue;
    reachable.add(hash);
    const row = internal.get(hashToBytes(hash)) as { value: Uint8Array } | undefined;
    const node = row && decodeNode(row.value);
    if (node?.ok && node.value.kind === 'internal') open.push(...node.value.children);
  }
  return reachable;
}
