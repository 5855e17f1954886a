/** A stranger with a feed that a test makes by hand: listed in the directory, greets properly, and serves whatever nodes a test gives it. */
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { Stranger } from './stranger.ts';
import type { World } from './world.ts';

export function message(body: string): Uint8Array {
  return encodeMessage({ date: 1, inReplyTo: null, body });
}

export function parent(...children: readonly Uint8Array[]): Uint8Array {
  return encodeInternal(children.map(hashOf));
}

export class Publisher {
  readonly name: string;
  readonly stranger: Stranger;
  readonly nodes = new Map<Hash, Uint8Array>();
  root: Hash;
  /** Hashes in the order in which they were asked for, repeats included. */
  readonly asked: Hash[] = [];
  /** Replaces the answer to a GetDatum: true if it did. */
  tamper: (hash: Hash, id: number) => boolean = () => false;

  private constructor(name: string, stranger: Stranger, root: Hash) {
    this.name = name;
    this.stranger = stranger;
    this.root = root;
  }

  static async join(
    world: World,
    name: string,
    nodes: readonly Uint8Array[],
    root: Uint8Array,
    ip?: string,
  ): Promise<Publisher> {
    const stranger = await Stranger.join(world, name, ip);
    world.registry.prove(name, stranger.keyPair.publicKey, stranger.address, world.clock.now());
    const publisher = new Publisher(name, stranger, hashOf(root));
    for (const node of [...nodes, root]) publisher.nodes.set(hashOf(node), node);
    stranger.answer = ({ datagram, from }) => {
      const { id } = datagram;
      if (datagram.type === 'Hello') void stranger.sendSigned(from, { type: 'HelloReply', id, flags: 0, name });
      if (datagram.type === 'RootRequest') void stranger.sendSigned(from, { type: 'Root', id, hash: publisher.root });
      if (datagram.type !== 'GetDatum') return;
      const { hash } = datagram;
      publisher.asked.push(hash);
      if (publisher.tamper(hash, id)) return;
      const value = publisher.nodes.get(hash);
      stranger.send(from, value === undefined ? { type: 'NoDatum', id, hash } : { type: 'Datum', id, hash, value });
    };
    return publisher;
  }
}
