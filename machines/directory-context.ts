/** What the directory remembers, hears and tells; pure. */
import type { AnyActorRef } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Table } from '../src/merkle/hash-table.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Random } from './effects.ts';
import type { Delivery, SocketReport, Sockets } from './events.ts';

export type DirectoryEvent =
  | SocketReport
  /** `forged`: no key registered under this name made the signature. */
  | {
      readonly type: 'hello.checked';
      readonly hello: Delivery;
      readonly status: 'registered' | 'unregistered' | 'forged';
      readonly key: PublicKey | undefined;
    }
  | {
      readonly type: 'traversal.checked';
      readonly sender: SocketAddress;
      readonly target: SocketAddress;
      readonly isListed: boolean;
    }
  | { readonly type: 'sweep'; readonly atMs: number }
  | { readonly type: 'directory.stop' };

/** What an operator may want to know: emitted. */
export type DirectoryFact =
  /** `index`: of the local address that was asked for. Again, if it had to be bound again. */
  | { readonly type: 'socket.bound'; readonly index: number; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  | { readonly type: 'hello.answered'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'hello.ignored'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'address.proven'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'address.unproven'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'traversal.forwarded'; readonly sender: SocketAddress; readonly target: SocketAddress }
  | { readonly type: 'directory.warning'; readonly message: string };

export interface DirectoryInput {
  readonly binds: readonly SocketAddress[];
  readonly random: Random;
}

export interface ProofRow {
  readonly address: SocketAddress;
  readonly socket: AnyActorRef;
  readonly atMs: number;
}

export interface SessionRow {
  readonly address: SocketAddress;
  readonly openedAtMs: number;
  /** When the address was last proven under its name; undefined: never. */
  readonly provenAtMs: number | undefined;
  readonly name: string;
  /** Bytes that may go there for Hellos that were not answered, while the address is not proven. */
  readonly paid: number;
}

export interface DirectoryContext extends DirectoryInput {
  readonly sockets: Sockets;
  /** By source address. */
  readonly sessions: Table<SessionRow>;
  /** Addresses that are being proven. */
  readonly proving: Table<ProofRow>;
  /** Since the last sweep, by address: Errors sent, and traversals asked for or aimed at. */
  readonly errorsSent: number;
  readonly errorsTo: Table<number>;
  readonly traversals: Table<number>;
}
