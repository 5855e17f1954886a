/** What the root peer actor does about downloads, and about its own tree. */
import { entriesOf, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import type { Hash } from '../src/wire/hash.ts';
import { actorId } from './actor-ids.ts';
import { socketFor } from './events.ts';
import type { MerkleWalkOutput } from './merkle-walk-context.ts';
import { nameActions } from './named.ts';
import { isDirectoryAt, type PeerEvent } from './peer-context.ts';
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

export const walkWanted = base.enqueueActions((args) => {
  const { event } = args;
  if (event.type === 'sync.wanted') startWalk(args, event.name, undefined, event.atMs);
  if (event.type === 'announcement.verified') startWalk(args, event.name, event.root, event.atMs);
});

export const rememberAnnounced = base.assign(({ context, event }) =>
  event.type === 'announcement.verified' ? { walks: withEntry(context.walks, event.name, event.root) } : {},
);

export const verifyAnnouncement = base.enqueueActions(({ context, event, enqueue }) => {
  const announcement = announcementIn(context, event);
  if (announcement !== undefined) enqueue({ type: 'verifyAnnouncement', params: announcement });
});

export const walkFollowed = base.enqueueActions((args) => {
  const { context, event, enqueue } = args;
  const { atMs } = event as Extract<PeerEvent, { type: 'registration.listed' | 'following.changed' | 'sweep' }>;
  for (const name of context.following) {
    if (entryOf(context.walks, name) === undefined) startWalk(args, name, undefined, atMs);
  }
  enqueue.assign({ followedAtMs: atMs });
});

export const noteFollowing = base.assign(({ event }) =>
  event.type === 'following.changed' ? { following: event.names } : {},
);

export const tellProgress = base.enqueueActions(({ event, enqueue }) => {
  if (event.type === 'sync.progressed') enqueue.emit(event);
});

/* Publishing */

export const noteRoot = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'root.published') return;
  enqueue.assign({ root: event.root });
  enqueue.emit({ type: 'root.published', root: event.root });
  enqueue({ type: 'sealRoot', params: { root: event.root } });
  for (const [, { address }] of entriesOf(context.incoming)) {
    enqueue.sendTo(actorId.incomingSession(address), { type: 'root.changed', root: event.root });
  }
});

/** A new root goes to each peer that we hold a session to (protocol §5). */
export const pushRoot = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'root.sealed') return;
  for (const [, { address: to }] of entriesOf(context.outgoing)) {
    if (to === undefined || isDirectoryAt(context, to)) continue;
    const socket = socketFor(context.sockets, to);
    if (socket !== undefined) enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [event.bytes], to });
  }
});

/** A download is over; the root that was announced meanwhile is next. */
export function endWalk(args: Enqueueing, { report, atMs }: MerkleWalkOutput): void {
  const { context, enqueue } = args;
  const announced = entryOf(context.walks, report.peer);
  enqueue.assign({ walks: withoutEntry(context.walks, report.peer) });
  enqueue.emit({ type: 'sync.finished', report });
  if (announced && announced !== report.root) startWalk(args, report.peer, announced, atMs);
}

nameActions({
  walkWanted,
  rememberAnnounced,
  verifyAnnouncement,
  walkFollowed,
  noteFollowing,
  tellProgress,
  noteRoot,
  pushRoot,
});
