/** A peer for one command: it asks others, but neither registers nor serves. */
import type { Peer, PeerFact, PeerOptions } from '../../index.ts';
import type { Store } from '../../store/store.ts';
import type { CommandContext, DirectoryAccess } from '../context.ts';
import { type Identity, openIdentity, openStore } from '../home/open-home.ts';
import { type Guard, guardOf, keepStanding, mayPublish } from '../home/publishing.ts';
import { renderWarning } from '../render/event.ts';
import { journalOption } from './journal-option.ts';
import { rateLimited } from './rate-limit.ts';

export interface OneShotPeer extends AsyncDisposable {
  readonly peer: Peer;
  readonly store: Store;
}

/** What a person should know besides how the command ends, which says the rest. */
const TOLD: readonly PeerFact['type'][] = [
  'error.received',
  'history.wentBack',
  'socket.failed',
  'peer.warning',
  'publishing.stopped',
];

/** Errors that others send are always shown (protocol §4), and so is a history that went back (§9). */
export function tellWarnings({ output, nowMs }: Pick<CommandContext, 'output' | 'nowMs'>, peer: Peer): () => void {
  const warn = (text: string) => output.warn(text);
  const tell = rateLimited((fact) => warn(renderWarning(fact) ?? ''), { nowMs, warn });
  return peer.on('*', (fact) => {
    if (TOLD.includes(fact.type)) tell(fact);
  });
}

/** Whoever follows us asks for our root as soon as there is a session. */
export function oneShotOptions(
  { settings: { home }, nowMs }: Pick<CommandContext, 'settings' | 'nowMs'>,
  store: Store,
): Pick<PeerOptions, 'register' | 'publish'> & Guard {
  return { register: false, publish: mayPublish(home), ...guardOf(home, store, nowMs()) };
}

/** Disposing of it closes the peer, then the store. `identity`: if it is open already. @throws NoIdentityError */
export async function openPeer(
  context: Pick<CommandContext, 'settings' | 'services' | 'prompts' | 'output' | 'nowMs'>,
  access: DirectoryAccess,
  identity?: Identity,
): Promise<OneShotPeer> {
  const { settings, services } = context;
  const { name, keyPair } = identity ?? (await openIdentity(context));
  await using resources = new AsyncDisposableStack();
  const { store } = await openStore(settings.home);
  resources.use(store);
  const options = {
    ...{ name, keyPair, store, quota: settings.quota, ...access },
    ...oneShotOptions(context, store),
    ...(await journalOption(context)),
  };
  const peer = resources.use(await services.createPeer(options));
  tellWarnings(context, peer);
  keepStanding(context, peer);
  const kept = resources.move();
  return { peer, store, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
