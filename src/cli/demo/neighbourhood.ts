/** A directory and some neighbours within this program, on loopback: to try things without a network. */
import { sha256 } from '@noble/hashes/sha2.js';
import { generateKeyPair, type KeyPair, keyPairFromSecret } from '../../identity/key-pair.ts';
import type { Peer, PeerOptions } from '../../index.ts';
import type { Store } from '../../store/store.ts';
import { abortable } from '../abortable.ts';
import type { CommandContext, DirectoryAccess } from '../context.ts';
import { createSampleStores } from './sample-stores.ts';

export const LOOPBACK = ['127.0.0.1:0'];

export interface Neighbourhood extends AsyncDisposable {
  readonly access: Required<DirectoryAccess>;
  /** Of the neighbours, each with messages of their own. */
  readonly names: readonly string[];
}

type Context = Pick<CommandContext, 'services' | 'signal' | 'nowMs'>;

/** Resolves once all neighbours are listed. `note` is told how far it is. */
export async function openNeighbourhood(context: Context, note: (text: string) => void): Promise<Neighbourhood> {
  await using resources = new AsyncDisposableStack();
  const directory = resources.use(await context.services.createDirectory({ listen: '127.0.0.1:0', udp: LOOPBACK }));
  note(`A directory runs at ${directory.url}.`);
  const access = { directory: String(directory.url), ca: directory.ca };
  const stores = createSampleStores(context.nowMs());
  await Promise.all(
    stores.entries().map(async ([name, store]) => {
      resources.use(store);
      resources.use(await startPeer(context, { name, store, keyPair: await keyPairOf(name), ...access }));
    }),
  );
  const names = [...stores.keys()];
  note(`${names.join(', ')} have registered. Each has messages of their own.`);
  const kept = resources.move();
  return { access, names, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The same each time, or whoever comes back would be warned of changed keys. No secret: these peers are on loopback alone. */
function keyPairOf(name: string): Promise<KeyPair> {
  return keyPairFromSecret(sha256(new TextEncoder().encode(`murmure demo: ${name}`)));
}

export interface LocalPeerOptions extends Partial<PeerOptions> {
  readonly name: string;
  readonly store: Store;
  readonly directory: string;
}

/** A peer on loopback, with a key of its own unless it has one. Resolves once it is listed. */
export async function startPeer({ services, signal }: Context, options: LocalPeerOptions): Promise<Peer> {
  const keyPair = options.keyPair ?? (await generateKeyPair());
  await using resources = new AsyncDisposableStack();
  const peer = resources.use(await services.createPeer({ udp: LOOPBACK, ...options, keyPair }));
  await abortable(peer.whenListed(signal), signal);
  resources.move();
  return peer;
}
