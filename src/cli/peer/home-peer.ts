/** The peer of this home for one command: the one that runs already, else one that the command opens. */
import type { Store } from '../../index.ts';
import type { AttachedPeer } from '../../local-api/attached-peer.ts';
import type { LocalApi } from '../../local-api/client.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { openPeer } from './one-shot-peer.ts';
import { findRunningPeer, requireNoQuota } from './running-peer.ts';

export interface OpenedPeer extends AsyncDisposable {
  readonly peer: HomePeer;
  readonly store: Store;
  /** The same peer, if another process runs it. */
  readonly attached: AttachedPeer | undefined;
}

/** Disposing of it closes what was opened here. @throws as `findRunningPeer` and `openPeer` */
export async function openHomePeer(context: CommandContext): Promise<OpenedPeer> {
  const api = await findRunningPeer(context);
  if (api !== undefined) return openAttachedPeer(context, api);
  const { peer, store, [Symbol.asyncDispose]: dispose } = await openPeer(context, await requireDirectory(context));
  return { peer, store, attached: undefined, [Symbol.asyncDispose]: dispose };
}

/** With the store of the home, to be read. */
async function openAttachedPeer({ settings }: CommandContext, api: LocalApi): Promise<OpenedPeer> {
  const { attach } = await import('../../local-api/attached-peer.ts');
  await using resources = new AsyncDisposableStack();
  resources.defer(() => api.close());
  requireNoQuota(settings, api.process);
  const { store } = await openStore(settings.home);
  resources.use(store);
  const attached = resources.use(await attach(api));
  const kept = resources.move();
  return { peer: attached, store, attached, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
