import { describe, expect, test } from 'vitest';
import { hashOf } from '../../../src/wire/hash.ts';
import {
  decodeNode,
  encodeInternal,
  encodeMessage,
  MAX_BODY_BYTES,
  MessageTooLongError,
  nodeFault,
  nodeKind,
} from '../../../src/wire/node.ts';
import { fromHex, loadVectors } from '../../support/vectors.ts';

interface ValidNode {
  readonly name: string;
  readonly bytes: string;
  readonly hash: string;
  readonly kind: 'message' | 'internal' | 'unknown';
}

interface UnreadableNode {
  readonly name: string;
  readonly bytes: string;
  readonly hash: string;
}

const vectors = loadVectors<{
  valid: readonly ValidNode[];
  brokenLeaves: readonly UnreadableNode[];
  invalid: readonly UnreadableNode[];
}>('nodes');

describe('protocol §2: the nodes of the vectors', () => {
  test.each(vectors.valid.map((vector) => [vector.name, vector] as const))('%s: decoded', (_, vector) => {
    const { name: __, bytes, hash, ...fields } = vector;
    expect(decodeNode(fromHex(bytes))).toEqual({ ok: true, value: fields });
    expect(nodeKind(fromHex(bytes))).toBe(vector.kind);
    expect(hashOf(fromHex(bytes))).toBe(hash);
  });

  test.each(vectors.invalid.map((vector) => [vector.name, vector] as const))(
    '%s: invalid, and it is said why',
    (_, { bytes, hash }) => {
      expect(decodeNode(fromHex(bytes))).toEqual({ ok: false, why: expect.stringMatching(/\w+ \w+/) });
      expect(nodeFault(fromHex(bytes))).toMatch(/\w+ \w+/);
      expect(hashOf(fromHex(bytes))).toBe(hash);
    },
  );

  test.each(vectors.brokenLeaves.map((vector) => [vector.name, vector] as const))(
    '%s: a leaf that cannot be read, which is no fault of the tree',
    (_, { bytes, hash }) => {
      expect(decodeNode(fromHex(bytes))).toEqual({ ok: false, why: expect.stringMatching(/\w+ \w+/) });
      expect(nodeFault(fromHex(bytes))).toBeUndefined();
      expect(hashOf(fromHex(bytes))).toBe(hash);
    },
  );
});

describe('protocol §2: what we publish', () => {
  test('a message node has at most 1024 bytes', () => {
    expect(encodeMessage({ date: 0, inReplyTo: null, body: 'x'.repeat(MAX_BODY_BYTES) })).toHaveLength(1024);
  });
  test('a longer body is refused, with the number of bytes too many', () => {
    const encode = () => encodeMessage({ date: 0, inReplyTo: null, body: 'é'.repeat(500) });
    expect(encode).toThrow(MessageTooLongError);
    expect(encode).toThrow(expect.objectContaining({ over: 15, code: 'usage' }));
  });
  test('half a surrogate pair is refused: others would read U+FFFD', () => {
    for (const body of ['\ud800', 'a\udc00b']) {
      const encode = () => encodeMessage({ date: 0, inReplyTo: null, body });
      expect(encode).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });
  test('a byte order mark is part of a message, and so is the message of which it is the answer', () => {
    const message = { date: 2 ** 32 - 1, inReplyTo: 'ab'.repeat(32), body: '\ufeffhello' };
    expect(decodeNode(encodeMessage(message))).toEqual({ ok: true, value: { kind: 'message', ...message } });
  });
  test('a date is an unsigned number of 32 bits', () => {
    for (const date of [-1, 2 ** 32, 1.5, Number.NaN]) {
      expect(() => encodeMessage({ date, inReplyTo: null, body: '' })).toThrow(RangeError);
    }
  });
  test('an internal node has 2 to 32 children', () => {
    for (const count of [0, 1, 33]) {
      expect(() => encodeInternal(new Array(count).fill('ab'.repeat(32)))).toThrow(RangeError);
    }
    expect(encodeInternal(new Array(32).fill('ab'.repeat(32)))).toHaveLength(1 + 32 * 32);
  });
});
