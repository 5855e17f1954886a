/** What the root peer actor does about those whom the person has blocked: they are neither served nor greeted. */
import { assertEvent } from 'xstate';
import { withoutEntry } from '../src/merkle/hash-table.ts';
import { sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { outgoingOf } from './contacts.ts';
import type { RefFor } from './messages.ts';
import { cutOff } from './peer-incoming.ts';
import { base } from './peer-setup.ts';

export const blockingActions = {
  noteBlocked: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'blocked.changed');
    const { names: blocked } = event;
    const isBlocked = (name: string | undefined) => name !== undefined && blocked.includes(name);
    enqueue.assign({
      blocked,
      contacts: cutOff(args, context.contacts, ({ name }) => isBlocked(name)),
      readers: blocked.reduce((readers, name) => withoutEntry(readers, name), context.readers),
      toGreet: context.toGreet.filter((name) => !isBlocked(name)),
      toWalk: context.toWalk.filter((name) => !isBlocked(name)),
    });
    // It looks the peer up anew, is refused that, and ends; and with it whatever is downloaded over it.
    for (const name of blocked) {
      if (context.blocked.includes(name)) continue;
      const id = actorId.outgoingSession(name);
      if (outgoingOf(context.contacts, id) === undefined) continue;
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'trust.changed' });
    }
  }),

  refuseBlocked: base.raise(({ event }) => {
    assertEvent(event, 'stranger.asked');
    const { received, from, socket } = event;
    return { type: 'error.owed', id: received.datagram.id, to: from, text: 'refused', socket };
  }),

  /** It had a session from this address under another name. */
  endBlocked: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'session.accepted');
    const contacts = cutOff(args, context.contacts, ({ address }) => sameAddress(address, event.address));
    enqueue.assign({ contacts });
  }),
};
