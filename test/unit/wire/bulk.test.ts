/** Protocol §10.1: the bodies of GetNodes and Nodes, against the vectors. */
import { describe, expect, test } from 'vitest';
import type { NodesEntry, NodesItem } from '../../../src/wire/bulk.ts';
import { decodeDatagram, encodeDatagram, isBrokenGetNodes } from '../../../src/wire/datagram.ts';
import { type BulkVectors, fromHex, loadVectors } from '../../support/vectors.ts';

const { valid, malformed } = loadVectors<BulkVectors>('bulk');

const entryOf = ({ hash, parent, mask = 0 }: { hash?: string; parent?: string; mask?: number }): NodesEntry =>
  parent === undefined ? { kind: 'node', hash: hash ?? '' } : { kind: 'children', parent, mask };
const itemOf = ({ entry, child, value }: { entry: number; child: number; value: string }): NodesItem => ({
  entry,
  child,
  value: value === 'absent' || value === 'large' ? value : fromHex(value),
});

describe('what is valid', () => {
  test.each(valid)('$name', ({ bytes, name: _, ...expected }) => {
    const datagram =
      expected.type === 'GetNodes'
        ? { ...expected, entries: expected.entries.map(entryOf) }
        : {
            type: expected.type,
            id: expected.id,
            sequence: expected.sequence,
            isLast: expected.last,
            items: expected.items.map(itemOf),
          };
    const decoded = decodeDatagram(fromHex(bytes));
    expect(decoded.ok && decoded.value.datagram).toEqual(datagram);
    expect(Buffer.from(encodeDatagram(datagram)).toString('hex')).toBe(bytes);
  });
});

describe('what is malformed', () => {
  test.each(malformed)('$name: $what', ({ bytes, what }) => {
    const decoded = decodeDatagram(fromHex(bytes));
    if (what === 'dropped') expect(decoded.ok).toBe(false);
    else expect(decoded.ok && isBrokenGetNodes(decoded.value.datagram)).toBe(true);
  });
});

describe('what the wire cannot carry is refused', () => {
  const hash = '00'.repeat(32);
  const entries = [{ kind: 'node', hash }] as const;
  const getNodes = { type: 'GetNodes', id: 1, proof: 1, gap: 0, grant: 1, entries } as const;
  test.each([
    ['a grant of 0', { ...getNodes, grant: 0 }],
    ['a grant of 256', { ...getNodes, grant: 256 }],
    ['no entries', { ...getNodes, entries: [] }],
    ['33 entries', { ...getNodes, entries: new Array(33).fill(entries[0]) }],
    ['sequence 255', { type: 'Nodes', id: 1, sequence: 255, isLast: true, items: [] }],
    [
      'more than 1,232 bytes',
      {
        type: 'Nodes',
        id: 1,
        sequence: 0,
        isLast: true,
        items: [{ entry: 0, child: 0, value: new Uint8Array(1_220) }],
      },
    ],
  ] as const)('%s', (_, datagram) => {
    expect(() => encodeDatagram(datagram)).toThrow(RangeError);
  });
});
