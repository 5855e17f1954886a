/** What an incoming session knows and hears, and how much it may send; pure. */

import type { DoneActorEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { BULK_FLAG } from '../src/wire/bulk.ts';
import type { Datagram } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { AddressProofOutput } from './address-proof.machine.ts';
import type { Random } from './effects.ts';
import type { BulkRequested, Delivery, NodesRequested, RequestReceived } from './events.ts';
import type { RefFor, SocketRef } from './messages.ts';
import { limits, timing } from './timing.ts';

export type IncomingSessionEvent =
  | RequestReceived
  | NodesRequested
  | BulkRequested
  | { readonly type: 'key.found'; readonly key: PublicKey | undefined; readonly trusted: boolean }
  | { readonly type: 'hello.verified'; readonly id: number; readonly valid: boolean }
  | { readonly type: 'nodes.read'; readonly nodes: readonly NodeRead[] }
  /** Undefined: nobody may learn it any more. */
  | { readonly type: 'root.changed'; readonly root: Hash | undefined }
  /** Of our Hello and HelloReply from now on. */
  | { readonly type: 'flags.changed'; readonly flags: number }
  /** A Hello of ours was answered from this address, under this name and key. */
  | {
      readonly type: 'session.proven';
      readonly name: string;
      readonly key: PublicKey | undefined;
      readonly provenBy: readonly number[];
    }
  | { readonly type: 'sweep'; readonly atMs: number }
  | DoneActorEvent<AddressProofOutput, 'address-proof'>;

/** What the store has for a GetDatum; undefined: nothing. */
export interface NodeRead {
  readonly id: number;
  readonly hash: Hash;
  readonly value: Uint8Array | undefined;
}

export interface IncomingSessionInput {
  readonly address: SocketAddress;
  readonly ownName: string;
  /** Undefined: RootRequest stays unanswered. */
  readonly ownRoot: Hash | undefined;
  readonly owner: RefFor<'incoming-session', 'peer'>;
  readonly socket: SocketRef;
  readonly random: Random;
  /** Of our Hello and HelloReply: the extensions that we have (protocol §10). */
  readonly flags: number;
  /** The Hello that opens it. */
  readonly hello: Delivery;
  /** The first HelloReply and one Hello of ours go out, whether this Hello pays for them or not. */
  readonly isGreetingFree: boolean;
  /** An outgoing session to this very address and name exists: nothing is left to prove. */
  readonly proven: boolean;
  /** Ids of the Hello of ours that was answered there; none if nothing is proven. */
  readonly provenBy: readonly number[];
}

export interface IncomingSessionContext extends Omit<IncomingSessionInput, 'hello' | 'provenBy'> {
  /** The Hello that is being looked into. */
  readonly hello: Delivery | undefined;
  /** A Hello under another name, while it is not clear whether it really comes from here. */
  readonly newcomer: Delivery | undefined;
  readonly name: string;
  readonly key: PublicKey | undefined;
  /** Flags of the Hello that was answered last. */
  readonly theirFlags: number;
  /** One of its Hellos announced extensions; those that look for a path announce none. */
  readonly hasExtensions: boolean;
  /** Ids of the last two Hellos of ours that were answered there, newest first: GetNodes has to carry one. */
  readonly proofs: readonly (readonly number[])[];
  /** The other side takes no unsigned answers. */
  readonly mustSign: boolean;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Requests that wait for the proof of the address. Bounded by `limits.heldRequests`. */
  readonly held: readonly HeldRequest[];
  /** What the owner was last told of this session as a reader, and when. */
  readonly reported: { readonly root: Hash | undefined; readonly atMs: number } | undefined;
  /** When it last asked for our root; undefined: not since its last Hello. */
  readonly rootAskedAtMs: number | undefined;
  /** Sends of our own Hello that the bytes received entitle to. */
  readonly proofSends: number;
  /** When the last Hello was answered, Unix ms. */
  readonly openedAtMs: number;
}

export type HeldRequest = Extract<Datagram, { type: 'GetDatum' | 'RootRequest' }>;

/** In its Hello, one known peer sets this, which panics on an unsigned answer from somebody that has a key (protocol §11, A). */
export const KNOWN_PEER_A = 0x08;

/** Header, flags, name length, and signature of a Hello; the name comes on top. */
const HELLO_OVERHEAD = 7 + 5 + 64;

/** The header; what we say has only characters of one byte. */
const ERROR_OVERHEAD = 7;

export function requested(event: IncomingSessionEvent): Datagram | undefined {
  return event.type === 'request.received' ? event.received.datagram : undefined;
}

export function isAwaited(context: IncomingSessionContext, event: { id: number }): boolean {
  return context.hello?.received.datagram.id === event.id;
}

export function nameIn(hello: Delivery | undefined): string {
  const datagram = hello?.received.datagram;
  return datagram?.type === 'Hello' ? datagram.name : '';
}

/** How many bytes more may go to this address: one that is not proven gets at most three times what it sent (protocol §5). */
export function allowance({ proven, bytesReceived, bytesSent }: IncomingSessionContext): number {
  return proven ? Number.POSITIVE_INFINITY : limits.amplification * bytesReceived - bytesSent;
}

/** Both sides have said that nodes may be asked for in bulk (protocol §10.1). */
/**
 * It had to say Hello again, or has not asked for our root for longer than whoever follows us does: a copy of this home may have told it
 * another one meanwhile. Only programs that know more than those of 2022 are asked about that.
 */
export function isReturning(context: IncomingSessionContext, atMs: number): boolean {
  const { proven, name, rootAskedAtMs, ownRoot, hasExtensions } = context;
  if (!proven || name === '' || ownRoot === undefined || !hasExtensions) return false;
  return rootAskedAtMs === undefined || atMs - rootAskedAtMs > timing.readerSilence;
}

export function isBulkAgreed({ flags, theirFlags }: IncomingSessionContext): boolean {
  return (flags & theirFlags & BULK_FLAG) !== 0;
}

/** Whoever knows one of these ids received what we sent to this address. */
export function withProof(proofs: IncomingSessionContext['proofs'], provenBy: readonly number[]) {
  return provenBy.length === 0 ? proofs : [provenBy, ...proofs].slice(0, 2);
}

export function helloSize(ownName: string): number {
  return HELLO_OVERHEAD + new TextEncoder().encode(ownName).length;
}

export function affordableHellos(context: IncomingSessionContext): number {
  const sends = Math.floor(allowance(context) / helloSize(context.ownName));
  return Math.max(context.isGreetingFree ? 1 : 0, Math.min(limits.helloSends, sends));
}

/** A Hello of so many bytes pays for our HelloReply and one Hello of ours. */
export function paysForGreeting(size: number, ownName: string): boolean {
  return 2 * helloSize(ownName) <= limits.amplification * size;
}

/** What an Error may say to an address that is not proven, for a request of so many bytes: `brief` fits the shortest one. */
export function affordableText(sentence: string, brief: string, size: number): string {
  return ERROR_OVERHEAD + sentence.length <= limits.amplification * size ? sentence : brief;
}
