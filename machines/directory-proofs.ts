/**
 * How the directory proves addresses, so that they may be listed, and asks listed ones whether they still answer (protocol §3, §5): its
 * own Hello goes there, and only an answer under the right name and key counts.
 */
import { assertEvent } from 'xstate';
import { isYounger } from '../src/wire/age.ts';
import type { Datagram } from '../src/wire/datagram.ts';
import { formatAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { charge, chargeAllowance, spendVoucher } from './directory-accounts.ts';
import type { DirectoryContext, DirectoryEvent, HelloChecked, ListedAddress, ProofRow } from './directory-context.ts';
import { forgetSession, isProvenAt, keepSession, sessionAt } from './directory-sessions.ts';
import { directoryBase } from './directory-setup.ts';
import { type Delivery, socketFor } from './events.ts';
import { limits, timing } from './timing.ts';

/** A proof is not repeated for the same Hello, sent again. */
const SAME_HELLO_MS = 10_000;
/** Another Hello may be that of a program that has just started anew; of those, too, only so many are worth a proof. */
const OTHER_HELLO_MS = 1_000;
const MAX_PROOFS = 1_024;
/** Half of the places are for those who say Hello themselves. */
const MAX_PROBES_AT_ONCE = MAX_PROOFS / 2;
const MAX_PROBES = 16_384;
/** Bytes of our Hello, and of our HelloReply: header, flags, an empty name, signature. */
export const GREETING_BYTES = 7 + 5 + 64;

export function nameIn(hello: Delivery): string {
  const { datagram } = hello.received;
  return datagram.type === 'Hello' ? datagram.name : '';
}

export function helloReply(id: number): Datagram {
  return { type: 'HelloReply', id, flags: 0, name: '' };
}

/** How often our Hello may go there; what that costs is charged at once. */
function chargeHellos({ accounts, sessions }: DirectoryContext, { hello, isListed }: HelloChecked): number {
  const { from, atMs } = hello;
  if (isProvenAt(sessions, from)) return limits.helloSends;
  let sends = 0;
  while (sends < limits.helloSends && charge(accounts, from, GREETING_BYTES)) sends += 1;
  if (sends > 0) return sends;
  const isExempt = isListed || spendVoucher(accounts, from, atMs) || chargeAllowance(accounts, from, GREETING_BYTES);
  return isExempt ? 1 : 0;
}

function mustProve({ proving, sessions }: DirectoryContext, { hello, status }: HelloChecked): boolean {
  if (status !== 'registered') return false;
  const underWay = proving.get(formatAddress(hello.from));
  if (underWay !== undefined) return underWay.isProbe;
  const row = sessionAt(sessions, hello.from);
  if (row?.name !== nameIn(hello) || row.provenAtMs === undefined) return true;
  const freshMs = row.helloId === hello.received.datagram.id ? SAME_HELLO_MS : OTHER_HELLO_MS;
  return !isYounger(row.provenAtMs, freshMs, hello.atMs);
}

function rowOf({ proving }: DirectoryContext, event: DirectoryEvent): ProofRow | undefined {
  assertEvent(event, 'xstate.done.actor.*');
  return proving.get(formatAddress(event.output.address));
}

/**
 * The lowest that no proof has. Actors are named after these and not after addresses, since XState keeps something for ever for
 * each name of an actor that has ended.
 */
function freeSlot({ proving }: DirectoryContext): number {
  const taken = new Set(Array.from(proving.values(), ({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

/** With a sweep all that wait; otherwise only those that have just been planned, as there may be thousands of others. */
function candidates({ probes }: DirectoryContext, event: DirectoryEvent): Iterable<string> {
  assertEvent(event, ['sweep', 'address.listed', 'addresses.undated']);
  if (event.type === 'sweep') return probes.keys();
  const addresses = event.type === 'address.listed' ? event.others : event.addresses.map(({ address }) => address);
  return addresses.map(formatAddress);
}

/** One probe an address: where two names are listed at one address, the later one is asked about. */
function plan({ probes }: DirectoryContext, { name, key, address }: ListedAddress, dueAtMs: number): void {
  const text = formatAddress(address);
  if (probes.size < MAX_PROBES || probes.has(text)) probes.set(text, { name, key, address, dueAtMs });
}

export const directoryProofs = directoryBase.extend({
  guards: {
    mustProve: ({ context, event }) => {
      assertEvent(event, 'hello.checked');
      return mustProve(context, event);
    },
    isProbe: ({ context, event }) => rowOf(context, event)?.isProbe === true,
    isProbeAnswered: ({ context, event }) => {
      assertEvent(event, 'xstate.done.actor.*');
      return event.output.proven && rowOf(context, event)?.isProbe === true;
    },
    isProofSuccessful: ({ event }) => {
      assertEvent(event, 'xstate.done.actor.*');
      return event.output.proven;
    },
  },
  actions: {
    /** Who is really there answers within a round trip: what has been waiting longest makes room (protocol §9). */
    proveAddress: directoryBase.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'hello.checked');
      const { hello, key } = event;
      const { from: address, atMs, socket } = hello;
      const { random, proving } = context;
      const name = nameIn(hello);
      const text = formatAddress(address);
      const underWay = proving.get(text);
      if (underWay?.name === name && underWay.key === key) {
        // Our Hello is on its way there already: its answer now proves what the owner claims.
        proving.set(text, { ...underWay, isProbe: false, socket });
        return;
      }
      const maxSends = chargeHellos(context, event);
      if (maxSends === 0) return;
      const displaced = underWay ?? (proving.size < MAX_PROOFS ? undefined : proving.values().next().value);
      if (displaced !== undefined) {
        enqueue.stopChild(actorId.addressProof(displaced.slot));
        enqueue.sendTo(displaced.socket, { type: 'source.unrouted', source: displaced.address, isCutOff: true });
        proving.delete(formatAddress(displaced.address));
        if (displaced.isProbe) plan(context, displaced, atMs + timing.probePause);
      }
      const slot = freeSlot(context);
      proving.set(text, { name, key, address, socket, isProbe: false, slot });
      enqueue.spawnChild('addressProof', {
        id: actorId.addressProof(slot),
        input: { address, name, key, ownName: '', socket, random, flags: 0, maxSends, atMs },
      });
    }),

    listProven: directoryBase.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.*');
      const { name, key, address, atMs } = event.output;
      const session = sessionAt(context.sessions, address);
      if (session !== undefined) {
        keepSession(context.sessions, { ...session, name, provenAtMs: atMs, unansweredId: undefined });
        const { unansweredId: id } = session;
        const socket = rowOf(context, event)?.socket;
        if (id !== undefined && socket !== undefined) {
          enqueue({ type: 'sendSigned', params: { datagram: helloReply(id), to: address, socket } });
          enqueue.emit({ type: 'hello.answered', name, address });
        }
      }
      enqueue({ type: 'listAddress', params: { name, key, address } });
      enqueue.emit({ type: 'address.proven', name, address });
    }),

    tellUnproven: directoryBase.emit(({ event }) => {
      assertEvent(event, 'xstate.done.actor.*');
      const { name, address } = event.output;
      return { type: 'address.unproven', name, address };
    }),

    /** The older ones may be left over from a place that the peer has left; the newest, from a program that has ended. */
    planProbes: directoryBase.enqueueActions(({ context, event }) => {
      assertEvent(event, 'address.listed');
      const { name, key, address, others, atMs } = event;
      for (const other of others) plan(context, { name, key, address: other }, atMs);
      plan(context, { name, key, address }, atMs + timing.probePause);
    }),

    planUndatedProbes: directoryBase.enqueueActions(({ context, event }) => {
      assertEvent(event, 'addresses.undated');
      for (const listed of event.addresses) plan(context, listed, event.atMs);
    }),

    /** As many of those that are due as there is room for; the others stay for the next sweep. */
    startProbes: directoryBase.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['sweep', 'address.listed', 'addresses.undated']);
      const { proving, probes, sockets, random } = context;
      const { atMs } = event;
      for (const text of candidates(context, event)) {
        if (proving.size >= MAX_PROBES_AT_ONCE) return;
        const probe = probes.get(text);
        if (probe === undefined || probe.dueAtMs > atMs || proving.has(text)) continue;
        const { name, key, address } = probe;
        const socket = socketFor(sockets, address);
        if (socket === undefined) continue;
        probes.delete(text);
        const slot = freeSlot(context);
        proving.set(text, { name, key, address, socket, isProbe: true, slot });
        enqueue.spawnChild('addressProof', {
          id: actorId.addressProof(slot),
          input: { address, name, key, ownName: '', socket, random, flags: 0, maxSends: limits.helloSends, atMs },
        });
      }
    }),

    confirmProbed: directoryBase.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.*');
      const { name, address } = event.output;
      enqueue({ type: 'confirmAddress', params: { name, address } });
    }),

    /** Without a session, a peer that is there after all hears of it when it asks next, and registers anew. */
    dropProbed: directoryBase.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.*');
      const { name, address } = event.output;
      if (sessionAt(context.sessions, address)?.name === name) forgetSession(context.sessions, address);
      enqueue({ type: 'dropAddress', params: { name, address } });
      enqueue.emit({ type: 'address.dropped', name, address });
    }),

    /** A child that is done stays in `children` until it is stopped. */
    putAway: directoryBase.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'xstate.done.actor.*');
      const row = rowOf(context, event);
      if (row === undefined) return;
      enqueue.stopChild(actorId.addressProof(row.slot));
      context.proving.delete(formatAddress(row.address));
    }),
  },
});
