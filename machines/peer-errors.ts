/** Errors that the peer sends and receives (protocol §9). */

import { assertEvent } from 'xstate';
import { entryOf, withEntry } from '../src/merkle/hash-table.ts';
import { encodeDatagram } from '../src/wire/datagram.ts';
import { formatAddress } from '../src/wire/socket-address.ts';
import { knownPeerAt } from './contacts.ts';
import { affordableText } from './incoming-session-context.ts';
import { base } from './peer-setup.ts';

export const errorActions = {
  refuseStranger: base.raise(({ event }) => {
    assertEvent(event, 'stranger.asked');
    const { received, from, socket, size } = event;
    const text = affordableText('no session: say Hello first', 'no session', size);
    return { type: 'error.owed', id: received.datagram.id, to: from, text, socket };
  }),

  sendError: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'error.owed');
    const { id, to, text, socket } = event;
    const source = formatAddress(to);
    enqueue.assign({
      errorsSent: context.errorsSent + 1,
      errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
    });
    const bytes = encodeDatagram({ type: 'Error', id, text });
    enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to });
  }),

  tellError: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'datagram.unsolicited');
    const { datagram } = event.received;
    if (datagram.type !== 'Error') return;
    const name = knownPeerAt(context.contacts, event.from)?.name;
    enqueue.emit({ type: 'error.received', from: event.from, name, text: datagram.text });
  }),

  tellErrorAnswered: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, 'error.answered');
    const { from, name, text } = event;
    enqueue.emit({ type: 'error.received', from, name, text });
  }),
};
