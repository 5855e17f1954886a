/** What the effects of a peer need, and the facts that the effects report themselves. */

import type { Message } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { record } from '../journal/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { SharedDependencies } from '../runtime/shared-effects.ts';
import type { Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { DirectoryHttp } from './directory-http.ts';
import type { PeerEnvironment } from './peer.ts';

/** Facts that come from the store rather than from a machine. */
export type StoreFact =
  /** New messages, oldest first; at most the newest 1,000. `messages`: those that are still stored. */
  | {
      readonly type: 'messages.received';
      readonly peer: string;
      readonly hashes: readonly Hash[];
      readonly messages: readonly Message[];
    }
  | { readonly type: 'history.wentBack'; readonly name: string; readonly root: Hash }
  | { readonly type: 'key.changed'; readonly name: string };

export interface PeerDependencies extends SharedDependencies {
  readonly wallClock: Clock;
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly store: Store;
  readonly http: DirectoryHttp;
  readonly tell: (fact: StoreFact) => void;
  /** The own tree was changed, or it is known of a further one that others may have: what they are told and asked changes as well. */
  readonly announce: (root: Hash) => void;
  readonly localIps: () => readonly string[];
}

/** The address at which the directory was found. It may be another one when it is looked up again. */
export interface KnownDirectory {
  addresses: readonly SocketAddress[];
  key: PublicKey | undefined;
}

/** What a peer needs from the machine or the simulation on which it runs. */
export interface Outside extends Omit<PeerEnvironment, 'seed'> {
  readonly seed?: Uint8Array | undefined;
  /** Where journals can be written. */
  readonly record?: typeof record;
}
