import { describe, expect, test } from 'vitest';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';
import { type RealSession, realSession, whySkipped } from '../../support/vectors.ts';
import { run } from './support.ts';

const HASH = 'ab'.repeat(32);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const value = encodeMessage({ date: 1, inReplyTo: null, body: 'salut' });

const datagrams: readonly (readonly [Datagram, object])[] = [
  [
    { type: 'Hello', id: 7, flags: 8, name: 'bob' },
    { code: 0, flags: 8, name: 'bob' },
  ],
  [
    { type: 'HelloReply', id: 7, flags: 0, name: '' },
    { code: 128, flags: 0, name: '' },
  ],
  [{ type: 'RootRequest', id: 1 }, { code: 1 }],
  [
    { type: 'Root', id: 0, hash: HASH },
    { code: 129, hash: HASH },
  ],
  [
    { type: 'NoDatum', id: 3, hash: HASH },
    { code: 131, hash: HASH },
  ],
  [
    { type: 'Datum', id: 3, hash: hashOf(value), value },
    {
      code: 130,
      hash: hashOf(value),
      hashMatches: true,
      node: {
        kind: 'message',
        hash: hashOf(value),
        date: '2022-01-01T00:00:01.000Z',
        seconds: 1,
        inReplyTo: null,
        body: 'salut',
      },
    },
  ],
  [
    { type: 'NatTraversalServer', id: 0, address: { ip: '2001:db8::1', port: 80 } },
    { code: 133, address: '[2001:db8::1]:80' },
  ],
  [
    { type: 'Error', id: 9, text: 'no\u001b[31m session' },
    { code: 254, text: 'no session' },
  ],
  [
    { type: 'Unknown', id: 9, code: 77, body: Uint8Array.of(1, 2) },
    { code: 77, body: '0102' },
  ],
];

describe('datagrams', () => {
  test.for(datagrams)('%j', async ([datagram, fields]) => {
    const { code, lines } = await run(['decode', hex(encodeDatagram(datagram)), '--json']);
    expect(code).toBe(0);
    expect(lines).toEqual([{ id: datagram.id, type: datagram.type, ...fields, signed: false }]);
  });

  test('a Datum that does not have its hash', async () => {
    const { lines } = await run(['decode', hex(encodeDatagram({ type: 'Datum', id: 3, hash: HASH, value })), '--json']);
    expect(lines[0]).toMatchObject({ hashMatches: false });
  });

  test('with --key the signature is checked: 6 if it is wrong', async () => {
    const keyPair = await generateKeyPair();
    const bytes = encodeDatagram({ type: 'Hello', id: 7, flags: 0, name: 'bob' });
    const signed = hex(appendSignature(bytes, await keyPair.sign(bytes)));
    expect((await run(['decode', signed, '--json'])).lines).toMatchObject([{ signed: true }]);
    const right = await run(['decode', signed, '--key', keyPair.publicKey, '--json']);
    expect(right).toMatchObject({ code: 0, lines: [{ signed: true, signatureValid: true }] });
    const other = await generateKeyPair();
    const wrong = await run(['decode', signed, '--key', other.publicKey, '--json']);
    expect(wrong).toMatchObject({ code: 6, lines: [{ signed: true, signatureValid: false }] });
  });

  test.for(['', '01', 'zz', '0102030480ffff', '123'])('malformed: %j', async (text) => {
    const { code, lines, err } = await run(['decode', '--json', '--', text]);
    expect(code).toBe(7);
    expect(lines).toEqual([{ malformed: expect.stringMatching(/\S/) }]);
    expect(err).toMatch(/^murmure: .+\n$/);
  });

  test('spaces, colons, 0x and capitals are fine', async () => {
    expect((await run(['decode', '0x00 00:00 07 01 00 00', '--json'])).lines).toMatchObject([
      { id: 7, type: 'RootRequest' },
    ]);
  });

  test('- reads lines, and goes on after a malformed one', async () => {
    const request = hex(encodeDatagram({ type: 'RootRequest', id: 1 }));
    const { code, lines } = await run(['decode', '-', '--json'], {
      stdin: [`${request.slice(0, 3)}`, `${request.slice(3)}\n\nxy`, `\r\n${request}`],
    });
    expect(code).toBe(7);
    expect(lines).toEqual([
      expect.objectContaining({ type: 'RootRequest' }),
      { malformed: 'not hexadecimal' },
      expect.objectContaining({ type: 'RootRequest' }),
    ]);
  });

  test('for a person: a field a line', async () => {
    const { out } = await run(['decode', hex(encodeDatagram({ type: 'Datum', id: 3, hash: hashOf(value), value }))]);
    expect(out).toContain('type: Datum\n');
    expect(out).toContain('  body: salut\n');
  });
});

describe('tree nodes', () => {
  test('internal, unknown, malformed', async () => {
    const internal = encodeInternal([HASH, HASH]);
    expect(await run(['decode', '--node', hex(internal), '--json'])).toMatchObject({
      code: 0,
      lines: [{ kind: 'internal', hash: hashOf(internal), children: [HASH, HASH] }],
    });
    expect((await run(['decode', '--node', '7f00', '--json'])).lines).toMatchObject([{ kind: 'unknown', type: 127 }]);
    expect((await run(['decode', '--node', '01', '--json'])).code).toBe(7);
  });
});

test.skipIf(realSession === undefined)(
  `every datagram of the recorded session can be decoded, and the signatures of its peer verify${whySkipped}`,
  async () => {
    const session = realSession as RealSession;
    const sent = session.datagrams.filter(({ dir }) => dir === 'SEND').map(({ hex }) => hex);
    const argv = ['decode', '-', '--key', session.hugoleonard_key_b64, '--json'];
    const { code, lines } = await run(argv, { stdin: [sent.join('\n')] });
    expect(code).toBe(0);
    expect(lines).toHaveLength(sent.length);
    expect(lines.filter(({ signed }) => signed).every(({ signatureValid }) => signatureValid)).toBe(true);
  },
);
