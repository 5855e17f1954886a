/** `murmure mute` and `unmute`: whose messages the timeline leaves out. They are downloaded all the same. */
import { safeLine } from '../../feed/safe-text.ts';
import type { CommandContext } from '../context.ts';
import { UnknownPeerError, UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireValidName } from '../input/validate.ts';

export async function mute({ settings, output, nowMs }: CommandContext, peer: string): Promise<void> {
  requireValidName(peer);
  const { name, store: opened } = await openStore(settings.home);
  using store = opened;
  if (peer === name) throw new UsageError(`"${peer}" is yourself: take single messages back with "murmure withdraw"`);
  store.setMuted(peer, true, nowMs());
  output.data({ peer, muted: true }, () => `you no longer see ${safeLine(peer)} in the timeline`);
}

export async function unmute({ settings, output, nowMs }: CommandContext, peer: string): Promise<void> {
  requireValidName(peer);
  using store = (await openStore(settings.home)).store;
  if (store.peer(peer) === undefined) throw new UnknownPeerError(peer);
  store.setMuted(peer, false, nowMs());
  output.data({ peer, muted: false }, () => `you see ${safeLine(peer)} in the timeline again`);
}
