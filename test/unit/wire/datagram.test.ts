import { describe, expect, test } from 'vitest';
import {
  appendSignature,
  type Datagram,
  decodeDatagram,
  encodeDatagram,
  MAX_DATAGRAM,
} from '../../../src/wire/datagram.ts';
import { fromHex, loadVectors } from '../../support/vectors.ts';

interface ValidDatagram {
  readonly name: string;
  readonly bytes: string;
  readonly id: number;
  readonly type: Datagram['type'] | number;
  readonly signed: boolean;
  readonly value?: string;
  readonly [field: string]: unknown;
}

const vectors = loadVectors<{
  valid: readonly ValidDatagram[];
  malformed: readonly { name: string; bytes: string }[];
}>('datagrams');

/** What the vector says of the datagram's fields, in our words. */
function expectedFields({ name, bytes: _, signed: __, type, value, ...fields }: ValidDatagram): object {
  const isHello = type === 'Hello' || type === 'HelloReply';
  return {
    ...fields,
    ...(typeof type === 'string' && { type }),
    ...(isHello && { name }),
    ...(value !== undefined && { value: fromHex(value) }),
  };
}

describe('protocol §4: the datagrams of the vectors', () => {
  test.each(vectors.valid.map((vector, index) => [`${index}: ${vector.type} ${vector.name}`, vector] as const))(
    '%s is decoded',
    (_, vector) => {
      const decoded = decodeDatagram(fromHex(vector.bytes));
      expect(decoded).toMatchObject({ ok: true, value: { datagram: expectedFields(vector) } });
      if (decoded.ok) expect(decoded.value.signature !== undefined).toBe(vector.signed);
    },
  );

  test.each(vectors.malformed.map(({ name, bytes }) => [name, bytes] as const))(
    '%s: malformed, and it is said why',
    (_, bytes) => {
      expect(decodeDatagram(fromHex(bytes))).toEqual({ ok: false, why: expect.stringMatching(/\w+ \w+/) });
    },
  );
});

describe('protocol §4: the signature', () => {
  const header = encodeDatagram({ type: 'RootRequest', id: 1 });
  const followedBy = (...trailer: number[]) => {
    const decoded = decodeDatagram(Uint8Array.of(...header, ...trailer));
    return decoded.ok ? decoded.value.signature : 'malformed';
  };

  test('nothing after the body: unsigned', () => expect(followedBy()).toBeUndefined());
  test('zeros of any number are padding: unsigned', () => {
    for (const count of [1, 63, 64, 65, 1_100]) expect(followedBy(...new Array(count).fill(0))).toBeUndefined();
  });
  test('1 to 63 bytes are no signature', () => expect(followedBy(...new Array(63).fill(7))).toBeUndefined());
  test('of more than 64 bytes the first 64 are the signature', () => {
    expect(followedBy(...new Array(70).fill(7))).toEqual(new Uint8Array(64).fill(7));
  });
  test('covers header and body, and nothing else', () => {
    const decoded = decodeDatagram(appendSignature(header, new Uint8Array(64).fill(9)));
    expect(decoded).toMatchObject({ ok: true, value: { signed: header } });
  });
  test('of another length is refused', () => expect(() => appendSignature(header, new Uint8Array(63))).toThrow('64'));
});

describe('what cannot be encoded', () => {
  test('is a name of more than 255 bytes', () => {
    expect(() => encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'é'.repeat(128) })).toThrow('256');
  });
  test('is a body that fits no datagram', () => {
    const encode = (length: number) =>
      encodeDatagram({ type: 'Datum', id: 1, hash: 'ab'.repeat(32), value: new Uint8Array(length) });
    expect(() => encode(MAX_DATAGRAM - 7 - 32 + 1)).toThrow('fits no datagram');
    expect(encode(MAX_DATAGRAM - 7 - 32)).toHaveLength(65_507);
  });
});

test('a byte order mark is part of a name, and of a text', () => {
  for (const datagram of [
    { type: 'Hello', id: 1, flags: 0, name: '\ufeffalice' },
    { type: 'Error', id: 1, text: '\ufeffno' },
  ] as const) {
    expect(decodeDatagram(encodeDatagram(datagram))).toMatchObject({ ok: true, value: { datagram } });
  }
});
