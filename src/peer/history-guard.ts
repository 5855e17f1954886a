/**
 * Whether others know a later history of ours than this home has, as when that was put back from a copy: asked at the start of a peer that
 * publishes, before others learn its root, and again of whoever could not be reached then (docs/adr/0016).
 */
import type { Failure, HistoryCheck } from '../../machines/events.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';

/** Everybody else learns the root after so long: a post must not wait for somebody who is offline. */
const PATIENCE_MS = 3_000;
/** Without a directory, it is asked after so long. */
const LISTING_PATIENCE_MS = 5_000;
/** Former roots that are asked for: each change that was made offline needs one. */
const FORMER_ROOTS = 16;
/** Of those who have read from us lately. */
const MOST_READERS = 32;

export interface OwnHistory {
  /** The present one first. */
  readonly roots: readonly Hash[];
  readonly leaf: Hash;
}

/** Undefined if there is no message. What stands for a withdrawn message is the same in every feed, and tells nothing. */
export function ownHistory(store: Store): OwnHistory | undefined {
  const { root } = store.ownFeed();
  const leaf = newestMessage(store, root);
  if (leaf === undefined) return undefined;
  const former = store.formerOwnRoots(FORMER_ROOTS).filter((other) => other !== root);
  return { roots: [root, ...new Set(former)], leaf };
}

/** From the right edge of the tree: newest first. BOUNDED by the tree. */
function newestMessage(store: Store, root: Hash): Hash | undefined {
  const open = [root];
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    const value = store.getNode(hash);
    const node = value === undefined ? undefined : decodeNode(value);
    if (node?.ok !== true) continue;
    if (node.value.kind === 'message') return hash;
    if (node.value.kind === 'internal') open.push(...node.value.children);
  }
  return undefined;
}

export interface GuardDependencies {
  readonly clock: Clock;
  /** Whoever may know our history: those we follow, and those who have read from us lately. */
  readonly names: readonly string[];
  readonly ask: (names: readonly string[]) => Promise<readonly HistoryCheck[]>;
  /** Calls back for each answer as it comes. Returns the way to stop that. */
  readonly onCheck: (listener: (check: HistoryCheck) => void) => () => void;
  /** Calls back whenever a session is opened. */
  readonly onSession: (listener: () => void) => () => void;
  /** Calls back when the directory lists us. Whoever is asked before that cannot learn our key. */
  readonly onListed: (listener: () => void) => () => void;
  /** Whether there is a session with this peer. */
  readonly isReached: (name: string) => boolean;
  /** Everybody may learn the root but these, who could not be asked yet. Called again when they are fewer. */
  readonly begin: (unasked: readonly string[]) => void;
  readonly stop: (failure: Failure) => void;
}

/** Those to ask: at most so many readers. */
export function askable(following: readonly string[], readers: readonly string[]): string[] {
  return [...new Set([...following, ...readers.slice(0, MOST_READERS)])];
}

/** Asks as soon as that makes sense; returns the way to end it. */
export function guardHistory(dependencies: GuardDependencies): () => void {
  const { clock, names, ask, onCheck, onSession, onListed, isReached, begin, stop } = dependencies;
  /** Could not be asked yet. BOUNDED by the names. */
  const left = new Set(names);
  let isAsking = false;
  let hasStarted = false;
  let hasBegun = false;
  let isOver = false;
  const stops: (() => void)[] = [];
  const end = () => {
    isOver = true;
    for (const one of stops.splice(0)) one();
  };
  const askThem = async (whom: readonly string[]) => {
    isAsking = true;
    try {
      const reached = new Set(whom.filter(isReached));
      for (const { peer, outcome } of await ask(whom)) {
        // Whoever does not answer such a question, although there is a session, must not wait for our root for ever.
        if (outcome === 'unreachable' && reached.has(peer)) left.delete(peer);
      }
    } catch {
      // The peer is closed.
      return;
    }
    isAsking = false;
    if (isOver) return;
    hasBegun = true;
    begin([...left]);
    if (left.size === 0) end();
    else askReached();
  };
  const askReached = () => {
    const whom = isAsking || !hasStarted ? [] : [...left].filter(isReached);
    if (whom.length > 0) void askThem(whom);
  };
  stops.push(
    onCheck(({ peer, outcome }) => {
      if (isOver) return;
      if (outcome === 'later') {
        end();
        stop(laterHistory(peer));
      } else if (outcome !== 'unreachable' && left.delete(peer) && hasBegun) begin([...left]);
    }),
    onSession(askReached),
  );
  const later = (ms: number, work: () => void) => {
    const timer = clock.setTimeout(work, ms);
    stops.push(() => clock.clearTimeout(timer));
  };
  const start = () => {
    if (isOver || hasStarted) return;
    hasStarted = true;
    later(PATIENCE_MS, () => {
      hasBegun = true;
      begin([...left]);
    });
    void askThem(names);
  };
  stops.push(onListed(start));
  later(LISTING_PATIENCE_MS, start);
  return end;
}

function laterHistory(peer: string): Failure {
  const message = `"${peer}" has messages of yours that are newer than this home, which was probably put back from a copy: nothing is published from here, because everybody would then drop them; go on from the newer home, or accept the loss with "murmure key resume" and start again`;
  return { code: 'invalid-data', message };
}
