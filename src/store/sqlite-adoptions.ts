/** Adoptions under way, one for each feed. Each continues, in portions, with the nodes of its tree that have arrived. */
import { SqliteAdoption, type Tables } from './sqlite-adoption.ts';
import type { Adoption, AdoptionInput, StoredNode } from './store.ts';

/** How many nodes of a tree are processed for each node that arrives: more than one, so that the adoption catches up. */
const FOLLOWED_PER_NODE = 4;

export class SqliteAdoptions {
  readonly #tables: Tables;
  /** BOUNDED by the feeds that are being fetched. */
  readonly #underWay = new Map<string, SqliteAdoption>();

  constructor(tables: Tables) {
    this.#tables = tables;
    // After a rollback, the state in memory no longer holds.
    tables.db.onRollback(() => this.#underWay.clear());
  }

  get areUnderWay(): boolean {
    return this.#underWay.size > 0;
  }

  /** The adoption under way for this feed, if it is of the same tree on the same terms; otherwise a new one. */
  of(input: AdoptionInput): SqliteAdoption {
    const begun = this.#underWay.get(input.feed);
    if (begun?.isFor(input)) return begun;
    const adoption = new SqliteAdoption(this.#tables, input);
    this.#underWay.set(input.feed, adoption);
    return adoption;
  }

  /** Nodes have arrived, of any tree. Called within the transaction that stores them. False if no tree is waiting for any. */
  follow(nodes: readonly StoredNode[]): boolean {
    if (this.#underWay.size === 0) return false;
    for (const adoption of this.#underWay.values()) adoption.follow(nodes, FOLLOWED_PER_NODE * nodes.length);
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
