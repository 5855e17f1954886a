/** Protocol §2: what it publishes, as far as a few of its nodes tell. */

import { EMPTY_ROOT, hashOf } from '../../wire/hash.ts';
import { decodeNode, MAX_BODY_BYTES, messageBody, nodeFault, nodeKind, type TreeNode } from '../../wire/node.ts';
import { BOTH, type Check, PEER, passes, skipped, some, type Verdict } from '../check.ts';
import type { Subject } from '../subject.ts';

const LARGEST_MESSAGE = 39 + MAX_BODY_BYTES;
const DAY_S = 86_400;
const EPOCH_2022_S = Date.UTC(2022, 0, 1) / 1_000;

/** Of the nodes that are looked at, none is as `isWrong` says. */
async function none(
  subject: Subject,
  kind: TreeNode['kind'],
  what: string,
  isWrong: (node: Uint8Array) => boolean,
): Promise<Verdict> {
  const nodes = [...((await subject.tree())?.nodes.values() ?? [])].filter((node) => nodeKind(node) === kind);
  if (nodes.length === 0) return skipped(`it gave no node of the kind "${kind}"`);
  const wrong = nodes.filter(isWrong).length;
  return passes(
    wrong === 0,
    wrong === 0 ? `${some(nodes.length, 'node')} seen` : `${wrong} of ${some(nodes.length, 'node')}: ${what}`,
  );
}

export const treeChecks: readonly Check[] = [
  {
    id: 'node-hash',
    section: '2',
    level: 'MUST',
    roles: PEER,
    rule: 'The hash of a node is SHA-256 over the bytes of the node',
    run: async (subject) => {
      const nodes = [...((await subject.tree())?.nodes ?? [])];
      if (nodes.length === 0) return skipped('it gave no node');
      const wrong = nodes.filter(([hash, bytes]) => hashOf(bytes) !== hash).length;
      return passes(wrong === 0, `${nodes.length - wrong} of ${some(nodes.length, 'node')} fit their hash`);
    },
  },
  {
    id: 'internal-node',
    section: '2',
    level: 'MUST',
    roles: PEER,
    rule: 'An internal node has 2 to 32 children, and 1 + 32·n bytes',
    run: (subject) => none(subject, 'internal', 'invalid', (node) => nodeFault(node) !== undefined),
  },
  {
    id: 'message-size',
    section: '2',
    level: 'MUST',
    roles: PEER,
    rule: `A message that is published has at most ${LARGEST_MESSAGE} bytes`,
    run: (subject) => none(subject, 'message', 'too large', (node) => node.length > LARGEST_MESSAGE),
  },
  {
    id: 'message-readable',
    section: '2',
    level: 'MUST',
    roles: PEER,
    rule: 'A message has a date, a hash, a length and a body of that length',
    run: (subject) => none(subject, 'message', 'cut short', (node) => !decodeNode(node).ok),
  },
  {
    id: 'message-utf8',
    section: '2',
    level: 'SHOULD',
    roles: PEER,
    rule: 'The body of a message is UTF-8',
    run: (subject) => none(subject, 'message', 'not UTF-8', (node) => !isUtf8(messageBody(node))),
  },
  {
    id: 'message-date',
    section: '2',
    level: 'SHOULD',
    roles: PEER,
    rule: 'The date of a message counts seconds from 2022-01-01T00:00:00Z',
    run: (subject) => {
      const latest = subject.options.clock.now() / 1_000 - EPOCH_2022_S + DAY_S;
      return none(
        subject,
        'message',
        'the date lies in the future',
        (node) => new DataView(node.buffer, node.byteOffset).getUint32(1) > latest,
      );
    },
  },
  {
    id: 'message-padding',
    section: '2',
    level: 'SHOULD',
    roles: PEER,
    rule: 'Nothing follows the body of a message',
    run: (subject) => none(subject, 'message', 'padded', (node) => node.length > 39 + (messageBody(node)?.length ?? 0)),
  },
  {
    id: 'empty-root',
    section: '2',
    level: 'MUST',
    roles: BOTH,
    rule: 'GetDatum for the hash of nothing gets NoDatum',
    run: async (subject) => {
      const answer = await (await subject.session())?.probe.ask({ type: 'GetDatum', hash: EMPTY_ROOT });
      return passes(answer?.datagram.type === 'NoDatum', `answered with ${answer?.datagram.type ?? 'nothing'}`);
    },
  },
];

function isUtf8(bytes: Uint8Array | undefined): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
