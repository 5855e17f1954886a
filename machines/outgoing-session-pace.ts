/** When an outgoing session sends what is wanted of nodes, and sends again what must be lost (protocol §6). */
import { assertEvent } from 'xstate';
import type { Hash } from '../src/wire/hash.ts';
import { actorId } from './actor-ids.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import { type NodesWanted, type OutgoingSessionContext, orderFor } from './outgoing-session-context.ts';
import { send, withRequests } from './outgoing-session-requests.ts';
import { base, type Enqueueing } from './outgoing-session-setup.ts';
import { awaited } from './outstanding.ts';
import { nextSendAtMs, requestsAt, room, window } from './path-allowance.ts';
import { closed, opened, overdue, overdueAtMs, repeated, starved } from './path-controller.ts';
import type { PathController } from './path-state.ts';
import type { Requester } from './request-context.ts';

/** Repeats what later answers have overtaken, and sends what the window and the pace allow. */
function keepPace(args: Enqueueing): void {
  const { context, enqueue } = args;
  const { path } = context;
  const socket = path && socketFor(context.sockets, path.address);
  if (path === undefined || socket === undefined) return;
  if (context.waiting.length === 0 && path.controller.outstanding.length === 0) return;
  const nowMs = timeOf(context, path.controller);
  let { controller } = path;
  for (const { id, arrived } of overdue(controller, nowMs)) {
    enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(id), { type: 'request.overtaken' });
    // A GetNodes that is answered in part ends; all else is repeated.
    controller = arrived > 0 ? closed(controller, id) : repeated(controller, id, nowMs);
  }
  const { taken, waiting } = take(context.waiting, requestsAt(controller, nowMs));
  let { requests } = context;
  for (const { hash, wanted } of taken) {
    const { requester, ticket, sentBefore } = wanted;
    const question = { type: 'GetDatum', hash } as const;
    // It accepts what comes of this question.
    const asked = { question, to: path.address, socket, requester: requester as Requester, ticket, sentBefore };
    const { slot, slots } = send(args, requests, orderFor(context, asked), context.atMs);
    requests = slots;
    controller = opened(controller, { id: slot, grant: 1, atMs: nowMs });
  }
  const isStarved = waiting.length === 0 && awaited(controller.outstanding) < window(controller) / 2;
  if (isStarved) controller = starved(controller);
  enqueue.assign({ path: { ...path, controller }, waiting, requests });
  setTimer(args, controller, waiting.length > 0, nowMs);
}

/** A timer's event has no time, but for the one that was set for this; the latest that is known serves. */
function timeOf({ atMs }: OutgoingSessionContext, { rate }: PathController): number {
  return Math.max(atMs ?? 0, rate.deliveredAtMs);
}

/** So many of the hashes that are wanted, the first ones first. */
function take(all: readonly NodesWanted[], most: number) {
  const taken: { readonly hash: Hash; readonly wanted: NodesWanted }[] = [];
  let index = 0;
  for (; index < all.length; index++) {
    const wanted = all[index] as NodesWanted;
    const free = most - taken.length;
    for (const hash of wanted.hashes.slice(0, free)) taken.push({ hash, wanted });
    if (wanted.hashes.length > free) {
      const rest = { ...wanted, hashes: wanted.hashes.slice(free) };
      return { taken, waiting: [rest, ...all.slice(index + 1)] };
    }
  }
  return { taken, waiting: [] };
}

/** One timer: an earlier one stays, since setting it anew with every answer costs more than looking once for nothing. */
function setTimer(
  { context, enqueue }: Enqueueing,
  controller: PathController,
  isWaiting: boolean,
  nowMs: number,
): void {
  const { paceDueAtMs } = context;
  const sendAtMs = isWaiting && room(controller) > 0 ? nextSendAtMs(controller) : Number.POSITIVE_INFINITY;
  const dueAtMs = Math.min(sendAtMs, overdueAtMs(controller) ?? Number.POSITIVE_INFINITY);
  if (dueAtMs === Number.POSITIVE_INFINITY) return;
  const delay = Math.max(1, Math.ceil(dueAtMs - nowMs));
  if (paceDueAtMs !== undefined && paceDueAtMs > nowMs && paceDueAtMs <= nowMs + delay) return;
  enqueue.cancel('pace');
  enqueue.raise({ type: 'pace.due' }, { id: 'pace', delay });
  enqueue.assign({ paceDueAtMs: nowMs + delay });
}

export const withPace = withRequests.extend({
  actions: {
    addWanted: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.wanted');
      return { waiting: [...context.waiting, event], atMs: event.atMs };
    }),

    keepPace: base.enqueueActions(keepPace),

    /** Its time is the one that it was set for: a timer is never early. */
    noteDue: base.assign(({ context }) => ({ atMs: context.paceDueAtMs, paceDueAtMs: undefined })),
  },
});
