/** What the root peer actor does about downloads, and about its own tree. */

import { assertEvent } from 'xstate';
import { entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import type { Hash } from '../src/wire/hash.ts';
import { actorId, keyIn } from './actor-ids.ts';
import { allowanceAt, isSpent, spent } from './announcements.ts';
import { failedWalk, type MerkleWalkOutput } from './merkle-walk-context.ts';
import { isPresent, type PeerContext } from './peer-context.ts';
import { announcementIn, base, type Enqueueing } from './peer-setup.ts';
import { limits } from './timing.ts';

export function startWalk(
  { context, enqueue, self }: Enqueueing,
  name: string,
  announced: Hash | undefined,
  atMs: number,
): void {
  const input = { name, owner: self, announced, quota: context.quota, atMs };
  enqueue.spawnChild('merkleWalk', { id: actorId.merkleWalk(name), input });
  enqueue.assign(({ context: now }) => ({ walks: withEntry(now.walks, name, null) }));
  enqueue.emit({ type: 'sync.started', peer: name });
}

/** A download is over; the root that was announced meanwhile is next, else whoever waits. */
export function endWalk(args: Enqueueing, { report, atMs }: MerkleWalkOutput): void {
  const { context, enqueue } = args;
  const announced = entryOf(context.walks, report.peer);
  const walks = withoutEntry(context.walks, report.peer);
  enqueue.assign({ walks });
  if (report.status !== 'failed' && report.root !== null && context.following.includes(report.peer)) {
    enqueue.assign({ rootsRead: withEntry(context.rootsRead, report.peer, report.root) });
  }
  enqueue.emit({ type: 'sync.finished', report });
  if (announced && announced !== report.root) walkAnnounced(args, report.peer, announced, atMs);
  else startWaiting(args, context.toWalk, walks, atMs);
}

/** Of somebody who announces too much, the newest root is asked for a little later. */
function walkAnnounced(args: Enqueueing, name: string, root: Hash, atMs: number): void {
  const { context, enqueue } = args;
  const allowance = allowanceAt(entryOf(context.allowances, name), atMs);
  if (isSpent(allowance)) {
    enqueue.assign({ toWalk: [...new Set([...context.toWalk, name])] });
    return;
  }
  enqueue.assign({ allowances: withEntry(context.allowances, name, spent(allowance)) });
  startWalk(args, name, root, atMs);
}

/** Starts downloads of those who wait, as far as there is room, and keeps the others waiting. */
export function startWaiting(
  args: Enqueueing,
  names: readonly string[],
  walks: PeerContext['walks'],
  atMs: number,
): void {
  const isRunning = (name: string) => entryOf(walks, name) !== undefined;
  const waiting = [...new Set(names)].filter((name) => !isRunning(name));
  const room = Math.max(0, limits.walks - walks.size);
  for (const name of waiting.slice(0, room)) startWalk(args, name, undefined, atMs);
  // Who waits for its own download to end is asked once more then.
  const again = args.context.toWalk.filter(isRunning);
  const toWalk = [...waiting.slice(room), ...again];
  if (toWalk.length + args.context.toWalk.length > 0) args.enqueue.assign({ toWalk });
}

/** These first; a download that is under way may wait for where the peer was before, so that another one follows. */
export function walkAnew(args: Enqueueing, names: readonly string[], atMs: number): void {
  const { walks, toWalk } = args.context;
  startWaiting(args, [...names, ...toWalk], walks, atMs);
  const busy = names.filter((name) => entryOf(walks, name) !== undefined);
  if (busy.length === 0) return;
  args.enqueue.assign(({ context }) => ({ toWalk: [...new Set([...context.toWalk, ...busy])] }));
}

export const walkActions = {
  walkWanted: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'sync.wanted');
    startWalk(args, event.name, undefined, event.atMs);
  }),

  walkAnnounced: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'announcement.verified');
    walkAnnounced(args, event.name, event.root, event.atMs);
  }),

  walkWaiting: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'sweep');
    if (context.toWalk.length > 0) startWaiting(args, context.toWalk, context.walks, event.atMs);
  }),

  rememberAnnounced: base.assign(({ context, event }) => {
    assertEvent(event, 'announcement.verified');
    return { walks: withEntry(context.walks, event.name, event.root) };
  }),

  compareSeenRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'root.seen');
    const { name, root, authenticated, atMs } = event;
    if (context.following.includes(name)) enqueue({ type: 'compareRoot', params: { name, root, authenticated, atMs } });
  }),

  verifyAnnouncedRoot: base.enqueueActions(({ context, event, enqueue }) => {
    const announcement = announcementIn(context, event);
    if (announcement !== undefined) enqueue({ type: 'verifyAnnouncement', params: announcement });
  }),

  walkFollowed: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['registration.listed', 'following.changed', 'network.changed', 'sweep']);
    const { atMs } = event;
    // Whoever is not listed is not asked again and again: `lookForAbsent` notices when that changes.
    const names = context.following.filter((name) => isPresent(context, name));
    enqueue.assign({ followedAtMs: atMs });
    startWaiting(args, [...new Set([...context.toWalk, ...names])], context.walks, atMs);
  }),

  /** A followed peer is asked for what could not be believed before; a download under way is ending, and the next one waits for that. */
  walkTrusted: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'trust.changed');
    const { name, atMs } = event;
    if (!context.following.includes(name)) return;
    if (entryOf(context.walks, name) === undefined) startWalk(args, name, undefined, atMs);
    else enqueue.assign({ toWalk: [...context.toWalk.filter((other) => other !== name), name] });
  }),

  noteFollowing: base.assign(({ context, event }) => {
    assertEvent(event, 'following.changed');
    const added = event.names.filter((name) => !context.following.includes(name));
    const followed = new Set(event.names);
    let { presence, silent, rootsRead } = context;
    for (const name of context.following) {
      if (followed.has(name)) continue;
      presence = withoutEntry(presence, name);
      silent = withoutEntry(silent, name);
      rootsRead = withoutEntry(rootsRead, name);
    }
    return { following: event.names, toWalk: [...context.toWalk, ...added], presence, silent, rootsRead };
  }),

  tellProgress: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, 'sync.progressed');
    enqueue.emit(event);
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
