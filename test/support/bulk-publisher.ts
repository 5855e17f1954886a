/** A publisher that serves nodes in bulk (protocol §10.1), as well or as badly as a test says. */
import { NodeServer } from '../../src/peer/node-server.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { type Datagram, decodeDatagram } from '../../src/wire/datagram.ts';
import { Publisher } from './publisher.ts';
import type { World } from './world.ts';

type GetNodes = Extract<Datagram, { type: 'GetNodes' }>;
type Nodes = Extract<Datagram, { type: 'Nodes' }>;

export interface BulkHabits {
  /** What it does about a GetNodes instead of serving it: true if it did. Default: it serves all. */
  readonly refuse?: (asked: GetNodes, send: (datagram: Datagram) => void) => boolean;
  /** What becomes of a Nodes before it is sent; undefined: it is lost. Default: nothing. */
  readonly tamper?: (nodes: Nodes) => Nodes | undefined;
}

const HELLO_ID = 0x600d1d;

export async function joinWithBulk(
  world: World,
  name: string,
  nodes: readonly Uint8Array[],
  root: Uint8Array,
  { refuse = () => false, tamper = (sent) => sent }: BulkHabits = {},
): Promise<Publisher> {
  const publisher = await Publisher.join(world, name, nodes, root);
  const { stranger } = publisher;
  const read = (hash: string) => publisher.nodes.get(hash);
  const server = new NodeServer({ named: read, children: (hashes) => hashes.map(read) }, world.clock);
  const { answer } = stranger;
  stranger.answer = (heard) => {
    const { datagram, from } = heard;
    answer(heard);
    if (datagram.type === 'Hello') {
      void stranger.sendSigned(from, { type: 'Hello', id: HELLO_ID, flags: BULK_FLAG, name });
    }
    if (datagram.type !== 'GetNodes' || datagram.proof !== HELLO_ID) return;
    if (refuse(datagram, (sent) => stranger.send(from, sent))) return;
    server.serve('reader', [datagram], (datagrams) => {
      for (const bytes of datagrams) {
        const decoded = decodeDatagram(bytes);
        const sent = decoded.ok && decoded.value.datagram.type === 'Nodes' ? tamper(decoded.value.datagram) : undefined;
        if (sent !== undefined) stranger.send(from, sent);
      }
    });
  };
  return publisher;
}
