/** What actors tell each other, and the shapes in it. Events that only one machine receives stand in its own file. */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Adoption } from '../src/store/store.ts';
import type { Datagram, ReceivedDatagram } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { ErrorCode } from '../src/wire/murmure-error.ts';
import { isIPv6, type SocketAddress } from '../src/wire/socket-address.ts';
import type { Wanted } from './bulk-answer.ts';
import type { RefFor, SocketRef } from './messages.ts';

/** Why something did not work out: a code of the error classes and one sentence for a person. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Our sockets by family; a family may be missing. */
export interface Sockets {
  readonly ipv4?: SocketRef;
  readonly ipv6?: SocketRef;
  /** The smallest of their receive buffers that is known: no more may be under way to us. */
  readonly receiveBufferBytes?: number;
}

type SocketReady = Extract<SocketReport, { readonly type: 'socket.ready' }>;

/** With a socket that is ready: the first of its family is used, or the one that has taken its place. */
export function withSocket(sockets: Sockets, { address, socket, receiveBufferBytes }: SocketReady): Sockets {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const held = sockets[family];
  if (held !== undefined && held.id !== socket.id) return sockets;
  const smallest = Math.min(
    receiveBufferBytes ?? Number.POSITIVE_INFINITY,
    sockets.receiveBufferBytes ?? Number.POSITIVE_INFINITY,
  );
  return { ...sockets, [family]: socket, ...(Number.isFinite(smallest) ? { receiveBufferBytes: smallest } : {}) };
}

export function socketFor(sockets: Sockets, address: SocketAddress): SocketRef | undefined {
  return isIPv6(address) ? sockets.ipv6 : sockets.ipv4;
}

/** Where a peer is and what key it is bound to. */
export interface Located {
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | undefined;
  /** It answers only ids that end in zero, as seen before (protocol §11, C). */
  readonly zeroEndingIds?: boolean;
  /** It answers only a Hello without flags, as seen before (protocol §10). */
  readonly noFlags?: boolean;
  /** Its Roots are believed without a signature: the user says so (protocol §4). */
  readonly trustsUnsigned?: boolean;
}

/** A datagram as a socket hands it on. */
export interface Delivery {
  readonly received: ReceivedDatagram;
  readonly from: SocketAddress;
  /** Bytes of the whole datagram. */
  readonly size: number;
  readonly atMs: number;
  readonly socket: SocketRef;
}
export type RequestReceived = { readonly type: 'request.received' } & Delivery;
export type StrangerAsked = { readonly type: 'stranger.asked' } & Delivery;
export type UnsolicitedReceived = { readonly type: 'datagram.unsolicited' } & Delivery;

/** What was asked of one session in one turn of the event loop; `size`: bytes of all these datagrams. */
export interface NodesRequested {
  readonly type: 'nodes.requested';
  readonly requests: readonly NodeRequest[];
  readonly size: number;
  readonly atMs: number;
}
export type NodeRequest = Extract<Datagram, { type: 'GetDatum' }>;

/** GetNodes that came to one session in one turn (protocol §10.1). */
export interface BulkRequested {
  readonly type: 'bulk.requested';
  readonly requests: readonly BulkRequest[];
  readonly size: number;
  readonly atMs: number;
}
export type BulkRequest = Extract<Datagram, { type: 'GetNodes' }>;

/** Nodes that answer one request, as they came in one turn. */
export interface AnswersReceived {
  readonly type: 'answers.received';
  readonly answers: readonly NodesDatagram[];
  readonly atMs: number;
}
export type NodesDatagram = Extract<Datagram, { type: 'Nodes' }>;

/** An answer from where it was expected; whether it fits, its request decides. */
export interface AnswerReceived {
  readonly type: 'answer.received';
  readonly answer: ReceivedDatagram;
  readonly from: SocketAddress;
  readonly atMs: number;
}

/** All answers that came in one turn of the event loop were handed over. */
export interface AnswersDelivered {
  readonly type: 'answers.delivered';
  readonly atMs: number;
}

/** A node whose hash was checked. */
export interface ReceivedNode {
  readonly hash: Hash;
  readonly value: Uint8Array;
  /** How far below the root it was asked for, if that was in bulk. */
  readonly depth?: number | undefined;
}

/** From a socket to its owner. */
export type SocketReport =
  | {
      readonly type: 'socket.ready';
      readonly index: number;
      readonly address: SocketAddress;
      readonly receiveBufferBytes?: number | undefined;
      readonly socket: SocketRef;
    }
  | { readonly type: 'socket.lost'; readonly index: number; readonly why: string }
  | StrangerAsked
  | UnsolicitedReceived;

/** From an outgoing session to whom it serves. */
export type SessionAnswer = SessionReadiness | RootResult | NodesResult;

/** Whether there is a session, and what the Hellos for it have cost. `window`, `isBulk`: as in what requests cost. */
export type SessionReadiness =
  | ({
      readonly type: 'session.ready';
      readonly session: RefFor<'merkle-walk', 'outgoing-session'>;
      readonly window: number;
      readonly isBulk: boolean;
      readonly atMs: number;
    } & Spent)
  | ({ readonly type: 'session.failed'; readonly failure: Failure } & Spent);

/** Datagrams sent, and those of them that were repeats. */
export interface Spent {
  readonly sent: number;
  readonly repeated: number;
}

/** What requests that are over have cost. */
export interface Cost extends Spent {
  /** How many datagrams with answers may be under way now. */
  readonly window: number;
  /** Nodes may be asked for in bulk now (protocol §10.1). */
  readonly isBulk: boolean;
  /** Datagrams that were under way, and are not any more. */
  readonly freed: number;
}

/** `isFinal`: asking once more would get the same. */
export type RootResult =
  | ({
      readonly type: 'root.received';
      readonly root: Hash;
      readonly authenticated: boolean;
      readonly atMs: number;
    } & Cost)
  | ({ readonly type: 'root.failed'; readonly failure: Failure; readonly isFinal: boolean } & Cost);

export type NodesResult =
  | ({
      readonly type: 'nodes.received';
      readonly nodes: readonly ReceivedNode[];
      /** Asked for in bulk, and to be asked for again. */
      readonly unserved: readonly Wanted[];
      /** The same, one by one. */
      readonly single: readonly Hash[];
      readonly atMs: number;
    } & Cost)
  | ({ readonly type: 'nodes.absent'; readonly hashes: readonly Hash[]; readonly atMs: number } & Cost)
  | ({
      readonly type: 'nodes.failed';
      readonly hashes: readonly Hash[];
      readonly ticket: number;
      readonly failure: Failure;
      readonly isFinal: boolean;
    } & Cost);

/** From an outgoing session to its owner. */
export type OutgoingSessionReport =
  | {
      readonly type: 'session.established';
      readonly session: string;
      readonly name: string;
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      /** Ids of the Hello of ours that was answered there: whoever knows one of them is there. */
      readonly provenBy: readonly number[];
      readonly atMs: number;
    }
  /** Another Hello was answered there. */
  | {
      readonly type: 'session.renewed';
      readonly session: string;
      readonly name: string;
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly provenBy: readonly number[];
    }
  /** The path in use does not answer any more, or does so again. */
  | { readonly type: 'session.silent' | 'session.answers'; readonly name: string; readonly address: SocketAddress }
  /** The root that it names when it is only asked whether it answers. */
  | {
      readonly type: 'root.seen';
      readonly name: string;
      readonly root: Hash;
      readonly authenticated: boolean;
      readonly atMs: number;
    }
  | {
      readonly type: 'session.lost';
      readonly session: string;
      readonly name: string;
      /** Where it was greeted, if by address. */
      readonly address?: SocketAddress | undefined;
      /** A Root was pushed that the peer has not asked for. */
      readonly hasPush: boolean;
      readonly failure: Failure | undefined;
    }
  /** Nobody has wanted it for a while; it is to be stopped. */
  | { readonly type: 'session.ended'; readonly session: string }
  | { readonly type: 'traversal.wanted'; readonly address: SocketAddress }
  /** In answer to a request of ours. */
  | { readonly type: 'error.answered'; readonly from: SocketAddress; readonly name: string; readonly text: string };

/** From an incoming session to its owner. */
export type IncomingSessionReport =
  | {
      readonly type: 'session.accepted';
      readonly name: string;
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly proven: boolean;
      readonly atMs: number;
    }
  | {
      readonly type: 'address.proven';
      readonly name: string;
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly atMs: number;
      readonly roundTripMs?: number | undefined;
      /** Our Hello was answered only when it announced no extension. */
      readonly isBare?: boolean;
    }
  /** A Hello was believed and answered: what it says of extensions, and its id, which proves our address to the other side. */
  | {
      readonly type: 'hello.answered';
      readonly name: string;
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly flags: number;
      readonly id: number;
    }
  | { readonly type: 'session.expired'; readonly address: SocketAddress }
  /** It was refused, or expired long ago; it is to be stopped. */
  | { readonly type: 'session.forgotten'; readonly address: SocketAddress }
  /** Somebody at a proven address asks for our tree; `hasNewest`: for the newest root of it. */
  | { readonly type: 'reader.seen'; readonly name: string; readonly hasNewest: boolean; readonly atMs: number }
  /** It asks for our root after a silence, and waits for the answer. */
  | { readonly type: 'reader.returned'; readonly name: string; readonly atMs: number }
  | ErrorOwed;

/** An Error that somebody is owed; the owner limits how many go out. */
export interface ErrorOwed {
  readonly type: 'error.owed';
  readonly id: number;
  readonly to: SocketAddress;
  readonly text: string;
  readonly socket: SocketRef;
}

export type Adopted = Extract<Adoption, { status: 'adopted' }>;

/** The own tree as it is, or was. */
export interface HistoryStep {
  /** Null: one that stands in every later tree as well, so that having it tells nothing. */
  readonly root: Hash | null;
  /** The newest message of it that was not withdrawn since. */
  readonly leaf: Hash;
  /** Where the root tells nothing: a node that only those have who hold a later tree than this one, as far as they know of such nodes. */
  readonly later?: Hash;
}

/** The own tree as it is, then as it was before each of the last changes; never empty. Bounded by the changes that a home remembers. */
export type OwnHistory = readonly HistoryStep[];

/**
 * What another peer has of our tree: `later` – one of our latest messages, but no root of a tree that ends with it: it has moved on to a
 * later tree of ours; `same` – one of the roots; `unknown` – nothing that would tell; `unreachable` – no answer, for the reason given.
 */
export interface HistoryCheck {
  readonly peer: string;
  readonly outcome: 'later' | 'same' | 'unknown' | 'unreachable';
  readonly failure?: Failure;
}

/** How a sync ended: the sync line of the command line. What it cost counts all that it asked for, the Hellos for its session included. */
export interface SyncReport {
  readonly peer: string;
  readonly status: 'updated' | 'unchanged' | 'failed';
  /** The root that was asked for; null if none came. */
  readonly root: Hash | null;
  readonly newMessages: number;
  readonly withdrawnMessages: number;
  readonly totalMessages: number;
  readonly nodesFetched: number;
  readonly bytesFetched: number;
  readonly datagramsSent: number;
  readonly retransmissions: number;
  readonly durationMs: number;
  readonly error?: Failure;
}

/** As far as a walk knows it: what a timer ends has no time of its own. */
export type WalkReport = Omit<SyncReport, 'durationMs'>;
