import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendSignature, type Datagram, decodeDatagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { decodeNode, encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import {
  canonicalIp,
  decodeSocketAddress,
  encodeSocketAddress,
  formatAddress,
  parseAddress,
} from '../../src/wire/socket-address.ts';

const id = fc.nat({ max: 0xffffffff });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const address = fc.record({
  ip: fc.oneof(fc.ipV4(), fc.ipV6()).map((ip) => canonicalIp(ip) as string),
  port: fc.nat({ max: 65_535 }),
});

const datagram: fc.Arbitrary<Datagram> = fc.oneof(
  fc.record({ type: fc.constantFrom('Hello', 'HelloReply'), id, flags: id, name: text }),
  fc.record({ type: fc.constant('RootRequest'), id }),
  fc.record({ type: fc.constantFrom('Root', 'GetDatum', 'NoDatum'), id, hash }),
  fc.record({ type: fc.constant('Datum'), id, hash, value: bytes(2_000) }),
  fc.record({
    type: fc.constant('GetNodes'),
    id,
    proof: id,
    gap: fc.nat({ max: 0xffff }),
    grant: fc.integer({ min: 1, max: 255 }),
    entries: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('node'), hash }),
        fc.record({ kind: fc.constant('children'), parent: hash, mask: fc.integer({ min: 1, max: 0xffffffff }) }),
      ),
      { minLength: 1, maxLength: 32 },
    ),
  }),
  fc.record({
    type: fc.constant('Nodes'),
    id,
    sequence: fc.nat({ max: 254 }),
    isLast: fc.boolean(),
    items: fc.array(
      fc.record({
        entry: fc.nat({ max: 255 }),
        child: fc.nat({ max: 255 }),
        value: fc.oneof(bytes(300), fc.constantFrom('absent', 'large')),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({ type: fc.constantFrom('NatTraversalClient', 'NatTraversalServer'), id, address }),
  fc.record({ type: fc.constant('Error'), id, text }),
  fc.record({ type: fc.constant('Unknown'), id, code: fc.constantFrom(3, 127, 134, 253, 255), body: bytes(300) }),
);

/** Something not all zero, so that it does not look like padding. */
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 }).filter((found) => found.some((byte) => byte !== 0));

describe('datagrams', () => {
  test('decode(encode(x)) = x, signed or not', () => {
    fc.assert(
      fc.property(datagram, fc.option(signature, { nil: undefined }), (original, seal) => {
        const unsigned = encodeDatagram(original);
        const decoded = decodeDatagram(seal === undefined ? unsigned : appendSignature(unsigned, seal));
        expect(decoded).toMatchObject({ ok: true, value: { datagram: original, signed: unsigned } });
        if (decoded.ok) expect(decoded.value.signature).toEqual(seal);
      }),
    );
  });

  test('random bytes never make the decoder throw', () => {
    fc.assert(fc.property(bytes(1_500), (random) => typeof decodeDatagram(random).ok === 'boolean'));
  });

  test('a real datagram with some bytes changed or cut off never makes the decoder throw', () => {
    fc.assert(
      fc.property(
        datagram,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))),
        fc.nat(),
        (original, changes, length) => {
          const changed = encodeDatagram(original);
          for (const [at, value] of changes) changed[at % changed.length] = value;
          return typeof decodeDatagram(changed.subarray(0, length % (changed.length + 1))).ok === 'boolean';
        },
      ),
    );
  });
});

describe('nodes', () => {
  test('decode(encode(x)) = x for messages and internal nodes', () => {
    const message = fc.record({
      date: id,
      inReplyTo: fc.option(hash.filter((found) => !/^0+$/.test(found))),
      body: text,
    });
    fc.assert(
      fc.property(message, (original) => {
        expect(decodeNode(encodeMessage(original))).toEqual({ ok: true, value: { kind: 'message', ...original } });
      }),
    );
    fc.assert(
      fc.property(fc.array(hash, { minLength: 2, maxLength: 32 }), (children) => {
        expect(decodeNode(encodeInternal(children))).toEqual({ ok: true, value: { kind: 'internal', children } });
      }),
    );
  });

  test('random bytes never make the decoder throw', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 }), bytes(1_100), (type, rest) => {
        return typeof decodeNode(Uint8Array.of(type, ...rest)).ok === 'boolean';
      }),
    );
  });
});

describe('socket addresses', () => {
  test('decode(encode(x)) = x, in bytes and in text', () => {
    fc.assert(
      fc.property(address, (original) => {
        expect(decodeSocketAddress(encodeSocketAddress(original))).toEqual({ ok: true, value: original });
        expect(parseAddress(formatAddress(original))).toEqual({ ok: true, value: original });
      }),
    );
  });
});
