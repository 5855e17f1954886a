/** What the directory asks itself before it acts, and what it does then. */
import { assertEvent } from 'xstate';
import { emptyTable, entryOf, withEntry } from '../src/merkle/hash-table.ts';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { charge, chargeAllowance, credit, vouch } from './directory-accounts.ts';
import type { DirectoryContext, DirectoryEvent } from './directory-context.ts';
import { directoryProofs, GREETING_BYTES, helloReply, nameIn } from './directory-proofs.ts';
import { forgetExpiredSessions, isProvenAt, keepSession, liveSessionAt, sessionAt } from './directory-sessions.ts';
import { socketFor, withSocket } from './events.ts';
import type { SocketInput } from './socket.machine.ts';
import { STRANGERS_OF_DIRECTORY } from './stranger-budget.ts';
import { limits } from './timing.ts';

/** Bytes of our Root and NoDatum: header, hash, signature. */
const HASH_ANSWER_BYTES = 7 + 32 + 64;

/** May so many bytes go there? Where nobody has proven to be, they are charged. */
function maySend({ accounts, sessions }: DirectoryContext, to: SocketAddress, bytes: number): boolean {
  return isProvenAt(sessions, to) || charge(accounts, to, bytes);
}

/** It asks for this, and has a session. */
function mayAsk({ sessions }: DirectoryContext, event: DirectoryEvent, type: Datagram['type']): boolean {
  assertEvent(event, ['stranger.asked', 'datagram.unsolicited']);
  return event.received.datagram.type === type && liveSessionAt(sessions, event.from, event.atMs) !== undefined;
}

function socketInput(
  { sessions }: DirectoryContext,
  index: number,
  bind: SocketAddress,
  owner: SocketInput['owner'],
): SocketInput {
  return { index, bind, owner, strangers: STRANGERS_OF_DIRECTORY, proven: sessions.proven };
}

export const directorySetup = directoryProofs.extend({
  guards: {
    isHello: ({ event }) => {
      assertEvent(event, 'stranger.asked');
      return event.received.datagram.type === 'Hello';
    },
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
        enqueue.spawnChild('socket', { id: actorId.socket(index), input: socketInput(context, index, bind, self) });
      });
    }),

    noteSocket: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'socket.ready');
      enqueue.assign({ sockets: withSocket(context.sockets, event) });
      enqueue.emit({ type: 'socket.bound', index: event.index, address: event.address });
    }),

    tellSocketFailed: directoryProofs.emit(({ event }) => {
      assertEvent(event, 'socket.lost');
      return { type: 'socket.failed', why: event.why };
    }),

    creditSource: directoryProofs.enqueueActions(({ context, event }) => {
      assertEvent(event, 'stranger.asked');
      credit(context.accounts, event.from, event.size);
    }),

    noteVoucher: directoryProofs.enqueueActions(({ context, event }) => {
      assertEvent(event, 'host.vouched');
      vouch(context.accounts, event.host, event.atMs);
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
      const { accounts, sessions } = context;
      const { received, from, atMs, socket } = event.hello;
      const { id } = received.datagram;
      const name = nameIn(event.hello);
      const known = sessionAt(sessions, from);
      const provenAtMs = known?.name === name ? known.provenAtMs : undefined;
      // A Hello that is shorter than our answer is answered as often as those from there have paid for it, and the first if there is an allowance.
      const mayAnswer =
        provenAtMs !== undefined ||
        charge(accounts, from, GREETING_BYTES) ||
        (known === undefined && chargeAllowance(accounts, from, GREETING_BYTES));
      const unansweredId = mayAnswer ? undefined : id;
      const row = { address: from, openedAtMs: atMs, provenAtMs, name, helloId: id, unansweredId };
      const isKept = keepSession(sessions, row);
      if (!isKept || !mayAnswer) return;
      enqueue({ type: 'sendSigned', params: { datagram: helloReply(id), to: from, socket } });
      enqueue.emit({ type: 'hello.answered', name, address: from });
    }),

    sendEmptyRoot: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      if (!maySend(context, event.from, HASH_ANSWER_BYTES)) return;
      const datagram: Datagram = { type: 'Root', id: event.received.datagram.id, hash: EMPTY_ROOT };
      enqueue({ type: 'sendSigned', params: { datagram, to: event.from, socket: event.socket } });
    }),

    /** Signed, though it need not be: one known peer panics on an unsigned answer from a directory (protocol §11, A). */
    sendNoDatum: directoryProofs.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'stranger.asked');
      const asked = event.received.datagram;
      if (asked.type !== 'GetDatum' || !maySend(context, event.from, HASH_ANSWER_BYTES)) return;
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
      // Where the account is too small for the whole sentence, this is short enough for the shortest request (protocol §5).
      const bytes = [text, 'no session']
        .map((said) => encodeDatagram({ type: 'Error', id: received.datagram.id, text: said }))
        .find(({ length }) => maySend(context, to, length));
      if (bytes === undefined) return;
      enqueue.assign({
        errorsSent: context.errorsSent + 1,
        errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
      });
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
      const { sender, target, through } = event;
      const socket = socketFor(context.sockets, target);
      if (through === undefined && socket === undefined) return;
      let { traversals } = context;
      for (const address of [sender, target].map(formatAddress)) {
        traversals = withEntry(traversals, address, (entryOf(traversals, address) ?? 0) + 1);
      }
      enqueue.assign({ traversals });
      if (through !== undefined) {
        enqueue({ type: 'relayTraversal', params: { sender, target, through } });
        enqueue.emit({ type: 'traversal.relayed', sender, target });
        return;
      }
      if (socket === undefined) return;
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
      for (const [text, { slot }] of context.proving) {
        if (actorId.addressProof(slot) === id) context.proving.delete(text);
      }
      context.binds.forEach((bind, index) => {
        if (actorId.socket(index) === id)
          enqueue.spawnChild('socket', { id, input: socketInput(context, index, bind, self) });
      });
    }),
  },
});
