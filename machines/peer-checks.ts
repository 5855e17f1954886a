/**
 * How the root peer actor notices that a followed peer does not answer any more, and that it does again: those in session are asked
 * every other sweep, those that have fallen silent are looked for with every sweep (docs/adr/0028, docs/adr/0029).
 */
import { assertEvent } from 'xstate';
import { entryOf } from '../src/merkle/hash-table.ts';
import { actorId } from './actor-ids.ts';
import { isEstablished, outgoingOf } from './contacts.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import type { Check, Search } from './path-checks.machine.ts';
import { isInSession, listedAt, type PeerContext, silentIn } from './peer-context.ts';
import { askForTraversal, doubtPosition } from './peer-directory.ts';
import { base } from './peer-setup.ts';
import { walkAnew } from './peer-walks.ts';
import { limits } from './timing.ts';

type SessionRef = RefFor<'peer', 'outgoing-session'>;

/** Whether it is asked with this sweep: one of so many, in turns. */
export function isItsTurn({ checkRounds }: PeerContext, index: number): boolean {
  return index % limits.sweepsBetweenChecks === checkRounds % limits.sweepsBetweenChecks;
}

/** Followed peers that answer nowhere, though the directory lists them. */
function lost(context: PeerContext): string[] {
  return silentIn(context).filter((name) => !isInSession(context, name));
}

/** Where to look for them now. If there are more places than that, they take turns. */
function searchesIn(context: PeerContext): Search[] {
  const places = lost(context).flatMap((name) =>
    listedAt(context, name)
      .slice(0, limits.racingHellos)
      .flatMap((to): Search[] => {
        const socket = socketFor(context.sockets, to);
        return socket === undefined ? [] : [{ name, to, socket }];
      }),
  );
  const count = limits.searchesPerSweep;
  if (places.length <= count) return places;
  const from = (context.checkRounds * count) % places.length;
  return [...places.slice(from), ...places.slice(0, from)].slice(0, count);
}

export const checkActions = {
  /** A peer that is being downloaded from need not be asked. */
  checkFollowed: base.enqueueActions((args) => {
    const { context, enqueue } = args;
    const { checkRounds, following, contacts, rootsRead, sockets, walks } = context;
    const isIdle = (name: string) => isInSession(context, name) && entryOf(walks, name) === undefined;
    const idle = following.filter(isIdle);
    const due = following.filter((name, index) => isItsTurn(context, index) && isIdle(name));
    const checks: Check[] = [];
    // In each sweep somebody is asked: a NAT does not tell when it has a new address.
    for (const name of due.length === 0 ? idle : due) {
      const session = actorId.outgoingSession(name);
      const to = outgoingOf(contacts, session)?.address;
      const socket = to && socketFor(sockets, to);
      const root = entryOf(rootsRead, name);
      if (to === undefined || socket === undefined) continue;
      if (root !== undefined) checks.push({ session, to, socket, root });
      else enqueue.sendTo<SessionRef>(session, { type: 'path.check' });
    }
    const searches = searchesIn(context);
    // A NAT that the other side has opened for us stays open for 30 s: so often its help is not needed.
    for (const [index, { to }] of searches.entries()) if (isItsTurn(context, index)) askForTraversal(args, to);
    if (checks.length + searches.length > 0) {
      enqueue.sendTo<RefFor<'peer', 'path-checks'>>(actorId.pathChecks, { type: 'checks.wanted', checks, searches });
    }
    enqueue.assign({ checkRounds: checkRounds + 1 });
  }),

  /** The peer is silent, has something new, or refused: its session finds out which. If nobody answers, it may be about us. */
  checkInEarnest: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'checks.failed');
    if (event.isAlone) doubtPosition(args);
    for (const session of event.sessions) {
      if (isEstablished(context.contacts, session)) enqueue.sendTo<SessionRef>(session, { type: 'path.check' });
    }
  }),

  /** What it has pushed meanwhile did not arrive. If nobody has answered until now, it was us whom nobody could reach. */
  walkFound: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'peer.found');
    const { name, atMs } = event;
    if (!lost(context).includes(name)) return;
    // It may be said Hello to already: the next one would come late.
    const session = actorId.outgoingSession(name);
    if (outgoingOf(context.contacts, session) !== undefined) enqueue.sendTo<SessionRef>(session, event);
    const isAlone = !context.following.some((other) => isInSession(context, other));
    const others = isAlone ? lost(context) : [];
    const isWalking = (other: string) => entryOf(context.walks, other) !== undefined;
    walkAnew(
      args,
      [name, ...others].filter((other) => !isWalking(other)),
      atMs,
    );
  }),
};
