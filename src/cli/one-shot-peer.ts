/** A peer for one command: it asks others, but neither registers nor serves. */
import type { Peer } from '../index.ts';
import type { Store } from '../store/store.ts';
import type { CommandContext, DirectoryAccess } from './context.ts';
import { journalOption } from './journal-option.ts';
import { openIdentity, openStore } from './open-home.ts';

export interface OneShotPeer extends AsyncDisposable {
  readonly peer: Peer;
  readonly store: Store;
}

/** Disposing of it closes the peer, then the store. @throws NoIdentityError */
export async function openPeer(
  context: Pick<CommandContext, 'settings' | 'services' | 'prompts' | 'output'>,
  access: DirectoryAccess,
): Promise<OneShotPeer> {
  const { settings, services } = context;
  const { name, keyPair } = await openIdentity(context);
  await using resources = new AsyncDisposableStack();
  const { store } = await openStore(settings.home);
  resources.use(store);
  const options = { name, keyPair, store, register: false, ...access, ...(await journalOption(context)) };
  const peer = resources.use(await services.createPeer(options));
  const kept = resources.move();
  return { peer, store, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
