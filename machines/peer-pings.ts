/** What the root peer actor does to learn how long a peer takes to answer. */
import { type AnyActorRef, assertEvent } from 'xstate';
import { actorId, keyIn } from './actor-ids.ts';
import { outgoingOf } from './contacts.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import type { PingOutput } from './ping.machine.ts';
import { limits } from './timing.ts';

function tellPing({ context, enqueue }: Enqueueing, { name: peer, roundTripMs, failure }: PingOutput): void {
  const session = outgoingOf(context.contacts, actorId.outgoingSession(peer));
  const where = { address: session?.address ?? null, authenticated: session?.key !== undefined };
  enqueue.emit({
    type: 'ping.finished',
    peer,
    ...where,
    roundTripMs: roundTripMs ?? null,
    ...(failure && { failure }),
  });
}

export const pingActions = {
  /** One at a time of each peer: whoever asks meanwhile hears of that one. */
  ping: base.enqueueActions((args) => {
    const { event, enqueue, self } = args;
    assertEvent(event, 'ping.wanted');
    const { name, atMs } = event;
    const { children = {} } = self.getSnapshot() as {
      readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
    };
    const id = actorId.ping(name);
    if (children[id] !== undefined) return;
    const running = Object.keys(children).filter((other) => other.startsWith(actorId.ping(''))).length;
    if (running < limits.pings) enqueue.spawnChild('ping', { id, input: { name, owner: self, atMs } });
    else tellPing(args, failedPing(name, 'too many pings are under way: try again'));
  }),

  tellPing: base.enqueueActions((args) => {
    assertEvent(args.event, 'xstate.done.actor.ping.*');
    tellPing(args, args.event.output);
  }),

  tellBrokenPing: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.error.actor.ping.*');
    tellPing(args, failedPing(keyIn(event.actorId), `asking broke down: ${String(event.error)}`));
  }),
};

function failedPing(name: string, message: string): PingOutput {
  return { name, roundTripMs: undefined, failure: { code: 'unexpected', message } };
}
