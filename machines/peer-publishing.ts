/** What the root peer actor does about its own tree: who learns its root, and when nobody may learn it any more (docs/adr/0016). */
import { assertEvent } from 'xstate';
import { emptyTable, entriesOf, withEntry } from '../src/merkle/hash-table.ts';
import { RETIRED_FLAG } from '../src/wire/datagram.ts';
import { actorId } from './actor-ids.ts';
import { incomingAt, incomingEntries, outgoingIds, withoutIncoming } from './contacts.ts';
import type { RefFor } from './messages.ts';
import { rootFor } from './peer-context.ts';
import { askAnew } from './peer-history.ts';
import { base } from './peer-setup.ts';
import { tellRoot, withdrawRoot } from './root-telling.ts';

export const publishingActions = {
  /** Whoever has answered before is asked again before it learns this root: another copy of this home may have published meanwhile. */
  noteRoot: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'root.published');
    const { history: former } = context;
    const history = former === undefined ? undefined : (event.history ?? former);
    const silent = [...entriesOf(context.asked)].filter(([, hasAnswered]) => !hasAnswered);
    const asked = silent.reduce((table, [name]) => withEntry(table, String(name), false), emptyTable<boolean>());
    const now = { root: event.root, history, asked, refusedBy: undefined };
    enqueue.assign(now);
    enqueue({ type: 'sealRoot', params: { root: event.root } });
    tellRoot({ context: { ...context, ...now }, enqueue });
    if (event.root !== context.root) enqueue.emit({ type: 'root.published', root: event.root });
    if (former === undefined || history === undefined) return;
    // Nobody can have the new tree yet. After a merge, though, some have what the other copy had.
    askAnew(args, event.isMerged === true ? history : former, event.atMs);
  }),

  /** What is posted here is told nobody but a copy that publishes. */
  noteOwnRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'root.published');
    enqueue.assign({ root: event.root });
    tellRoot({ context: { ...context, root: event.root }, enqueue });
  }),

  /** It has just become known who this is. Our root may have changed since its Hello came. */
  tellRootAtLast: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    const { name, address } = event;
    if (incomingAt(context.contacts, address) === undefined) return;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root: rootFor(context, name),
    });
  }),

  /** The directory is to forget us here: it lists whoever answers its Hello. A copy of us learns that we have stopped. */
  retire: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'publishing.stop');
    enqueue.assign({ retirement: event.failure, sealedRoot: undefined });
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'registration.stop' });
    let { contacts } = context;
    for (const { name, address, socket } of incomingEntries(contacts)) {
      // Of somebody whose key is being looked up it is not known who that is: it says Hello again.
      if (name !== undefined && name !== '') {
        if (name !== context.name) continue;
        const flags = context.flags | RETIRED_FLAG;
        enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
          type: 'flags.changed',
          flags,
        });
        continue;
      }
      enqueue.stopChild(actorId.incomingSession(address));
      enqueue.sendTo(socket, { type: 'source.unrouted', source: address, isCutOff: true });
      contacts = withoutIncoming(contacts, address);
    }
    enqueue.assign({ contacts });
    withdrawRoot({ context: { ...context, contacts }, enqueue });
    for (const id of outgoingIds(context.contacts)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'push.confirmed' });
    }
  }),

  tellRetired: base.emit(({ event }) => {
    assertEvent(event, 'publishing.stop');
    return { type: 'publishing.stopped', failure: event.failure };
  }),
};
