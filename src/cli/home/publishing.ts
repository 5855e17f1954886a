/** Whether a home may publish, and what it keeps of why it may not (docs/adr/0016). */
import type { Peer, PeerOptions, Store } from '../../index.ts';
import type { CommandContext } from '../context.ts';
import {
  clearStopped,
  type Home,
  isRestored,
  markRestored,
  markResumed,
  markStopped,
  refusalIn,
  resumptionIn,
  whyStopped,
} from './home.ts';

/** A peer that registers looks anew for others that publish with the same key. */
export async function beginPublishing(home: Home, store: Store, nowMs: number): Promise<Guard> {
  await clearStopped(home);
  return guardOf(home, store, nowMs);
}

export type Guard = Pick<PeerOptions, 'guarded' | 'givenUp'>;

/**
 * What a peer on this home is to ask others at its start. Until somebody has read the tree for which the owner has given up later ones, not
 * whether there is a later one than that. Nobody is asked about the trees before it.
 */
export function guardOf(home: Home, store: Store, nowMs: number): Guard {
  const resumption = resumptionIn(home);
  const own = store.ownFeed();
  const resumed = [own, ...store.formerOwnFeeds()].find(({ root }) => root === resumption?.root);
  if (resumption === undefined || resumed === undefined) return { guarded: true };
  const { sinceMs } = resumption;
  const isRead = sinceMs !== undefined && store.readersSince(sinceMs, nowMs).length > 0;
  const { messages } = resumed;
  if (isRead) return { guarded: true, givenUp: Math.max(0, messages - 1) };
  return { guarded: own.messages > messages, givenUp: messages };
}

type Kept = Pick<CommandContext, 'settings' | 'output'>;

/**
 * Keeps in the home why a peer on it has stopped publishing: others have newer messages, so that `post` is refused as well; or another
 * program publishes with the same key, so that `post` says that it only stores. And since when what was resumed can be read.
 */
export function keepStanding(
  { settings: { home }, output, nowMs }: Kept & Pick<CommandContext, 'nowMs'>,
  peer: Peer,
): void {
  const keep = (write: () => void) => {
    try {
      write();
    } catch (error) {
      output.warn(`whether this home may publish could not be kept: ${String(error)}`);
    }
  };
  peer.on('publishing.stopped', ({ failure: { code, message } }) =>
    keep(() => {
      if (code === 'in-use') markStopped(home, message);
      else markRestored(home, { root: peer.root, why: message });
    }),
  );
  const resumption = mayPublish(home) ? resumptionIn(home) : undefined;
  if (resumption === undefined || resumption.sinceMs !== undefined) return;
  keep(() => markResumed(home, { ...resumption, sinceMs: nowMs() }));
}

/** Why nothing may be published from this tree: others have a later one, and the owner has not given that up. */
export function whyRefused(home: Home, store: Store): string | undefined {
  const refusal = refusalIn(home);
  return refusal?.root === store.ownFeed().root ? refusal.why : undefined;
}

/** For commands that only store what is to be published. `what`: "the message", say. */
export function tellIfStopped({ settings: { home }, output }: Kept, what: string): void {
  const why = whyStopped(home);
  if (why === undefined) return;
  output.warn(`${what} is stored here, and is not published until this home publishes again: ${why}`);
}

/** Whether a peer on this home may tell others what it publishes, as far as is known before they are asked. */
export function mayPublish(home: Home): boolean {
  return !isRestored(home) && whyStopped(home) === undefined;
}
