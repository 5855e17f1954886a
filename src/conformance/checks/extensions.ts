/** Protocol §10: the flags, and the bulk extension where it is offered. */
import { BULK_FLAG, type NodesEntry, type NodesItem } from '../../wire/bulk.ts';
import { type Datagram, encodeDatagram } from '../../wire/datagram.ts';
import { hashOf } from '../../wire/hash.ts';
import { decodeNode } from '../../wire/node.ts';
import { BOTH, type Check, PEER, passes, skipped, some, type Verdict } from '../check.ts';
import type { Probe } from '../probe.ts';
import type { Session, Subject } from '../subject.ts';
import { inSession } from './datagrams.ts';

/** One known program fails when it is set (protocol §11). */
const TAKEN_FLAG = 0x08;
const UNKNOWN_FLAGS = 0x00100400;
const LARGEST_HANDSHAKE = 256;
const LARGEST_NODES = 1_232;
const WAIT_MS = 1_500;
const ABSENT_NODE = hashOf(new TextEncoder().encode('another node that nobody has'));

type Nodes = Datagram & { readonly type: 'Nodes' };

/** In a session in which the extension is in force: with the id of the Hello by which it proved our address. */
function inBulk(
  subject: Subject,
  work: (probe: Probe, proof: number, session: Session) => Promise<Verdict>,
): Promise<Verdict> {
  return inSession(subject, async (session) => {
    const { probe } = session;
    // Some programs copy our flags into HelloReply, so only its own Hello tells.
    const hello = probe.heard.findLast(({ datagram }) => datagram.type === 'Hello')?.datagram;
    if (hello?.type !== 'Hello' || (hello.flags & BULK_FLAG) === 0) return skipped('it does not offer the extension');
    return work(probe, hello.id, session);
  });
}

/** Everything that comes of one GetNodes, in its order. */
async function nodesFor(probe: Probe, proof: number, entries: readonly NodesEntry[], grant = 8) {
  const id = probe.newId();
  const bytes = encodeDatagram({ type: 'GetNodes', id, proof, gap: 0, grant, entries });
  return answersTo(probe, id, bytes);
}

async function answersTo(probe: Probe, id: number, bytes: Uint8Array) {
  const before = probe.heard.length;
  probe.sendBytes(bytes);
  await probe.wait(WAIT_MS);
  const heard = probe.heard.slice(before).filter(({ datagram }) => datagram.id === id);
  // They may have overtaken one another.
  const nodes = heard
    .map(({ datagram }) => datagram)
    .filter((datagram): datagram is Nodes => datagram.type === 'Nodes')
    .sort((a, b) => a.sequence - b.sequence);
  return { heard, nodes, items: nodes.flatMap((datagram): readonly NodesItem[] => datagram.items) };
}

async function rootOf(subject: Subject) {
  const [first] = (await subject.tree())?.nodes ?? [];
  return first;
}

export const extensionChecks: readonly Check[] = [
  {
    id: 'taken-flag',
    section: '10',
    level: 'SHOULD',
    roles: BOTH,
    rule: 'The flag 0x00000008, which one known program fails on, is not set',
    run: (subject) =>
      inSession(subject, async ({ probe, reply }) => {
        const greetings = [...probe.heard, reply].flatMap(({ datagram }) =>
          'flags' in datagram ? [datagram.flags] : [],
        );
        return passes(
          greetings.every((flags) => (flags & TAKEN_FLAG) === 0),
          `flags ${[...new Set(greetings)].map((flags) => `0x${flags.toString(16)}`).join(', ')}`,
        );
      }),
  },
  {
    id: 'unknown-flags',
    section: '10',
    level: 'MUST',
    roles: BOTH,
    rule: 'Flags that it does not know are ignored',
    run: async (subject) => {
      const answer = await (await subject.probe({ flags: UNKNOWN_FLAGS })).askHello();
      return passes(answer?.datagram.type === 'HelloReply', `answered with ${answer?.datagram.type ?? 'nothing'}`);
    },
  },
  {
    id: 'handshake-size',
    section: '10',
    level: 'SHOULD',
    roles: BOTH,
    rule: 'Hello and HelloReply have 256 bytes at most, as far as that depends on extensions',
    run: (subject) =>
      inSession(subject, async ({ probe, reply }) => {
        const name = new TextEncoder().encode(reply.datagram.name).length;
        const sizes = [...probe.heard, reply]
          .filter(({ datagram }) => 'flags' in datagram)
          .map(({ bytes }) => bytes.length);
        const largest = Math.max(...sizes);
        return passes(largest <= Math.max(LARGEST_HANDSHAKE, 76 + name), `${largest} bytes`);
      }),
  },
  {
    id: 'bulk-nodes',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: 'GetNodes is answered with Nodes, items in the order of entries and bits, each with its bytes',
    run: (subject) =>
      inBulk(subject, async (probe, proof) => {
        const root = await rootOf(subject);
        if (root === undefined) return skipped('it gave no node');
        const [hash, bytes] = root;
        const node = decodeNode(bytes);
        const children = node.ok && node.value.kind === 'internal' ? node.value.children : [];
        const entries: NodesEntry[] = [{ kind: 'node', hash }];
        if (children.length > 0) entries.push({ kind: 'children', parent: hash, mask: 0xffffffff });
        const { items } = await nodesFor(probe, proof, entries, 64);
        const wanted = [hash, ...children];
        const areRight =
          items.length === wanted.length &&
          items.every(({ value }, i) => typeof value === 'string' || hashOf(value) === wanted[i]);
        return passes(areRight, `${some(items.length, 'item')} for ${wanted.length} nodes`);
      }),
  },
  {
    id: 'bulk-size',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: `A Nodes datagram has ${LARGEST_NODES} bytes at most`,
    run: (subject) =>
      inBulk(subject, async (probe) => {
        const sizes = probe.heard.filter(({ datagram }) => datagram.type === 'Nodes').map(({ bytes }) => bytes.length);
        if (sizes.length === 0) return skipped('it sent none');
        return passes(Math.max(...sizes) <= LARGEST_NODES, `${Math.max(...sizes)} bytes at most`);
      }),
  },
  {
    id: 'bulk-proof',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: 'GetNodes with a wrong proof is dropped without an answer',
    run: (subject) =>
      inBulk(subject, async (probe, proof) => {
        const hash = (await rootOf(subject))?.[0] ?? ABSENT_NODE;
        const { heard } = await nodesFor(probe, (proof ^ 0x55aa) >>> 0, [{ kind: 'node', hash }]);
        return passes(heard.length === 0, heard.length === 0 ? 'dropped' : `answered with ${heard[0]?.datagram.type}`);
      }),
  },
  {
    id: 'bulk-grant',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: 'No more Nodes come than are granted, from sequence 0 on, the last one marked',
    run: (subject) =>
      inBulk(subject, async (probe, proof) => {
        const root = await rootOf(subject);
        if (root === undefined) return skipped('it gave no node');
        const entries = Array.from({ length: 24 }, (): NodesEntry => ({ kind: 'node', hash: root[0] }));
        const { nodes } = await nodesFor(probe, proof, entries, 2);
        const areRight =
          nodes.length > 0 &&
          nodes.length <= 2 &&
          nodes.every(({ sequence, isLast }, i) => sequence === i && isLast === (i === nodes.length - 1));
        return passes(areRight, `${some(nodes.length, 'datagram')} for a grant of 2`);
      }),
  },
  {
    id: 'bulk-absent',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: 'A node that it does not hold is an item of length 0xffff; children of one, a child 0xff',
    run: (subject) =>
      inBulk(subject, async (probe, proof) => {
        const { items } = await nodesFor(probe, proof, [
          { kind: 'node', hash: ABSENT_NODE },
          { kind: 'children', parent: ABSENT_NODE, mask: 1 },
        ]);
        const areRight =
          items.length === 2 && items.every(({ value }) => value === 'absent') && items[1]?.child === 0xff;
        return passes(
          areRight,
          `${some(items.length, 'item')}: ${items.map(({ child, value }) => `${child} ${typeof value === 'string' ? value : 'bytes'}`).join(', ')}`,
        );
      }),
  },
  {
    id: 'bulk-malformed',
    section: '10.1',
    level: 'MUST',
    roles: PEER,
    rule: 'A malformed GetNodes, as one with a grant of 0, is answered with Error, with its id',
    run: (subject) =>
      inBulk(subject, async (probe, proof) => {
        // Errors are rationed, and there were some.
        await probe.wait(6_000);
        const id = probe.newId();
        const bytes = encodeDatagram({
          type: 'GetNodes',
          id,
          proof,
          gap: 0,
          grant: 1,
          entries: [{ kind: 'node', hash: ABSENT_NODE }],
        });
        bytes[7 + 4 + 2] = 0;
        const { heard } = await answersTo(probe, id, bytes);
        return passes(heard[0]?.datagram.type === 'Error', `answered with ${heard[0]?.datagram.type ?? 'nothing'}`);
      }),
  },
];
