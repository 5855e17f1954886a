/** The peer of a home as commands and the front end see it, whether it runs in this process or in another. */
import type { Peer } from '../peer/peer.ts';
import type { MurmureError } from '../wire/murmure-error.ts';

/** In this process the answer is there at once. */
type Later<F> = F extends (...args: infer A) => infer R ? (...args: A) => R | Promise<R> : never;

/** It is asked in events, and tells in facts. The rest is to be looked at. */
export interface HomePeer
  extends Pick<
    Peer,
    | 'name'
    | 'publicKey'
    | 'addresses'
    | 'root'
    | 'sessions'
    | 'directory'
    | 'silent'
    | 'unlisted'
    | 'unreachedReaders'
    | 'traffic'
    | 'ask'
    | 'on'
    | 'sync'
    | 'whenListed'
    | 'directoryPeers'
  > {
  /** Why it is there no more, where another process ran it. */
  readonly ended?: MurmureError | undefined;
  readonly contactWith: Later<Peer['contactWith']>;
  readonly syncUnderWay: Later<Peer['syncUnderWay']>;
  readonly explain: Later<Peer['explain']>;
}
