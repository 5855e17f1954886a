/** What an outgoing session sends: Hellos, questions, and roots that it pushes. */
import { type AnyActorRef, assertEvent } from 'xstate';
import { type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { type Spent, socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import {
  type OutgoingSessionContext,
  orderFor,
  type RootWanted,
  usable,
  wantedAgain,
} from './outgoing-session-context.ts';
import { base, type Enqueueing } from './outgoing-session-setup.ts';
import type { RequestContext, Requester, RequestOrder } from './request-context.ts';
import { busySlots, giveBack, takeSlot } from './slots.ts';
import { limits, timing } from './timing.ts';

/** Hands an order to a free slot; gives its number and what the slots are then. */
export function send(
  { context, event, enqueue, self }: Enqueueing,
  slots: OutgoingSessionContext['requests'],
  order: RequestOrder,
  // What a timer caused has no time: a round trip that counted from an earlier event would be taken for far too long.
  atMs = 'atMs' in event ? event.atMs : undefined,
) {
  const taken = takeSlot(slots);
  const id = actorId.request(taken.slot);
  if (taken.isNew) {
    enqueue.spawnChild('request', { id, input: { slot: taken.slot, owner: self, random: context.random } });
  }
  enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(id, { type: 'request.open', order, atMs });
  return taken;
}

/** Extensions are for peers: a directory has none, and whoever is only greeted is asked for no nodes. */
function helloFlags({ flags, noFlags, located }: OutgoingSessionContext): number {
  return noFlags || located !== undefined ? 0 : flags;
}

/** Says Hello to each of these addresses that no Hello is under way to. */
function greet(args: Enqueueing, addresses: readonly SocketAddress[]): void {
  const { context, enqueue } = args;
  let { requests, hellos } = context;
  for (const to of addresses) {
    const socket = socketFor(context.sockets, to);
    if (socket === undefined || hellos.some((hello) => sameAddress(hello.to, to))) continue;
    const question = { type: 'Hello', flags: helloFlags(context), name: context.ownName } as const;
    const { slot, slots } = send(args, requests, orderFor(context, { question, to, socket }));
    requests = slots;
    hellos = [...hellos, { slot, to }];
  }
  enqueue.assign({ requests, hellos });
}

/** With what the Hellos have cost that are still under way. */
export function withHellos(greeted: Spent, { context, self }: Pick<Enqueueing, 'context' | 'self'>): Spent {
  const { children = {} } = self.getSnapshot() as {
    readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
  };
  const sends = context.hellos.map(({ slot }) => {
    const request = children[actorId.request(slot)]?.getSnapshot().context as RequestContext | undefined;
    return request?.current?.sends ?? 0;
  });
  return sends.reduce(withHello, greeted);
}

export function withHello({ sent, repeated }: Spent, sends: number): Spent {
  return { sent: sent + sends, repeated: repeated + Math.max(0, sends - 1) };
}

export const NOTHING_SPENT: Spent = { sent: 0, repeated: 0 };

function cancelHellos(args: Enqueueing): void {
  const { context, enqueue } = args;
  enqueue.assign({ greeted: withHellos(context.greeted, args) });
  let { requests } = context;
  for (const { slot } of context.hellos) {
    enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.cancelled' });
    requests = giveBack(requests, slot);
  }
  enqueue.assign({ requests, hellos: [] });
}

/** Asks for the root over the path in use. */
function askRoot(args: Enqueueing, wanted: RootWanted): void {
  const { context, enqueue } = args;
  const to = context.path?.address;
  const socket = to && socketFor(context.sockets, to);
  if (to === undefined || socket === undefined) return;
  const { sentBefore } = wanted;
  // It accepts what comes of this question.
  const requester = wanted.requester as Requester;
  const order = orderFor(context, { question: { type: 'RootRequest' }, to, socket, requester, sentBefore });
  enqueue.assign({ requests: send(args, context.requests, order).slots });
}

/** Asks for the root, which nobody wants: what counts is whether the path in use answers. */
function challengePath(args: Enqueueing, maxSends: number): void {
  const { context, enqueue } = args;
  const to = context.path?.address;
  const socket = to && socketFor(context.sockets, to);
  if (to === undefined || socket === undefined) return;
  const order = orderFor(context, { question: { type: 'RootRequest' }, to, socket, maxSends });
  enqueue.assign({ requests: send(args, context.requests, order).slots });
}

/** One send of what is to be pushed. */
function sendPush(
  { context, enqueue }: Enqueueing,
  push: { readonly bytes: Uint8Array; readonly sends: number },
): void {
  const to = context.path?.address;
  const socket = to && socketFor(context.sockets, to);
  enqueue.assign({ push });
  if (to === undefined || socket === undefined) return;
  enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [push.bytes], to });
  enqueue.assign({ push: { ...push, sends: push.sends + 1 } });
  enqueue.cancel('push');
  enqueue.raise({ type: 'push.due' }, { id: 'push', delay: timing.pushTimeout * 2 ** push.sends });
}

export const withRequests = base.extend({
  actions: {
    greetNext: base.enqueueActions((args) => {
      const [next, ...rest] = args.context.candidates;
      if (next === undefined) return;
      greet(args, [next]);
      args.enqueue.assign({ candidates: rest, raced: args.context.raced + 1 });
    }),

    greetListed: base.enqueueActions((args) => {
      assertEvent(args.event, ['peer.located', 'listing.changed']);
      greet(args, usable(args.context, args.event.addresses).slice(0, limits.racingHellos));
    }),

    /** Whoever answers over the path in use has to do so under the key that has become known meanwhile. */
    proveKey: base.enqueueActions((args) => {
      const { path, key } = args.context;
      if (path !== undefined && path.key === undefined && key !== undefined) greet(args, [path.address]);
    }),

    greetPath: base.enqueueActions((args) => {
      const { path } = args.context;
      if (path !== undefined) greet(args, [path.address]);
    }),

    cancelHellos: base.enqueueActions(cancelHellos),

    /** A path has been found. */
    endRace: base.assign({ candidates: [], raced: 0 }),

    /** The other side forgot the session. */
    greetAgain: base.assign(({ context: { path } }) => ({
      candidates: path === undefined ? [] : [path.address],
      raced: 0,
    })),

    askRoot: base.enqueueActions((args) => {
      assertEvent(args.event, 'root.wanted');
      askRoot(args, args.event);
    }),

    /** Does the path in use still answer, though the peer turned up at another? */
    challengePath: base.enqueueActions((args) => challengePath(args, limits.challengeSends)),

    /** Does it, as far as anybody knows? */
    checkPath: base.enqueueActions((args) => challengePath(args, limits.checkSends)),

    /** In the new session, what was held back is wanted as if it came now. */
    wantHeldBack: base.enqueueActions(({ context, enqueue }) => {
      for (const wanted of context.heldBack) enqueue.raise({ ...wanted, atMs: context.atMs });
      enqueue.assign({ heldBack: [] });
    }),

    /**
     * Requests that are under way are repeated over the path that has just been opened, wherever they were sent before. Roots that wait for a
     * Hello over the path before are asked for again.
     */
    moveRequests: base.enqueueActions(({ context: { path, sockets, requests, unvouched, atMs }, enqueue }) => {
      for (const wanted of unvouched.flatMap((ended) => wantedAgain(ended) ?? [])) enqueue.raise({ ...wanted, atMs });
      if (unvouched.length > 0) enqueue.assign({ unvouched: [] });
      const socket = path && socketFor(sockets, path.address);
      if (path === undefined || socket === undefined) return;
      const { address: to, controller, heard } = path;
      const { timeoutMs: firstTimeoutMs } = controller.roundTrip;
      for (const slot of busySlots(requests)) {
        const redirected = { type: 'request.redirected', to, socket, firstTimeoutMs, heard } as const;
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), redirected);
      }
    }),

    /** Nobody answers over the path in use: what waits for that is over. */
    abandonRequests: base.enqueueActions(({ context, enqueue }) => {
      for (const slot of busySlots(context.requests)) {
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.abandoned' });
      }
    }),

    closeRequests: base.enqueueActions(({ context, enqueue }) => {
      for (let slot = 0; slot < context.requests.count; slot++) {
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.cancelled' });
      }
    }),

    push: base.enqueueActions((args) => {
      assertEvent(args.event, 'push.wanted');
      sendPush(args, { bytes: args.event.bytes, sends: 0 });
    }),

    /** As often as over the path before: nothing of it was heard there. */
    pushAnew: base.enqueueActions((args) => {
      if (args.context.push !== undefined) sendPush(args, { ...args.context.push, sends: 0 });
    }),

    repeatPush: base.enqueueActions((args) => {
      if (args.context.push !== undefined) sendPush(args, args.context.push);
    }),

    forgetPush: base.enqueueActions(({ enqueue }) => {
      enqueue.assign({ push: undefined });
      enqueue.cancel('push');
    }),
  },
});
