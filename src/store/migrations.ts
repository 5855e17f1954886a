/** The database's schema, by version: each step runs once. All that are due are one transaction, for which the disk is waited for once. */
import type { DatabaseSync } from 'node:sqlite';
import { migrateToPacks } from './migrate-to-packs.ts';
import { NewerHomeError } from './store-errors.ts';

const migrations: readonly (string | ((db: DatabaseSync) => void))[] = [
  `
  -- Tree nodes of everybody, by hash. leaves: how many are below; NULL: an internal node not known to be whole.
  CREATE TABLE nodes (hash BLOB PRIMARY KEY, value BLOB NOT NULL, leaves INTEGER) WITHOUT ROWID;

  CREATE TABLE peers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key TEXT,
    following INTEGER NOT NULL DEFAULT 0,
    muted INTEGER NOT NULL DEFAULT 0,
    root BLOB,
    wanted BLOB,
    messages INTEGER NOT NULL DEFAULT 0,
    first_seen_ms INTEGER NOT NULL,
    last_sync_ms INTEGER
  );

  -- Every leaf of each current tree. The message columns are NULL for nodes of other kinds; bodies stay in the nodes.
  CREATE TABLE leaves (
    arrival INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL REFERENCES peers (id),
    hash BLOB NOT NULL,
    order_ms INTEGER,
    received_ms INTEGER,
    authenticated INTEGER,
    read INTEGER,
    UNIQUE (hash, peer)
  );
  CREATE INDEX leaves_unauthenticated ON leaves (peer) WHERE authenticated = 0;
  CREATE INDEX leaves_by_order ON leaves (order_ms, arrival) WHERE order_ms IS NOT NULL;
  CREATE INDEX leaves_by_peer_and_order ON leaves (peer, order_ms, arrival) WHERE order_ms IS NOT NULL;

  CREATE TABLE superseded (
    id INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL REFERENCES peers (id),
    root BLOB NOT NULL,
    UNIQUE (peer, root)
  );

  -- One row: the own tree; how many bytes of nodes there are, and about how many of them are of trees in use.
  CREATE TABLE home (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    own_root BLOB NOT NULL,
    own_leaves INTEGER NOT NULL,
    node_bytes INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL
  );
  INSERT INTO home VALUES (1, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 0, 0, 0);
  `,
  `
  -- What a message answers; and its words, by arrival. The words alone are kept: the text is in the node.
  ALTER TABLE leaves ADD COLUMN answers BLOB;
  UPDATE leaves SET answers = (SELECT substr(value, 6, 32) FROM nodes WHERE nodes.hash = leaves.hash) WHERE order_ms NOT NULL;
  UPDATE leaves SET answers = NULL WHERE answers = zeroblob(32);
  CREATE INDEX leaves_by_answered ON leaves (answers) WHERE answers NOT NULL;
  CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, prefix = '2 3',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M* Co'"
  );
  -- The highest arrival that was ever given and taken back: arrivals are never given twice.
  ALTER TABLE home ADD COLUMN last_removed INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Nodes as they come, found by an index: hashes are random, and a table in their order is written all over by every batch.
  CREATE TABLE numbered_nodes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, value BLOB NOT NULL, leaves INTEGER);
  INSERT INTO numbered_nodes (hash, value, leaves) SELECT hash, value, leaves FROM nodes
    ORDER BY (SELECT min(arrival) FROM leaves WHERE leaves.hash = nodes.hash);
  DROP TABLE nodes;
  ALTER TABLE numbered_nodes RENAME TO nodes;

  -- Leaves know their nodes by number: next to each other in the index, and a fifth of the size.
  CREATE TABLE numbered_leaves (
    arrival INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL REFERENCES peers (id),
    node INTEGER NOT NULL REFERENCES nodes (id),
    order_ms INTEGER,
    received_ms INTEGER,
    authenticated INTEGER,
    read INTEGER,
    answers BLOB,
    UNIQUE (node, peer)
  );
  INSERT INTO numbered_leaves SELECT arrival, peer, id, order_ms, received_ms, authenticated, read, answers
    FROM leaves JOIN nodes USING (hash) ORDER BY arrival;
  DROP TABLE leaves;
  ALTER TABLE numbered_leaves RENAME TO leaves;
  CREATE INDEX leaves_unauthenticated ON leaves (peer) WHERE authenticated = 0;
  CREATE INDEX leaves_by_order ON leaves (order_ms, arrival) WHERE order_ms IS NOT NULL;
  CREATE INDEX leaves_by_peer_and_order ON leaves (peer, order_ms, arrival) WHERE order_ms IS NOT NULL;
  CREATE INDEX leaves_by_answered ON leaves (answers) WHERE answers NOT NULL;
  `,
  `
  -- Up to which arrival the words are in the index: what came later is put there bit by bit, and before anything is searched for.
  ALTER TABLE home ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
  UPDATE home SET indexed = (SELECT ifnull(max(id), 0) FROM words_docsize);
  `,
  `
  -- The root that is being adopted, step by step: as long as it is there, the leaves are not those of the current root alone.
  ALTER TABLE peers ADD COLUMN adopting BLOB;
  `,
  `
  -- Whoever asks for a node is not given the root of a tree that its author has left behind.
  CREATE INDEX superseded_by_root ON superseded (root);
  `,
  `
  -- A reading of a date before 2022 is no date: such messages are sorted by when they were first seen.
  UPDATE leaves SET order_ms = received_ms WHERE order_ms < 1640995200000;
  `,
  `
  -- Proven readers, the one that read last at the end. BOUNDED: the newest 4,096.
  CREATE TABLE readers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last_ms INTEGER NOT NULL);
  -- What a program at an address, under a key or none (''), needs to answer. BOUNDED: the newest 4,096.
  CREATE TABLE habits (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL,
    key TEXT NOT NULL,
    zero_ending_ids INTEGER NOT NULL,
    no_flags INTEGER NOT NULL,
    noted_ms INTEGER NOT NULL,
    UNIQUE (address, key)
  );
  -- Whose unsigned Roots the person believes. BOUNDED by what a person decides.
  CREATE TABLE trusted_unsigned (name TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID;
  `,
  `
  -- Roots of the own tree that later ones took the place of: what others may still have of it. BOUNDED: the newest 64.
  CREATE TABLE former_own_roots (id INTEGER PRIMARY KEY, root BLOB NOT NULL, leaves INTEGER NOT NULL);
  `,
  migrateToPacks,
  `
  -- Until when a muted peer is muted; NULL: for good.
  ALTER TABLE peers ADD COLUMN muted_until_ms INTEGER;
  -- What the person has marked: words and conversations that are muted, bookmarks, notifications that were seen. BOUNDED by what a
  -- person decides, and notifications by the newest 4,096.
  CREATE TABLE marks (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, until_ms INTEGER, UNIQUE (kind, subject));
  -- Lists of people. BOUNDED by what a person decides.
  CREATE TABLE lists (list TEXT NOT NULL, peer TEXT NOT NULL, PRIMARY KEY (list, peer)) WITHOUT ROWID;
  -- What was there before there were notifications is no news.
  ALTER TABLE home ADD COLUMN noticed_until_ms INTEGER NOT NULL DEFAULT 0;
  UPDATE home SET noticed_until_ms = (SELECT ifnull(max(received_ms), 0) FROM leaves);
  `,
  `
  -- Own messages to be published later. An id is never given twice. BOUNDED by what one person writes.
  CREATE TABLE scheduled (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_ms INTEGER NOT NULL,
    answers BLOB,
    body TEXT NOT NULL
  );
  -- Whom the person neither serves, greets nor sees.
  ALTER TABLE peers ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Where a peer answered last, under its key. BOUNDED: the newest 4,096.
  CREATE TABLE whereabouts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, address TEXT NOT NULL);
  `,
  `
  -- Own messages that were withdrawn: a copy of this home that still has them does not bring them back. BOUNDED by what a person decides.
  CREATE TABLE withdrawn (hash BLOB PRIMARY KEY) WITHOUT ROWID;
  `,
];

/** Brings the database to the newest version. @throws NewerHomeError if it is newer than this program */
export function migrate(db: DatabaseSync, file: string): void {
  if (versionOf(db) < migrations.length) {
    db.exec('BEGIN IMMEDIATE');
    // Another process may have been faster, and may be a newer program: none of what it has done is done again, or undone.
    const due = migrations.slice(versionOf(db));
    for (const step of due) typeof step === 'string' ? db.exec(step) : step(db);
    if (due.length > 0) db.exec(`PRAGMA user_version = ${migrations.length}`);
    db.exec('COMMIT');
  }
  if (versionOf(db) > migrations.length) throw new NewerHomeError(file);
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}
