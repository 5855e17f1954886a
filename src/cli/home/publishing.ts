/** Whether a home may publish, and what it keeps of why it may not (docs/adr/0016). */
import type { Peer } from '../../index.ts';
import type { CommandContext } from '../context.ts';
import {
  clearResumed,
  clearStopped,
  type Home,
  isRestored,
  isResumed,
  markRestored,
  markStopped,
  whyStopped,
} from './home.ts';

/** A peer that registers looks anew for others that publish with the same key. Resolves to whether it is guarded. */
export async function beginPublishing(home: Home): Promise<boolean> {
  await clearStopped(home);
  return isGuarded(home);
}

/** Whether a peer on this home is to ask, at its start, if others have newer messages: not if the owner has given them up. */
export function isGuarded(home: Home): boolean {
  return !isResumed(home);
}

type Kept = Pick<CommandContext, 'settings' | 'output'>;

/**
 * Keeps in the home why a peer on it has stopped publishing: others have newer messages, so that `post` is refused as well; or another
 * program publishes with the same key, so that `post` says that it only stores.
 */
export function keepStop({ settings: { home }, output }: Kept, peer: Peer): void {
  peer.on('publishing.stopped', ({ failure: { code, message } }) => {
    try {
      if (code === 'in-use') markStopped(home, message);
      else markRestored(home);
    } catch (error) {
      output.warn(`why nothing is published any more could not be kept: ${String(error)}`);
    }
  });
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

/** Keeps in the home that nobody has the newer messages any more whose loss the owner has accepted. */
export function forgetResumption({ settings: { home } }: Kept, peer: Peer): void {
  if (!isResumed(home)) return;
  const clearWhenGone = async () => {
    const outcomes = (await peer.checkHistory()).map(({ outcome }) => outcome);
    if (outcomes.includes('same') && !outcomes.includes('later')) await clearResumed(home);
  };
  // The peer may be closed meanwhile; it is asked again after the next start.
  clearWhenGone().catch(() => {});
}
