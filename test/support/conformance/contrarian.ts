/** A peer that does nothing as it should: to show that the checks notice. */
import type { DatagramSocket, Network } from '../../../src/runtime/network.ts';
import { BULK_FLAG } from '../../../src/wire/bulk.ts';
import { type Datagram, decodeDatagram, encodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal } from '../../../src/wire/node.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';

const NAME = 'any/body\u202e';
/** One child. */
const NODE = Uint8Array.from({ length: 33 }, (_, i) => (i === 0 ? 1 : 7));
/** A message that says that its body is longer than it is, has bytes that are no UTF-8, and is dated far ahead. */
const MESSAGE = Uint8Array.from({ length: 1_200 }, (_, i) => [0, 0xf0][i] ?? 0xff);
const CHILDREN = [MESSAGE, NODE].map((node) => hashOf(node.subarray(1)));
const TREE = encodeInternal(CHILDREN);
const ROOT = hashOf(TREE);
/** By a hash that they do not have. */
const NODES = new Map([
  [ROOT, TREE],
  [CHILDREN[0] as string, MESSAGE],
  [CHILDREN[1] as string, NODE],
]);
/** Nodes of more bytes than pass through every network. */
const LARGE_NODES = Uint8Array.of(0, 0, 0, 0, 1_300 >> 8, 1_300 & 0xff, ...new Uint8Array(1_300));

export class Contrarian {
  readonly #socket: DatagramSocket;
  readonly #planted = new Map<string, Uint8Array>();

  private constructor(socket: DatagramSocket) {
    this.#socket = socket;
  }

  static async open(network: Network, bind: SocketAddress): Promise<Contrarian> {
    let hear: Contrarian['hear'] = () => {};
    const socket = await network.open(
      bind,
      (arrivals) => {
        for (const { bytes, from } of arrivals) hear(bytes, from);
      },
      () => {},
    );
    const contrarian = new Contrarian(socket);
    hear = contrarian.hear;
    return contrarian;
  }

  readonly hear = (bytes: Uint8Array, from: SocketAddress): void => {
    const decoded = decodeDatagram(bytes);
    const say = (datagram: Datagram) => this.#socket.send(encodeDatagram(datagram), from);
    if (!decoded.ok) {
      say({ type: 'Error', id: 1, text: decoded.why });
      return;
    }
    const { datagram } = decoded.value;
    const { id } = datagram;
    switch (datagram.type) {
      case 'Hello':
        say({ type: 'HelloReply', id, flags: BULK_FLAG | 0x08, name: NAME });
        for (let i = 0; i < 3; i++) say({ type: 'Hello', id: 0, flags: BULK_FLAG | 0x08, name: NAME });
        break;
      case 'RootRequest':
        say({ type: 'Root', id: (id & 0xffffff00) >>> 0, hash: ROOT });
        break;
      case 'Datum':
        this.#planted.set(datagram.hash, datagram.value);
        break;
      case 'GetDatum':
        // Under a hash that nobody asked for.
        say({
          type: 'Datum',
          id,
          hash: hashOf(NODE),
          value: this.#planted.get(datagram.hash) ?? NODES.get(datagram.hash) ?? NODE,
        });
        break;
      case 'NatTraversalServer':
        this.#socket.send(encodeDatagram({ type: 'HelloReply', id: 0, flags: 0, name: NAME }), datagram.address);
        break;
      case 'GetNodes':
        for (let i = 0; i < 3; i++) say({ type: 'Unknown', id, code: 144, body: LARGE_NODES });
        break;
      default:
        say({ type: 'Error', id: id + 256, text: `\u001b[31m${'that is not welcome here '.repeat(8)}` });
    }
  };
}
