/** From version 9 to 10: leaves move into packs, and are found by keys (pack.ts, sqlite-leaf-keys.ts); internal nodes keep rows of their own. */
import type { DatabaseSync } from 'node:sqlite';
import { hashFromBytes, keyOf } from '../wire/hash.ts';
import { allSlots, leafNumber, PACK_SLOTS, packLeaves } from './pack.ts';

const NEW_TABLES = `
  CREATE TABLE internal_nodes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, value BLOB NOT NULL, leaves INTEGER);
  INSERT INTO internal_nodes (hash, value, leaves) SELECT hash, value, leaves FROM nodes WHERE substr(value, 1, 1) = x'01' ORDER BY id;

  -- Up to 32 leaves that came together. live: those that are there, as bits. A number is never given twice.
  CREATE TABLE packs (id INTEGER PRIMARY KEY AUTOINCREMENT, live INTEGER NOT NULL, value BLOB NOT NULL);
  -- Leaves by the first 13 digits of their hashes. leaf: the number of the pack times 32, and the place in it.
  CREATE TABLE leaf_keys (key INTEGER NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY (key, leaf)) WITHOUT ROWID;
  ALTER TABLE home ADD COLUMN keyed_packs INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE home ADD COLUMN removals INTEGER NOT NULL DEFAULT 0;
  -- The last arrival when the adoption of a feed's first tree began: its leaves are there then, and are not shown until its root is current.
  ALTER TABLE peers ADD COLUMN adopting_since INTEGER NOT NULL DEFAULT 0;
  -- Messages that the feed may have; NULL: as many as any.
  ALTER TABLE peers ADD COLUMN quota INTEGER;

  -- Where the leaves of version 9 are now.
  CREATE TEMP TABLE moved (node INTEGER PRIMARY KEY, leaf INTEGER NOT NULL, key INTEGER NOT NULL);
`;

const MOVED_LEAVES = `
  INSERT INTO leaf_keys SELECT key, leaf FROM moved ORDER BY key, leaf;
  UPDATE home SET keyed_packs = (SELECT ifnull(max(id), 0) FROM packs);

  -- node: the number of a leaf. answers: the key of what is answered. What is shown of all feeds is put together from what is shown of each.
  CREATE TABLE packed_leaves (
    arrival INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL REFERENCES peers (id),
    node INTEGER NOT NULL,
    order_ms INTEGER,
    received_ms INTEGER,
    authenticated INTEGER,
    read INTEGER,
    answers INTEGER,
    UNIQUE (node, peer)
  );
  INSERT INTO packed_leaves
    SELECT arrival, peer, leaf, order_ms, received_ms, authenticated, read, key_of(answers)
    FROM leaves JOIN moved USING (node) ORDER BY arrival;
  DROP TABLE leaves;
  ALTER TABLE packed_leaves RENAME TO leaves;
  CREATE INDEX leaves_unauthenticated ON leaves (peer) WHERE authenticated = 0;
  CREATE INDEX leaves_by_peer_and_order ON leaves (peer, order_ms, arrival) WHERE order_ms IS NOT NULL;
  CREATE INDEX leaves_by_answered ON leaves (answers) WHERE answers NOT NULL;
  DROP TABLE nodes;
  DROP TABLE moved;

  -- Words, by runs of arrivals (sqlite-search.ts). id: the first arrival of the run times 128, and the words' bucket.
  DROP TABLE words;
  CREATE TABLE word_runs (first INTEGER PRIMARY KEY);
  CREATE TABLE words (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  UPDATE home SET indexed = 0;
`;

export function migrateToPacks(db: DatabaseSync): void {
  db.exec(NEW_TABLES);
  const read = db.prepare(
    "SELECT id, hash, value FROM nodes WHERE id > ? AND substr(value, 1, 1) <> x'01' ORDER BY id LIMIT ?",
  );
  const insert = db.prepare('INSERT INTO packs (live, value) VALUES (?, ?)');
  const note = db.prepare('INSERT INTO moved VALUES (?, ?, ?)');
  let after = 0;
  for (;;) {
    const rows = read.all(after, PACK_SLOTS) as unknown as { id: number; hash: Uint8Array; value: Uint8Array }[];
    if (rows.length === 0) break;
    const leaves = rows.map(({ hash, value }) => ({ hash: hashFromBytes(hash), value }));
    const pack = Number(insert.run(allSlots(leaves.length), packLeaves(leaves)).lastInsertRowid);
    for (const [slot, { id }] of rows.entries()) {
      note.run(id, leafNumber(pack, slot), keyOf(leaves[slot]?.hash ?? ''));
      after = id;
    }
  }
  db.function('key_of', (hash) => (hash instanceof Uint8Array ? keyOf(hashFromBytes(hash)) : null));
  db.exec(MOVED_LEAVES);
}
