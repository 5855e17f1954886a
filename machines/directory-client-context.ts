/** What the directory client hears, tells, and remembers. */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Failure, RootResult } from './events.ts';
import type { RefFor } from './messages.ts';

export type DirectoryClientEvent =
  | {
      readonly type: 'directory.found';
      readonly addresses: readonly SocketAddress[];
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  | { readonly type: 'registration.accepted'; readonly atMs: number }
  | { readonly type: 'listing.checked'; readonly addresses: readonly SocketAddress[]; readonly atMs: number }
  | { readonly type: 'directory.failed'; readonly failure: Failure; readonly atMs: number }
  /** One of the directory's UDP addresses has answered our Hello. */
  | { readonly type: 'greeting.answered' }
  /** None of the directory's UDP addresses answered. */
  | { readonly type: 'greeting.failed'; readonly failure: Failure }
  /** Whatever is known of our standing may be out of date. */
  | { readonly type: 'registration.renew'; readonly atMs: number }
  /** Nothing is published any more: the directory is to forget us. */
  | { readonly type: 'registration.stop' }
  /** A question about its list has stayed unanswered. */
  | { readonly type: 'directory.doubted' }
  /** Another program may be listed under our name. */
  | { readonly type: 'listing.wanted' }
  /** A local address was bound. */
  | { readonly type: 'port.bound'; readonly port: number }
  /** IP addresses of this machine. */
  | { readonly type: 'ips.changed'; readonly ips: readonly string[] }
  /** How the directory answered our RootRequest. */
  | RootResult;

/** What the owner hears. */
export type DirectoryClientReport =
  | {
      readonly type: 'directory.known';
      readonly addresses: readonly SocketAddress[];
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  /** Hello is wanted to each of the directory's addresses. */
  | { readonly type: 'directory.greetingWanted'; readonly atMs: number }
  /** RootRequest is wanted: does the directory still know us? */
  | {
      readonly type: 'directory.checkWanted';
      readonly requester: RefFor<'outgoing-session', 'directory-client'>;
    }
  /** `wasUnheard`: UDP has failed meanwhile, so that nobody may have reached us. */
  | {
      readonly type: 'registration.listed';
      readonly addresses: readonly SocketAddress[];
      readonly wasUnheard: boolean;
      readonly atMs: number;
    }
  /** While all is well: who is listed under our name now. */
  | { readonly type: 'listing.read'; readonly addresses: readonly SocketAddress[]; readonly atMs: number }
  | { readonly type: 'registration.failed'; readonly failure: Failure; readonly retryInMs: number };

export interface DirectoryClientInput {
  readonly owner: RefFor<'directory-client', 'peer'>;
  /** False: only find the directory, for peers that do not wait for strangers. */
  readonly register: boolean;
  /** UDP ports that we listen on now. Bounded by the local addresses. */
  readonly ports: readonly number[];
  /** IP addresses of this machine. */
  readonly ips: readonly string[];
}

export interface DirectoryClientContext extends DirectoryClientInput {
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | undefined;
  readonly listed: readonly SocketAddress[];
  readonly retryMs: number;
  readonly pollMs: number;
  readonly waitedMs: number;
  readonly registeredAtMs: number;
  readonly listedAtMs: number;
  readonly atMs: number;
  /** When the directory last answered; undefined: not yet. */
  readonly answeredAtMs: number | undefined;
  /** Why we are not listed, as far as something is known to be wrong. */
  readonly failure: Failure | undefined;
  /** Our Hello was answered since we registered last. */
  readonly isGreeted: boolean;
  /** What was asked over UDP last stayed unanswered, and HTTPS has not failed since. */
  readonly isUnanswered: boolean;
  /** UDP has failed since we were listed last: nobody may have reached us. */
  readonly isUnheard: boolean;
}
