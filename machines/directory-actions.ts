/** What the directory asks itself before it acts, and what it does then. */
import { assertEvent } from 'xstate';
import { emptyTable, entryOf, withEntry } from '../src/merkle/hash-table.ts';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../src/wire/hash.ts';
import { formatAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import type { DirectoryContext, DirectoryEvent } from './directory-context.ts';
import { directoryProofs, GREETING_BYTES, nameIn } from './directory-proofs.ts';
import { forgetExpiredSessions, keepSession, liveSessionAt, sessionAt } from './directory-sessions.ts';
import { socketFor, withSocket } from './events.ts';
import { limits } from './timing.ts';

function datagramOf(event: DirectoryEvent): Datagram | undefined {
  return event.type === 'stranger.asked' || event.type === 'datagram.unsolicited' ? event.received.datagram : undefined;
}

/** It asks for this, and has a session. */
function mayAsk({ sessions }: DirectoryContext, event: DirectoryEvent, type: Datagram['type']): boolean {
  if (event.type !== 'stranger.asked' && event.type !== 'datagram.unsolicited') return false;
  return event.received.datagram.type === type && liveSessionAt(sessions, event.from, event.atMs) !== undefined;
}

export const directorySetup = directoryProofs.extend({
  guards: {
    isHello: ({ event }) => datagramOf(event)?.type === 'Hello',
    isRootRequest: ({ context, event }) => mayAsk(context, event, 'RootRequest'),
    isGetDatum: ({ context, event }) => mayAsk(context, event, 'GetDatum'),
    isTraversalRequest: ({ context, event }) => mayAsk(context, event, 'NatTraversalClient'),
    isForged: ({ event }) => {
      assertEvent(event, 'hello.checked');
      return event.status === 'forged';
    },
    mayForward: ({ context, event }) => {
      assertEvent(event, 'traversal.checked');
      const isRationed = [event.sender, event.target].some(
        (address) => (entryOf(context.traversals, formatAddress(address)) ?? 0) >= limits.traversalsPerSweep,
      );
      return event.isListed && !isRationed;
    },
    mayOweError: ({ context, event }) => {
      assertEvent(event, 'stranger.asked');
      const sent = entryOf(context.errorsTo, formatAddress(event.from)) ?? 0;
      return context.errorsSent < limits.errorsInAll && sent < limits.errorsPerSource;
    },
  },
  actions: {
    openSockets: directoryProofs.enqueueActions(({ context, enqueue, self }) => {
      context.binds.forEach((bind, index) => {
        enqueue.spawnChild('socket', { id: actorId.socket(index), input: { index, bind, owner: self } });
      });
    }),

    noteSocket: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'socket.ready');
      enqueue.assign({ sockets: withSocket(context.sockets, event.address, event.socket) });
      enqueue.emit({ type: 'socket.bound', index: event.index, address: event.address });
    }),

    tellSocketFailed: directoryProofs.emit(({ event }) => {
      assertEvent(event, 'socket.lost');
      return { type: 'socket.failed', why: event.why };
    }),

    checkHello: directoryProofs.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      const { received, from, size, atMs, socket } = event;
      enqueue({ type: 'lookUpSender', params: { hello: { received, from, size, atMs, socket } } });
    }),

    tellIgnored: directoryProofs.emit(({ event }) => {
      assertEvent(event, 'hello.checked');
      return { type: 'hello.ignored', name: nameIn(event.hello), address: event.hello.from };
    }),

    /** HelloReply is owed for every Hello that is not ignored (protocol §5). */
    answerHello: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'hello.checked');
      const { received, from, size, atMs, socket } = event.hello;
      const name = nameIn(event.hello);
      const known = sessionAt(context.sessions, from);
      const provenAtMs = known?.name === name ? known.provenAtMs : undefined;
      // The first is always answered; repeats of one that is shorter than our answer, as often as they have paid for it.
      const paid = (known?.paid ?? 0) + limits.amplification * size;
      const isReplyOwed = known === undefined || provenAtMs !== undefined || paid >= GREETING_BYTES;
      const row = { address: from, openedAtMs: atMs, provenAtMs, name, paid: isReplyOwed ? 0 : paid };
      const isKept = keepSession(context.sessions, row);
      if (!isKept || !isReplyOwed) return;
      const datagram: Datagram = { type: 'HelloReply', id: received.datagram.id, flags: 0, name: '' };
      enqueue({ type: 'sendSigned', params: { datagram, to: from, socket } });
      enqueue.emit({ type: 'hello.answered', name, address: from });
    }),

    sendEmptyRoot: directoryProofs.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      const datagram: Datagram = { type: 'Root', id: event.received.datagram.id, hash: EMPTY_ROOT };
      enqueue({ type: 'sendSigned', params: { datagram, to: event.from, socket: event.socket } });
    }),

    /** Signed, though it need not be: one known peer panics on an unsigned answer from a directory (protocol §11, A). */
    sendNoDatum: directoryProofs.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      const asked = event.received.datagram;
      if (asked.type !== 'GetDatum') return;
      const datagram: Datagram = { type: 'NoDatum', id: asked.id, hash: asked.hash };
      enqueue({ type: 'sendSigned', params: { datagram, to: event.from, socket: event.socket } });
    }),

    sendError: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      const { from: to, socket, received, atMs } = event;
      const source = formatAddress(to);
      const hadSession = sessionAt(context.sessions, to) !== undefined;
      const refusal = hadSession ? 'session expired: say Hello again' : 'no session: say Hello first';
      const text = liveSessionAt(context.sessions, to, atMs) ? 'unknown request type' : refusal;
      enqueue.assign({
        errorsSent: context.errorsSent + 1,
        errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
      });
      const bytes = encodeDatagram({ type: 'Error', id: received.datagram.id, text });
      enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to });
    }),

    checkTraversal: directoryProofs.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'datagram.unsolicited');
      const asked = event.received.datagram;
      if (asked.type !== 'NatTraversalClient') return;
      enqueue({ type: 'lookUpTarget', params: { sender: event.from, target: asked.address } });
    }),

    forwardTraversal: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'traversal.checked');
      const { sender, target } = event;
      const socket = socketFor(context.sockets, target);
      if (socket === undefined) return;
      let { traversals } = context;
      for (const address of [sender, target].map(formatAddress)) {
        traversals = withEntry(traversals, address, (entryOf(traversals, address) ?? 0) + 1);
      }
      enqueue.assign({ traversals });
      const datagram: Datagram = { type: 'NatTraversalServer', id: 0, address: sender };
      enqueue({ type: 'sendSigned', params: { datagram, to: target, socket } });
      enqueue.emit({ type: 'traversal.forwarded', sender, target });
    }),

    sweep: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'sweep');
      forgetExpiredSessions(context.sessions, event.atMs);
      enqueue.assign({ errorsSent: 0, errorsTo: emptyTable<number>(), traversals: emptyTable<number>() });
      enqueue('forgetExpired');
    }),

    mend: directoryProofs.enqueueActions(({ context, event, enqueue, self }) => {
      assertEvent(event, 'xstate.error.actor.*');
      const { actorId: id, error } = event;
      enqueue.stopChild(id);
      enqueue.emit({ type: 'directory.warning', message: `${id} failed and was put away: ${String(error)}` });
      for (const [text, { address }] of context.proving) {
        if (actorId.addressProof(address) === id) context.proving.delete(text);
      }
      context.binds.forEach((bind, index) => {
        if (actorId.socket(index) === id) enqueue.spawnChild('socket', { id, input: { index, bind, owner: self } });
      });
    }),
  },
});
