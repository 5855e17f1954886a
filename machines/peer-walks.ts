/** What the root peer actor does about downloads, and about its own tree. */

import { assertEvent } from 'xstate';
import { entriesOf, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import type { Hash } from '../src/wire/hash.ts';
import { actorId, keyIn } from './actor-ids.ts';
import { socketFor } from './events.ts';
import { failedWalk, type MerkleWalkOutput } from './merkle-walk-context.ts';
import type { RefFor } from './messages.ts';
import { isDirectoryAt } from './peer-context.ts';
import { announcementIn, base, type Enqueueing } from './peer-setup.ts';

/* Walks */

function startWalk(
  { context, enqueue, self }: Enqueueing,
  name: string,
  announced: Hash | undefined,
  atMs: number,
): void {
  const input = { name, owner: self, announced, quota: context.quota, atMs };
  enqueue.spawnChild('merkleWalk', { id: actorId.merkleWalk(name), input });
  enqueue.assign(({ context: now }) => ({ walks: withEntry(now.walks, name, null) }));
}

/* Publishing */

/** A download is over; the root that was announced meanwhile is next. */
export function endWalk(args: Enqueueing, { report, atMs }: MerkleWalkOutput): void {
  const { context, enqueue } = args;
  const announced = entryOf(context.walks, report.peer);
  enqueue.assign({ walks: withoutEntry(context.walks, report.peer) });
  enqueue.emit({ type: 'sync.finished', report });
  if (announced && announced !== report.root) startWalk(args, report.peer, announced, atMs);
}

export const walkActions = {
  walkWanted: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, ['sync.wanted', 'announcement.verified']);
    const announced = event.type === 'sync.wanted' ? undefined : event.root;
    startWalk(args, event.name, announced, event.atMs);
  }),

  rememberAnnounced: base.assign(({ context, event }) => {
    assertEvent(event, 'announcement.verified');
    return { walks: withEntry(context.walks, event.name, event.root) };
  }),

  verifyAnnouncedRoot: base.enqueueActions(({ context, event, enqueue }) => {
    const announcement = announcementIn(context, event);
    if (announcement !== undefined) enqueue({ type: 'verifyAnnouncement', params: announcement });
  }),

  walkFollowed: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['registration.listed', 'following.changed', 'sweep']);
    const { atMs } = event;
    for (const name of context.following) {
      if (entryOf(context.walks, name) === undefined) startWalk(args, name, undefined, atMs);
    }
    enqueue.assign({ followedAtMs: atMs });
  }),

  noteFollowing: base.assign(({ event }) => {
    assertEvent(event, 'following.changed');
    return { following: event.names };
  }),

  tellProgress: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, 'sync.progressed');
    enqueue.emit(event);
  }),

  noteRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'root.published');
    enqueue.assign({ root: event.root });
    enqueue.emit({ type: 'root.published', root: event.root });
    enqueue({ type: 'sealRoot', params: { root: event.root } });
    for (const [, { address }] of entriesOf(context.incoming)) {
      enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
        type: 'root.changed',
        root: event.root,
      });
    }
  }),

  /** A new root goes to each peer that we hold a session to (protocol §5). */
  pushRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'root.sealed');
    for (const [, { address: to }] of entriesOf(context.outgoing)) {
      if (to === undefined || isDirectoryAt(context, to)) continue;
      const socket = socketFor(context.sockets, to);
      if (socket !== undefined) enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [event.bytes], to });
    }
  }),

  endWalk: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.done.actor.merkle-walk.*');
    endWalk(args, event.output);
  }),

  endBrokenWalk: base.enqueueActions((args) => {
    const { event, context } = args;
    assertEvent(event, 'xstate.error.actor.merkle-walk.*');
    endWalk(args, failedWalk(keyIn(event.actorId), event.error, context.followedAtMs));
  }),
};
