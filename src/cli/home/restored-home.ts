/**
 * A home that was restored from a backup publishes nothing before those whom it follows were asked for newer messages of its own: to
 * publish over them would take them back for everybody (docs/adr/0016).
 */
import type { HistoryCheck } from '../../index.ts';
import { followedPeers } from '../../store/followed.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { LostMessagesError, NewerMessagesError, NobodyAskedError } from '../errors.ts';
import { openPeer } from '../peer/one-shot-peer.ts';
import { clearRestored, hasLostStore, isRestored } from './home.ts';
import { type Identity, openStore } from './open-home.ts';
import { whyRefused } from './publishing.ts';

/**
 * Returns once this home may publish, and then does so at once the next time. `identity`, if it is open already: else a passphrase may be
 * asked for. @throws LostMessagesError, NewerMessagesError, NobodyAskedError, UsageError without a directory
 */
export async function requireWholeHistory(context: CommandContext, identity?: Identity): Promise<void> {
  const { home } = context.settings;
  if (!isRestored(home) && !hasLostStore(home)) return;
  using store = (await openStore(home)).store;
  // Of a tree of which nothing is left nobody can be asked for anything.
  if (store.ownFeed().messages === 0) throw new LostMessagesError(home.storeFile);
  const why = whyRefused(home, store);
  if (why !== undefined) throw new MurmureError('invalid-data', why);
  const checks = await askFollowed(context, identity);
  const later = checks.filter(({ outcome }) => outcome === 'later');
  if (later.length > 0) throw new NewerMessagesError(later.map(({ peer }) => peer));
  const [first] = checks;
  if (first !== undefined && checks.every(({ outcome }) => outcome === 'unreachable')) {
    throw new NobodyAskedError(first.peer, first.failure?.message ?? '');
  }
  await clearRestored(home);
}

async function askFollowed(context: CommandContext, identity?: Identity): Promise<readonly HistoryCheck[]> {
  const { settings, output, signal } = context;
  // Who follows nobody needs no directory for that.
  if (!(await followsAnybody(context))) return [];
  output.note('This home was restored from a backup: asking the peers you follow for newer messages of yours …');
  // A journal is about what comes after.
  const unrecorded = { ...context, settings: { ...settings, record: undefined } };
  using progress = output.progress();
  progress.tell('waiting for the directory, and for the peers you follow');
  await using session = await openPeer(unrecorded, await requireDirectory(context), identity);
  return await abortable(session.peer.checkHistory(), signal);
}

async function followsAnybody({ settings }: CommandContext): Promise<boolean> {
  const { name: ownName, store: opened } = await openStore(settings.home);
  using store = opened;
  return followedPeers(store, ownName).length > 0;
}
