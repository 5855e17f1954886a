/** Mark and sweep: removes the nodes that no tree in use reaches. */
import type { DatabaseSync } from 'node:sqlite';
import { type Hash, hashToBytes, isEmptyRoot } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import { hashFrom } from './sqlite-rows.ts';

/** Runs within the caller's transaction: another process may be walking, and its target is a root like any other. */
export function sweepNodes(db: DatabaseSync): { readonly nodes: number; readonly bytes: number } {
  const reachable = markNodes(db);
  const remove = db.prepare('DELETE FROM nodes WHERE id = ?');
  // As in sqlite-connection.ts.
  remove.setReadBigInts(true);
  const garbage: { id: number; size: number }[] = [];
  for (const row of db.prepare('SELECT id, hash, length(value) AS size FROM nodes').iterate()) {
    const { id, hash, size } = row as unknown as { id: number; hash: Uint8Array; size: number };
    if (!reachable.has(hashFrom(hash))) garbage.push({ id, size });
  }
  let bytes = 0;
  for (const { id, size } of garbage) {
    remove.run(id);
    bytes += size;
  }
  return { nodes: garbage.length, bytes };
}

function markNodes(db: DatabaseSync): Set<Hash> {
  const roots = db.prepare(
    `SELECT own_root AS root FROM home
     UNION SELECT root FROM peers WHERE root NOT NULL
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
