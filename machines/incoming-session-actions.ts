/** What an incoming session asks itself before it acts, and what it does then. */

import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { BULK_FLAG } from '../src/wire/bulk.ts';
import { type Datagram, encodeDatagram, isBrokenGetNodes, SIGNATURE_BYTES } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { addressProofMachine } from './address-proof.machine.ts';
import { effect } from './effects.ts';
import type { BulkRequest, BulkRequested, NodeRequest, NodesRequested, RequestReceived } from './events.ts';
import {
  affordableHellos,
  affordableText,
  allowance,
  type HeldRequest,
  helloSize,
  type IncomingSessionContext,
  type IncomingSessionEvent,
  type IncomingSessionInput,
  isAwaited,
  isBulkAgreed,
  isReturning,
  KNOWN_PEER_A,
  type NodeRead,
  nameIn,
  requested,
  withProof,
} from './incoming-session-context.ts';
import type { RefFor, SocketRef } from './messages.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: {
    context: {} as IncomingSessionContext,
    events: {} as IncomingSessionEvent,
    input: {} as IncomingSessionInput,
  },
  actors: { addressProof: addressProofMachine },
  actions: {
    findKey: effect<{ name: string; from: SocketAddress }>('findKey'),
    verifyHello: effect<{ id: number; name: string; key: PublicKey; signed: Uint8Array; signature: Uint8Array }>(
      'verifyHello',
    ),
    /** Signs and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: SocketRef }>('sendSigned'),
    /** What the store has for each: `nodes.read`. */
    readNodes: effect<{ requests: readonly NodeRequest[]; name: string }>('readNodes'),
    /** Sends what the store has for each, at the pace that is asked for: `datagrams.send` to the socket, again and again. */
    serveNodes: effect<{ requests: readonly BulkRequest[]; to: SocketAddress; socket: SocketRef }>('serveNodes'),
  },
  guards: {
    isUntrusted: ({ event }) => {
      assertEvent(event, 'key.found');
      return !event.trusted;
    },
    isKeyless: ({ event }) => {
      assertEvent(event, 'key.found');
      return event.key === undefined;
    },
    isUnsigned: ({ context }) => context.hello?.received.signature === undefined,
    isGenuine: ({ context, event }) => {
      assertEvent(event, 'hello.verified');
      return event.valid && isAwaited(context, event);
    },
    isAwaited: ({ context, event }) => {
      assertEvent(event, 'hello.verified');
      return isAwaited(context, event);
    },
    isProven: ({ context }) => context.proven,
    /** Not even one Hello of ours has been paid for, and none is free. */
    isHelloTooDear: ({ context }) => affordableHellos(context) === 0,
    isHello: ({ event }) => requested(event)?.type === 'Hello',
    isHelloUnderOtherName: ({ context, event }) => {
      const datagram = requested(event);
      return datagram?.type === 'Hello' && datagram.name !== context.name;
    },
    /** One at a time: else whoever forges them could push out the genuine one while it is verified. */
    isHelloHeld: ({ context, event }) =>
      requested(event)?.type === 'Hello' && context.hello !== undefined && !isOverdue(context, event),
    /** What was asked because of the previous Hello will not be answered any more: the next Hello starts again. */
    isOverdue: ({ context, event }) => isOverdue(context, event),
    isHelloWithoutKey: ({ context, event }) => requested(event)?.type === 'Hello' && context.key === undefined,
    isUnderSameName: ({ context, event }) => {
      assertEvent(event, 'session.proven');
      return event.name === (context.hello ? nameIn(context.hello) : context.name);
    },
    isRootRequest: ({ event }) => requested(event)?.type === 'RootRequest',
    /** What was asked meanwhile entitles to another try; the request that brings it is repeated anyway. */
    isHelloAffordable: ({ context, event }) => isHelloAffordable(context, event),
    /** Its sender repeats a request that waits for our Hello to be answered: our Hello, or its answer, was probably lost. */
    isHelloOvertaken: ({ context, event }) =>
      requestsIn(event).some((request) => isHeld(context, request)) && isHelloAffordable(context, event),
    /** Its sender says Hello once more, and that, too, has been paid for. */
    isPaidHello: ({ context, event }) => requested(event)?.type === 'Hello' && isHelloAffordable(context, event),
    isBulkAgreed: ({ context }) => isBulkAgreed(context),
    isBrokenGetNodes: ({ context, event }) => {
      const datagram = requested(event);
      return datagram !== undefined && isBulkAgreed(context) && isBrokenGetNodes(datagram);
    },
    isProofSuccessful: ({ event }) => {
      assertEvent(event, 'xstate.done.actor.address-proof');
      return event.output.proven;
    },
    isExpired: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return event.atMs - context.openedAtMs >= timing.sessionLifetime;
    },
    isForgotten: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return event.atMs - context.openedAtMs >= timing.sessionLifetime + timing.expiredSessionMemory;
    },
  },
});

function isHelloAffordable({ bytesSent, bytesReceived, ownName }: IncomingSessionContext, event: IncomingSessionEvent) {
  const received = bytesReceived + ('size' in event ? event.size : 0);
  return bytesSent + helloSize(ownName) <= limits.amplification * received;
}

function isOverdue({ hello }: IncomingSessionContext, event: IncomingSessionEvent): boolean {
  return hello !== undefined && 'atMs' in event && event.atMs - hello.atMs >= timing.identifyingPatience;
}

/** Bytes of a signed Root. */
const ROOT_BYTES = 7 + 32 + SIGNATURE_BYTES;

/** Some programs never repeat a request (protocol §5). */
function withHeld(context: IncomingSessionContext, more: readonly HeldRequest[]): readonly HeldRequest[] {
  // Whoever repeats a request while it waits has one place for it.
  const added = more.filter((request) => !isHeld(context, request));
  return added.length === 0 ? context.held : [...context.held, ...added].slice(0, limits.heldRequests);
}

function isHeld({ held }: IncomingSessionContext, { type, id }: HeldRequest): boolean {
  return held.some((other) => other.type === type && other.id === id);
}

/** What may have to wait for the proof of the address. */
function requestsIn(event: IncomingSessionEvent): readonly HeldRequest[] {
  if (event.type === 'nodes.requested') return event.requests;
  const datagram = requested(event);
  return datagram?.type === 'RootRequest' ? [datagram] : [];
}

/** Bytes of an answer with a node. */
function answerSize({ value }: NodeRead, { mustSign }: IncomingSessionContext): number {
  return 7 + 32 + (value?.length ?? 0) + (mustSign ? SIGNATURE_BYTES : 0);
}

/**
 * An Error for each request; of many at once, for as many as the owner would let go out at most. `brief` is for an address that is not
 * proven, and whose request was too short for more (protocol §5).
 */
const owe = (sentence: string, brief: string) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const text = context.proven || !('size' in event) ? sentence : affordableText(sentence, brief, event.size);
    const areMany = event.type === 'nodes.requested' || event.type === 'bulk.requested';
    const asked = areMany ? event.requests : [requested(event)];
    for (const request of asked.slice(0, limits.errorsPerSource)) {
      const { address: to, socket, owner } = context;
      enqueue.sendTo(owner, { type: 'error.owed', id: request?.id ?? 0, to, text, socket });
    }
  });

/** It asks for the newest root's node. Whoever only asks which that is may be testing whether we answer, or miss the answer. */
function asksForRoot(event: RequestReceived | NodesRequested | BulkRequested, root: Hash | undefined): boolean {
  switch (event.type) {
    case 'request.received':
      return false;
    case 'nodes.requested':
      return event.requests.some(({ hash }) => hash === root);
    case 'bulk.requested':
      return event.requests.some(({ entries }) =>
        entries.some((entry) => entry.kind === 'node' && entry.hash === root),
      );
  }
}

export const incomingSessionSetup = base.extend({
  actions: {
    /** From now on the socket hands us what comes from this address. */
    routeSource: base.sendTo(
      ({ context }) => context.socket,
      ({ context: { address: source, proven: isProven }, self }) => ({
        type: 'source.routed',
        source,
        to: self,
        isProven,
      }),
    ),

    countReceived: base.assign(({ context, event }) =>
      'size' in event ? { bytesReceived: context.bytesReceived + event.size } : {},
    ),

    holdHello: base.assign(({ event }) => {
      assertEvent(event, 'request.received');
      const { received, from, size, atMs, socket } = event;
      return { hello: { received, from, size, atMs, socket }, socket };
    }),

    noteKey: base.assign(({ event }) => {
      assertEvent(event, 'key.found');
      return { key: event.key };
    }),

    verifyHeldHello: base.enqueueActions(({ context, enqueue }) => {
      const { hello, key } = context;
      const signature = hello?.received.signature;
      if (hello === undefined || key === undefined || signature === undefined) return;
      const { signed, datagram } = hello.received;
      enqueue({ type: 'verifyHello', params: { id: datagram.id, name: nameIn(hello), key, signed, signature } });
    }),

    /** The Hello is accepted: HelloReply is owed (protocol §5). */
    answerHello: base.enqueueActions(({ context, enqueue }) => {
      const { hello, ownName, address, bytesSent } = context;
      const datagram = hello?.received.datagram;
      if (hello === undefined || datagram?.type !== 'Hello') return;
      enqueue.assign({
        name: datagram.name,
        openedAtMs: hello.atMs,
        mustSign: (datagram.flags & KNOWN_PEER_A) !== 0,
        theirFlags: datagram.flags,
        hasExtensions: context.hasExtensions || (datagram.flags & BULK_FLAG) !== 0,
        rootAskedAtMs: undefined,
        hello: undefined,
      });
      const { name, flags, id } = datagram;
      const { key, owner } = context;
      enqueue.sendTo(owner, { type: 'hello.answered', name, address, key, flags, id });
      // The first may be free; what is shorter than our answer is answered as often as it has been paid for.
      const isFree = bytesSent === 0 && context.isGreetingFree;
      if (!isFree && allowance(context) < helloSize(ownName)) return;
      // A directory has no extensions.
      const ownFlags = name === '' ? 0 : context.flags;
      const reply: Datagram = { type: 'HelloReply', id, flags: ownFlags, name: ownName };
      enqueue({ type: 'sendSigned', params: { datagram: reply, to: address, socket: hello.socket } });
      enqueue.assign({ bytesSent: bytesSent + helloSize(ownName) });
    }),

    forgetHello: base.assign({ hello: undefined }),
    holdNewcomer: base.assign(({ event }) => {
      assertEvent(event, 'request.received');
      return { newcomer: event };
    }),
    forgetNewcomer: base.assign({ newcomer: undefined }),

    /** Somebody else is at this address now: all begins anew. */
    admitNewcomer: base.assign(({ context }) => ({
      hello: context.newcomer,
      newcomer: undefined,
      proven: false,
      reported: undefined,
      rootAskedAtMs: undefined,
      hasExtensions: false,
      proofs: [],
      bytesReceived: context.newcomer?.size ?? 0,
      bytesSent: 0,
    })),

    reportAccepted: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { name, address, key, proven, openedAtMs: atMs } }) => {
        return { type: 'session.accepted', name, address, key, proven, atMs };
      },
    ),

    reportProven: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { name, address, key, openedAtMs: atMs }, event }) => {
        assertEvent(event, 'xstate.done.actor.address-proof');
        const { roundTripMs, isBare } = event.output;
        return { type: 'address.proven', name, address, key, atMs, roundTripMs, isBare };
      },
    ),

    reportExpired: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.expired', address: context.address }),
    ),

    /** The end of an actor would do as well, but XState keeps something for ever for each id of an actor that has ended. */
    reportForgotten: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.forgotten', address: context.address }),
    ),

    noteProven: base.assign(({ context, event }) => {
      assertEvent(event, ['session.proven', 'xstate.done.actor.address-proof']);
      const { key, provenBy } = event.type === 'session.proven' ? event : event.output;
      // It may have become known after the Hello was accepted.
      const learnt = context.hello === undefined ? { key: context.key ?? key } : {};
      return { proven: true, proofs: withProof(context.proofs, provenBy), ...learnt };
    }),

    /** Who is at an address an hour later may be somebody else: neither proof nor account is theirs. */
    forgetProof: base.assign({ proven: false, proofs: [], bytesReceived: 0, bytesSent: 0 }),

    noteProofTime: base.assign(({ event }) => {
      assertEvent(event, 'xstate.done.actor.address-proof');
      return { openedAtMs: event.output.atMs };
    }),

    /** Our Hello and its repeats count towards the limit of three times (protocol §5). */
    budgetProof: base.assign(({ context }) => {
      const proofSends = affordableHellos(context);
      return { proofSends, bytesSent: context.bytesSent + proofSends * helloSize(context.ownName) };
    }),

    /** It counts as well. */
    repeatHello: base.enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo<RefFor<'incoming-session', 'address-proof'>>('address-proof', { type: 'hello.overtaken' });
      enqueue.assign({ bytesSent: context.bytesSent + helloSize(context.ownName) });
    }),

    noteFlags: base.assign(({ event }) => {
      assertEvent(event, 'flags.changed');
      return { flags: event.flags };
    }),

    noteRoot: base.assign(({ event }) => {
      assertEvent(event, 'root.changed');
      return { ownRoot: event.root };
    }),

    sendRoot: base.enqueueActions(({ context, event, enqueue }) => {
      const { ownRoot: hash } = context;
      assertEvent(event, 'request.received');
      const { datagram } = event.received;
      if (datagram.type !== 'RootRequest') return;
      enqueue.assign({ rootAskedAtMs: event.atMs });
      if (isReturning(context, event.atMs)) {
        enqueue.assign({ ownRoot: undefined, held: withHeld(context, [datagram]) });
        enqueue.sendTo(context.owner, { type: 'reader.returned', name: context.name, atMs: event.atMs });
        return;
      }
      // Our root may be told in a moment.
      if (hash === undefined || allowance(context) < ROOT_BYTES) {
        enqueue.assign({ held: withHeld(context, [datagram]) });
        return;
      }
      const root: Datagram = { type: 'Root', id: datagram.id, hash };
      enqueue({ type: 'sendSigned', params: { datagram: root, to: context.address, socket: event.socket } });
      enqueue.assign({ bytesSent: context.bytesSent + ROOT_BYTES });
    }),

    readRequested: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'nodes.requested');
      enqueue({ type: 'readNodes', params: { requests: event.requests, name: context.name } });
    }),

    /** Only those that carry the id of a Hello by which the address was proven (protocol §10.1). */
    serveBulk: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'bulk.requested');
      const { proofs, address: to, socket } = context;
      const requests = event.requests.filter(({ proof }) => proofs.some((ids) => ids.includes(proof)));
      if (requests.length > 0) enqueue({ type: 'serveNodes', params: { requests, to, socket } });
    }),

    /** What cannot be afforded now waits for the proof, as far as there is room; the rest is asked for again. */
    sendNodes: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'nodes.read');
      const { address: to, socket, mustSign, proven, bytesSent } = context;
      const allowed = allowance(context);
      let size = 0;
      const answers: Datagram[] = [];
      const left: NodeRequest[] = [];
      for (const node of event.nodes) {
        const { id, hash, value } = node;
        if (size + answerSize(node, context) > allowed) {
          left.push({ type: 'GetDatum', id, hash });
          continue;
        }
        size += answerSize(node, context);
        answers.push(value === undefined ? { type: 'NoDatum', id, hash } : { type: 'Datum', id, hash, value });
      }
      if (mustSign) for (const datagram of answers) enqueue({ type: 'sendSigned', params: { datagram, to, socket } });
      else if (answers.length > 0) {
        enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: answers.map(encodeDatagram), to });
      }
      if (!proven) enqueue.assign({ bytesSent: bytesSent + size, held: withHeld(context, left) });
    }),

    holdAsked: base.assign(({ context, event }) => ({ held: withHeld(context, requestsIn(event)) })),

    /** The address is proven: what waited for that is answered, in one go. Who asks for our root waits until we have one for it. */
    serveHeld: base.enqueueActions(({ context, enqueue }) => {
      const { held, ownRoot: hash, address: to, socket } = context;
      const requests = held.filter((request) => request.type === 'GetDatum');
      if (requests.length > 0) enqueue({ type: 'readNodes', params: { requests, name: context.name } });
      const rootRequests = held.filter((request) => request.type === 'RootRequest');
      for (const { id } of rootRequests) {
        if (hash === undefined) break;
        enqueue({ type: 'sendSigned', params: { datagram: { type: 'Root', id, hash }, to, socket } });
      }
      if (held.length > 0) enqueue.assign({ held: hash === undefined ? rootRequests : [] });
    }),

    /** Now and then, and when it has come for the newest root. */
    reportReader: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['request.received', 'nodes.requested', 'bulk.requested']);
      const { name, proven, ownRoot, reported, owner } = context;
      if (!proven || name === '') return;
      const { atMs } = event;
      const hasNewest = asksForRoot(event, ownRoot);
      const isNews = hasNewest && reported?.root !== ownRoot;
      if (!isNews && reported !== undefined && atMs - reported.atMs < timing.readerReport) return;
      enqueue.assign({ reported: { root: hasNewest ? ownRoot : reported?.root, atMs } });
      enqueue.sendTo(owner, { type: 'reader.seen', name, hasNewest, atMs });
    }),

    oweNoSession: owe('no session: say Hello first', 'no session'),
    oweExpired: owe('session expired: say Hello again', 'no session'),
    oweUnknownRequest: owe('unknown request type', 'unknown type'),
    oweMalformed: owe('malformed GetNodes', 'malformed'),
  },
});
