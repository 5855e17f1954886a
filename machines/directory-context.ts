/** What the directory remembers, hears and tells; pure. */
import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Table } from '../src/merkle/hash-table.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { AddressProofOutput } from './address-proof.machine.ts';
import type { Accounts } from './directory-accounts.ts';
import type { Sessions } from './directory-sessions.ts';
import type { Random } from './effects.ts';
import type { Delivery, SocketReport, Sockets } from './events.ts';
import type { SocketRef } from './messages.ts';

/** An address under which a name is listed, or was. */
export interface ListedAddress {
  readonly name: string;
  readonly key: PublicKey | undefined;
  readonly address: SocketAddress;
}

export type HelloChecked = {
  readonly type: 'hello.checked';
  readonly hello: Delivery;
  /** `forged`: no key registered under this name made the signature. */
  readonly status: 'registered' | 'unregistered' | 'forged';
  readonly key: PublicKey | undefined;
  /** The address is listed under this name. */
  readonly isListed: boolean;
};

export type DirectoryEvent =
  | SocketReport
  | HelloChecked
  | {
      readonly type: 'traversal.checked';
      readonly sender: SocketAddress;
      readonly target: SocketAddress;
      readonly isListed: boolean;
      /** The instance that can reach the target, where several share a registry; undefined: this one. */
      readonly through?: string | undefined;
    }
  /** A registration from this host was accepted over HTTPS. */
  | { readonly type: 'host.vouched'; readonly host: string; readonly atMs: number }
  /** An address is new to this name; `others` are those that it has had before. */
  | ({
      readonly type: 'address.listed';
      readonly others: readonly SocketAddress[];
      readonly atMs: number;
    } & ListedAddress)
  /** How long ago these were proven nobody knows. */
  | { readonly type: 'addresses.undated'; readonly addresses: readonly ListedAddress[]; readonly atMs: number }
  | { readonly type: 'sweep'; readonly atMs: number }
  | { readonly type: 'directory.stop' }
  | DoneActorEvent<AddressProofOutput, `address-proof.${string}`>
  | ErrorActorEvent<unknown, string>;

/** What an operator may want to know: emitted. */
export type DirectoryFact =
  /** `index`: of the local address that was asked for. Reported again if the socket had to be bound again. */
  | { readonly type: 'socket.bound'; readonly index: number; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  | { readonly type: 'hello.answered'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'hello.ignored'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'address.proven'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'address.unproven'; readonly name: string; readonly address: SocketAddress }
  /** It was listed, and did not answer when it was asked again. */
  | { readonly type: 'address.dropped'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'traversal.forwarded'; readonly sender: SocketAddress; readonly target: SocketAddress }
  /** To the instance that can reach the target. */
  | { readonly type: 'traversal.relayed'; readonly sender: SocketAddress; readonly target: SocketAddress }
  | { readonly type: 'directory.warning'; readonly message: string };

export interface DirectoryInput {
  readonly binds: readonly SocketAddress[];
  readonly random: Random;
}

export interface ProofRow extends ListedAddress {
  readonly socket: SocketRef;
  /** The address is listed, and is asked whether it still answers; otherwise its owner said Hello. */
  readonly isProbe: boolean;
  /** Of the actor that asks. */
  readonly slot: number;
}

/** A listed address that is to be asked whether it still answers. */
export interface Probe extends ListedAddress {
  readonly dueAtMs: number;
}

export interface DirectoryContext extends DirectoryInput {
  readonly sockets: Sockets;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  /** Addresses to which our Hello is on its way, the oldest first; changed in place as sessions are. BOUNDED by `MAX_PROOFS`. */
  readonly proving: Map<string, ProofRow>;
  /** By address; changed in place as sessions are. BOUNDED by `MAX_PROBES`. */
  readonly probes: Map<string, Probe>;
  /** Since the last sweep, by address: Errors sent, BOUNDED by `limits.errorsInAll`, and traversals asked for or aimed at, BOUNDED by the sessions. */
  readonly errorsSent: number;
  readonly errorsTo: Table<number>;
  readonly traversals: Table<number>;
}
