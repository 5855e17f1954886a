/**
 * Making a fetched tree a feed's current one, in steps; each is a transaction of the caller's. The root is noted before anything else
 * is: whoever finds it there, and no root made current, knows the leaves to be those of neither tree, and goes by what is there.
 *
 * A feed that has no tree yet is gone through while it comes: its leaves are there, and not shown, until the root is made current,
 * which is then one change. A feed that has one is compared with the new one when that is whole. What a step has not yet told the
 * database when it ends is told then, so that the counts are those of the leaves that are there, whoever looks.
 */
import { comparingTrees } from '../merkle/compare.ts';
import { advance, finish, type InSteps } from '../merkle/in-steps.ts';
import type { Hash } from '../wire/hash.ts';
import { isMessage } from '../wire/node.ts';
import { NumberSet } from './number-set.ts';
import { BYTES_ABOVE_LEAF, noteLive } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { Leaf, SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
import type { SqliteSearch } from './sqlite-search.ts';
import { type Adoption, type AdoptionInput, type StoredNode, storeLimits } from './store.ts';
import { type PassState, TreePass } from './tree-pass.ts';

const MAX_SUPERSEDED = 256;
/** Leaves that are added or removed at once. */
const BATCH = 32;
/** Adding or removing a leaf takes as long as looking at so many nodes. */
const LEAF_COST = 2;
/** Of a pass, between two looks at whether the step is over. */
const PASS_CHUNK = 128;
/** Arrivals that are gone through at once for the leaves of one feed among them; it takes as long as looking at so many nodes. */
const PORTION = 1_024;
const PORTION_COST = 256;
/** Messages that are marked at once. */
const MARKED = 256;

const NONE: ReadonlySet<number> = new Set();

/** What a feed is made of in the database. */
export interface Tables {
  readonly db: SqliteConnection;
  readonly nodes: SqliteNodes;
  readonly leaves: SqliteLeaves;
  readonly search: SqliteSearch;
}

interface Feed {
  readonly root: Uint8Array | null;
  readonly adopting: Uint8Array | null;
  readonly messages: number;
}

export class SqliteAdoption {
  readonly input: AdoptionInput;
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #leaves: SqliteLeaves;
  readonly #search: SqliteSearch;
  /** Whoever takes the last step may have asked the author meanwhile. */
  #mayWithdraw = true;
  #peer = 0;
  #work: InSteps<Adoption> | undefined;
  /** Through the tree of a feed that has none yet; whether there were leaves before it began, and those that it has met. */
  #pass: { readonly pass: TreePass; readonly isMixed: boolean; readonly met: NumberSet } | undefined;
  /** What it waits for; that may have come by way of another process, which the last steps find. */
  #missing: Hash | undefined;
  /** The feed's state when the last step ended. */
  #left = '';
  /** What was done so far: it counts when the work begins anew, too. */
  #added: Hash[] = [];
  #newMessages = 0;
  #withdrawn = 0;
  /** Not yet told to the database. */
  #messages = 0;
  #liveBytes = 0;

  constructor({ db, nodes, leaves, search }: Tables, input: AdoptionInput) {
    this.input = input;
    this.#db = db;
    this.#nodes = nodes;
    this.#leaves = leaves;
    this.#search = search;
  }

  isFor({ feed, root, authenticated, quota }: AdoptionInput): boolean {
    const own = this.input;
    return own.feed === feed && own.root === root && own.authenticated === authenticated && own.quota === quota;
  }

  /** Goes through what has come of the tree of a feed that has none yet, as far as looking at so many nodes allows. */
  follow(came: readonly StoredNode[], nodes: number): void {
    if (this.#missing !== undefined && !came.some(({ hash }) => hash === this.#missing)) return;
    this.#begin();
    if (this.#feed().root !== null) return;
    const state = this.#goThrough(nodes);
    this.#missing = state.status === 'missing' ? state.missing : undefined;
    this.#save();
  }

  /** Undefined if there is more to do. After an error this adoption is of no use any more. */
  step(nodes: number, mayWithdraw = true): Adoption | undefined {
    this.#mayWithdraw = mayWithdraw;
    const isAlone = this.#begin();
    this.#work ??= this.#adopting();
    // Another process adopts for this feed as well: if both went on in steps, each might make the other start over for ever.
    const adoption = isAlone ? advance(this.#work, nodes) : { done: true, value: finish(this.#adopting()) };
    this.#save();
    if (!adoption.done) return undefined;
    this.#work = undefined;
    return adoption.value as Adoption;
  }

  /** False if another process has done something to this feed since the last step. */
  #begin(): boolean {
    this.#peer = this.#leaves.peerId(this.input.feed, this.input.nowMs);
    const isAlone = this.#left === '' || this.#left === this.#state();
    if (!isAlone) this.#pass = undefined;
    return isAlone;
  }

  *#adopting(): InSteps<Adoption> {
    const { root, authenticated } = this.input;
    const { root: current, adopting: abandoned } = this.#feed();
    const isChange = current === null || hashFrom(current) !== root || abandoned !== null;
    if (isChange) {
      const refused =
        current === null ? yield* this.#adoptFirst() : yield* this.#adoptNext(hashFrom(current), abandoned);
      if (refused !== undefined) return refused;
    }
    if (authenticated) while (this.#authenticateSome()) yield PORTION_COST;
    const wentBack = isChange && this.#setRoot(root);
    return {
      status: 'adopted',
      newMessages: this.#newMessages,
      withdrawnMessages: this.#withdrawn,
      totalMessages: this.#feed().messages + this.#messages,
      added: this.#added.slice(-storeLimits.added),
      wentBack,
    };
  }

  /** The first tree of a feed, most of which was gone through while it came. */
  *#adoptFirst(): InSteps<Adoption | undefined> {
    let state = this.#goThrough(PASS_CHUNK);
    for (; state.status === 'underway'; state = this.#goThrough(PASS_CHUNK)) yield PASS_CHUNK;
    // The pass goes on when the node has come.
    if (state.status === 'missing') return { status: 'incomplete', missing: state.missing };
    const { isMixed = true, met = new NumberSet() } = this.#pass ?? {};
    this.#pass = undefined;
    const isRefused = state.leaves > this.input.quota;
    if (isMixed || isRefused) yield* this.#removeAllBut(isRefused ? new NumberSet() : met);
    // None of them was ever shown.
    this.#withdrawn = 0;
    if (!isRefused) return undefined;
    this.#setAdopting(null);
    return { status: 'over-quota', leaves: state.leaves, quota: this.input.quota };
  }

  /** `abandoned`: the root of an adoption that was left, so that the leaves that are there are those of no one tree. */
  *#adoptNext(current: Hash, abandoned: Uint8Array | null): InSteps<Adoption | undefined> {
    const { root, quota } = this.input;
    this.#setAdopting(blob(root));
    const counted = yield* this.#count();
    if (counted.status === 'missing' || counted.leaves > quota) {
      this.#setAdopting(abandoned);
      if (counted.status === 'missing') return { status: 'incomplete', missing: counted.missing };
      return { status: 'over-quota', leaves: counted.leaves, quota };
    }
    if (abandoned !== null) {
      // Nobody knows what of the current tree would go.
      if (!this.#mayWithdraw) return this.#withdraws(abandoned);
      const met = new NumberSet();
      const onLeaves = (leaves: readonly Leaf[]) => this.#add(leaves.filter(({ leaf }) => met.add(leaf)));
      const pass = new TreePass(this.#nodes, root, { onLeaves, entersWhole: true, quota });
      while (pass.advance(PASS_CHUNK).status === 'underway') yield PASS_CHUNK;
      yield* this.#removeAllBut(met);
      return undefined;
    }
    const { added, removed } = yield* comparingTrees(current, root, this.#read, {
      // What is there is not added.
      hadLeaf: () => false,
      leafCount: (hash) => this.#nodes.internal(hash)?.leaves ?? undefined,
    });
    if (!this.#mayWithdraw && removed.length > 0) return this.#withdraws(abandoned);
    for (let from = 0; from < added.length; from += BATCH) {
      const some = added.slice(from, from + BATCH);
      const found = this.#nodes.find(some);
      const missing = some.find((_, at) => found[at] === undefined);
      if (missing !== undefined) return { status: 'incomplete', missing };
      this.#add(found.filter((node) => node?.kind === 'leaf'));
      yield BATCH * LEAF_COST;
    }
    for (let from = 0; from < removed.length; from += BATCH) {
      for (const { leaf, value } of this.#find(removed.slice(from, from + BATCH))) this.#remove(leaf, value.length);
      yield BATCH * LEAF_COST;
    }
    return undefined;
  }

  #withdraws(abandoned: Uint8Array | null): Adoption {
    this.#setAdopting(abandoned);
    return { status: 'withdraws' };
  }

  *#count(): InSteps<Exclude<PassState, { readonly status: 'underway' }>> {
    const pass = new TreePass(this.#nodes, this.input.root, {
      onLeaves: () => {},
      entersWhole: false,
      quota: this.input.quota,
    });
    for (;;) {
      const state = pass.advance(PASS_CHUNK);
      if (state.status !== 'underway') return state;
      yield PASS_CHUNK;
    }
  }

  #goThrough(nodes: number): PassState {
    this.#pass ??= this.#beginPass();
    return this.#pass.pass.advance(nodes);
  }

  #beginPass() {
    const { root, quota } = this.input;
    const isMixed = this.#feed().adopting !== null;
    if (!isMixed) {
      const since = this.#leaves.lastArrival();
      this.#db.run('UPDATE peers SET adopting_since = ? WHERE id = ?', since, this.#peer);
    }
    this.#setAdopting(blob(root));
    this.#added = [];
    this.#newMessages = 0;
    const met = new NumberSet();
    const onLeaves = (leaves: readonly Leaf[]) => {
      const fresh = leaves.filter(({ leaf }) => met.add(leaf));
      // Of a feed that had no leaves when this began, all of them are the pass's own.
      const there = isMixed ? this.#leavesAmong(fresh) : NONE;
      this.#add(fresh, there, fresh);
    };
    return { pass: new TreePass(this.#nodes, root, { onLeaves, entersWhole: true, quota }), isMixed, met };
  }

  readonly #read = (hash: Hash) => this.#nodes.get(hash);

  #find(hashes: readonly Hash[]): Leaf[] {
    return this.#nodes.find(hashes).filter((node) => node?.kind === 'leaf');
  }

  #leavesAmong(leaves: readonly Leaf[]): ReadonlySet<number> {
    return this.#leaves.among(
      this.#peer,
      leaves.map(({ leaf }) => leaf),
    );
  }

  /** Adds those that are not there. `news`: which of them the person has not seen; by default those. */
  #add(leaves: readonly Leaf[], there = this.#leavesAmong(leaves), news?: readonly Leaf[]): void {
    const { nowMs, authenticated } = this.input;
    const missing = there.size === 0 ? leaves : leaves.filter(({ leaf }) => !there.has(leaf));
    const { first, messages } = this.#leaves.add(this.#peer, missing, { nowMs, authenticated, read: false });
    this.#messages += messages;
    this.#search.take(
      first,
      missing.map(({ value }) => value),
    );
    for (const { value } of missing) this.#liveBytes += value.length + BYTES_ABOVE_LEAF;
    for (const { hash, value } of news ?? missing) {
      if (!isMessage(value)) continue;
      this.#newMessages += 1;
      this.#added.push(hash);
    }
    if (this.#added.length > 2 * storeLimits.added) this.#added = this.#added.slice(-storeLimits.added);
  }

  #remove(leaf: number, bytes: number): void {
    if (this.#leaves.remove(this.#peer, leaf)) {
      this.#messages -= 1;
      this.#withdrawn += 1;
    }
    this.#liveBytes -= bytes + BYTES_ABOVE_LEAF;
  }

  *#removeAllBut(wanted: NumberSet): InSteps<void> {
    const last = this.#leaves.lastArrival();
    const read = this.#nodes.leafReader();
    for (let from = 0; from < last; from += PORTION) {
      const rows = this.#db.all<{ node: number }>(
        'SELECT node FROM leaves WHERE peer = ? AND arrival > ? AND arrival <= ? ORDER BY arrival',
        this.#peer,
        from,
        from + PORTION,
      );
      for (const { node } of rows) {
        if (wanted.has(node)) continue;
        this.#remove(node, read(node)?.value.length ?? 0);
        yield LEAF_COST;
      }
      yield PORTION_COST;
    }
  }

  /** Takes messages that no signed root had brought for authenticated. True if there may be more of them. */
  #authenticateSome(): boolean {
    const some = `SELECT arrival FROM leaves WHERE peer = ? AND authenticated = 0 LIMIT ${MARKED}`;
    return this.#db.run(`UPDATE leaves SET authenticated = 1 WHERE arrival IN (${some})`, this.#peer) === MARKED;
  }

  /** Makes the root current, and remembers the one before. True if it had been current, and superseded, before. */
  #setRoot(root: Hash): boolean {
    const wentBack = this.#db.run('DELETE FROM superseded WHERE peer = ? AND root = ?', this.#peer, blob(root)) > 0;
    this.#db.run(
      'INSERT OR REPLACE INTO superseded (peer, root) SELECT id, root FROM peers WHERE id = ? AND root <> ?',
      this.#peer,
      blob(root),
    );
    this.#db.run(
      `DELETE FROM superseded WHERE peer = ?1 AND id <=
         (SELECT id FROM superseded WHERE peer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${MAX_SUPERSEDED})`,
      this.#peer,
    );
    this.#db.run('UPDATE peers SET root = ?, adopting = NULL WHERE id = ?', blob(root), this.#peer);
    return wentBack;
  }

  #setAdopting(root: Uint8Array | null): void {
    this.#db.run('UPDATE peers SET adopting = ? WHERE id = ?', root, this.#peer);
  }

  #feed(): Feed {
    return this.#db.get<Feed>('SELECT root, adopting, messages FROM peers WHERE id = ?', this.#peer) as Feed;
  }

  #save(): void {
    this.#db.run('UPDATE peers SET messages = messages + ? WHERE id = ?', this.#messages, this.#peer);
    noteLive(this.#db, this.#liveBytes);
    this.#messages = 0;
    this.#liveBytes = 0;
    this.#left = this.#state();
  }

  /** Two states that differ in their leaves differ here: whoever makes a root current notes when. */
  #state(): string {
    return JSON.stringify(
      this.#db.get('SELECT hex(root), hex(adopting), last_sync_ms FROM peers WHERE id = ?', this.#peer),
    );
  }
}
