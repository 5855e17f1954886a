/** Adoptions under way, one for each feed. Each continues, in portions, with the nodes of its tree that have arrived. */
import { SqliteAdoption } from './sqlite-adoption.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import type { Adoption, AdoptionInput, StoredNode } from './store.ts';

/** How many nodes of a tree are processed for each node that arrives: more than one, so that the adoption catches up. */
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
    // After a rollback, the state in memory no longer holds.
    db.onRollback(() => this.#underWay.clear());
  }

  get areUnderWay(): boolean {
    return this.#underWay.size > 0;
  }

  /** The adoption under way for this feed, if it is of the same tree on the same terms; otherwise a new one. */
  of(input: AdoptionInput): SqliteAdoption {
    const begun = this.#underWay.get(input.feed);
    if (begun?.isFor(input)) return begun;
    const adoption = new SqliteAdoption(this.#db, this.#nodes, this.#leaves, input);
    this.#underWay.set(input.feed, adoption);
    return adoption;
  }

  /** Nodes have arrived, of any tree. Called within the transaction that stores them. False if no tree is waiting for any. */
  follow(nodes: readonly StoredNode[]): boolean {
    if (this.#underWay.size === 0) return false;
    const came = new Set(nodes.map(({ hash }) => hash));
    for (const adoption of this.#underWay.values()) adoption.follow(came, FOLLOWED_PER_NODE * nodes.length);
    return true;
  }

  /** An adoption that lacks a node continues at this point when the node has arrived. */
  endIfDone(feed: string, adoption: Adoption | undefined): void {
    if (adoption !== undefined && adoption.status !== 'incomplete') this.end(feed);
  }

  end(feed: string): void {
    this.#underWay.delete(feed);
  }
}
