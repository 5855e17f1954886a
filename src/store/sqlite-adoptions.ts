/** Adoptions that are under way, one a feed: each goes on, in portions, with what has come of its tree. */
import { SqliteAdoption } from './sqlite-adoption.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import type { Adoption, AdoptionInput, StoredNode } from './store.ts';

/** For each node that came, a tree that is gone through while it comes is gone through by so many: it keeps up, and catches up. */
const FOLLOWED_PER_NODE = 4;

export class SqliteAdoptions {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #leaves: SqliteLeaves;
  /** BOUNDED by the feeds that are being fetched. */
  readonly #underWay = new Map<string, SqliteAdoption>();

  constructor(db: SqliteConnection, nodes: SqliteNodes, leaves: SqliteLeaves) {
    this.#db = db;
    this.#nodes = nodes;
    this.#leaves = leaves;
    // What was undone is not gone on with.
    db.onRollback(() => this.#underWay.clear());
  }

  get areUnderWay(): boolean {
    return this.#underWay.size > 0;
  }

  /** The one that is under way for this feed, if it is of the same tree on the same terms; else one that begins. */
  of(input: AdoptionInput): SqliteAdoption {
    const begun = this.#underWay.get(input.feed);
    if (begun?.isFor(input)) return begun;
    const adoption = new SqliteAdoption(this.#db, this.#nodes, this.#leaves, input);
    this.#underWay.set(input.feed, adoption);
    return adoption;
  }

  /** Nodes came, of whatever tree; within the transaction that keeps them. False if no tree is waiting for any. */
  follow(nodes: readonly StoredNode[]): boolean {
    if (this.#underWay.size === 0) return false;
    const came = new Set(nodes.map(({ hash }) => hash));
    for (const adoption of this.#underWay.values()) adoption.follow(came, FOLLOWED_PER_NODE * nodes.length);
    return true;
  }

  /** One that lacks a node goes on where it is when that has come. */
  endIfDone(feed: string, adoption: Adoption | undefined): void {
    if (adoption !== undefined && adoption.status !== 'incomplete') this.end(feed);
  }

  end(feed: string): void {
    this.#underWay.delete(feed);
  }
}
