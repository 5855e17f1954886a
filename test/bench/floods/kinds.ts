/** Small datagrams that anybody can send: what a flood is made of. */
import { appendSignature, type Datagram, encodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { encodeMessage } from '../../../src/wire/node.ts';

const value = encodeMessage({ date: 1, inReplyTo: null, body: 'nobody asked for this' });
const hash = hashOf(value);
const noSignature = new Uint8Array(64).fill(7);
const forged = (datagram: Datagram) => appendSignature(encodeDatagram(datagram), noSignature);

/** The i-th datagram of each kind. */
export const KINDS = {
  'a Hello of 13 bytes': (i) => encodeDatagram({ type: 'Hello', id: i + 1, flags: 0, name: 'x' }),
  'a forged Hello under a name of its own': (i) => forged({ type: 'Hello', id: i + 1, flags: 0, name: `nobody ${i}` }),
  'a forged Hello under the name of another peer': (i) =>
    forged({ type: 'Hello', id: i + 1, flags: 0, name: 'warm-up' }),
  'a RootRequest': (i) => encodeDatagram({ type: 'RootRequest', id: i + 1 }),
  'a GetDatum': (i) => encodeDatagram({ type: 'GetDatum', id: i + 1, hash }),
  'a GetNodes without a proof': (i) =>
    encodeDatagram({ type: 'GetNodes', id: i + 1, proof: i, gap: 0, grant: 255, entries: [{ kind: 'node', hash }] }),
  'a request of an unknown type': (i) =>
    encodeDatagram({ type: 'Unknown', id: i + 1, code: 99, body: new Uint8Array() }),
  'a Datum that nobody asked for': (i) => encodeDatagram({ type: 'Datum', id: i + 1, hash, value }),
  'a Root with a forged signature': () => forged({ type: 'Root', id: 0, hash }),
  'an Error': (i) => encodeDatagram({ type: 'Error', id: i + 1, text: 'no session' }),
  'a NatTraversalServer': () =>
    encodeDatagram({ type: 'NatTraversalServer', id: 0, address: { ip: '127.66.6.6', port: 9 } }),
  'a HelloReply with id 0': () => forged({ type: 'HelloReply', id: 0, flags: 0, name: 'nobody' }),
  'four bytes': () => new Uint8Array(4),
} satisfies Record<string, (i: number) => Uint8Array>;

export type Kind = keyof typeof KINDS;
