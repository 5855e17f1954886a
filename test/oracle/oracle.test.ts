/** The oracle of docs/protocol.md: it finds each kind of broken trace, and none in what our programs and the reference say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../../src/journal/journal-file.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { EMPTY_ROOT, hashOf } from '../../src/wire/hash.ts';
import { parseAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import { realSession, whySkipped } from '../support/vectors.ts';
import { violationsIn } from './journal-trace.ts';
import { Oracle } from './oracle.ts';
import { rules } from './rules.ts';

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8').replaceAll('\n', ' ');
const BOB: SocketAddress = { ip: '192.0.2.2', port: 2_000 };
const CAROL: SocketAddress = { ip: '192.0.2.3', port: 3_000 };
const NODE = new Uint8Array(900).fill(2);
const HOUR = 3_600_000;

/** What was heard from and said to somebody, in order. */
class Trace {
  readonly oracle = new Oracle();
  atMs = 0;

  heard(datagram: Datagram, from = BOB): this {
    this.oracle.heard(encodeDatagram(datagram), from, this.atMs);
    return this;
  }

  said(
    datagram: Datagram,
    to = BOB,
    isSigned = !['GetDatum', 'GetNodes', 'Nodes', 'Error'].includes(datagram.type),
  ): this {
    const bytes = encodeDatagram(datagram);
    this.oracle.said(isSigned ? appendSignature(bytes, new Uint8Array(64).fill(1)) : bytes, to, this.atMs);
    return this;
  }

  after(ms: number): this {
    this.atMs += ms;
    return this;
  }

  get broken(): string[] {
    return [...new Set(this.oracle.violations.map(({ rule }) => rule))];
  }
}

const hello = (id: number, flags = BULK_FLAG): Datagram => ({ type: 'Hello', id, flags, name: 'somebody' });
const helloReply = (id: number): Datagram => ({ type: 'HelloReply', id, flags: BULK_FLAG, name: 'somebody' });
const rootRequest = (id: number): Datagram => ({ type: 'RootRequest', id });
const root = (id: number): Datagram => ({ type: 'Root', id, hash: EMPTY_ROOT });
const getDatum = (id: number, hash = hashOf(NODE)): Datagram => ({ type: 'GetDatum', id, hash });
const datum = (id: number, value = NODE): Datagram => ({ type: 'Datum', id, hash: hashOf(NODE), value });
const error = (id: number, text = 'no session'): Datagram => ({ type: 'Error', id, text });
const getNodes = (id: number, proof: number): Datagram => ({
  type: 'GetNodes',
  id,
  proof,
  gap: 0,
  grant: 1,
  entries: [{ kind: 'node', hash: EMPTY_ROOT }],
});
const nodes = (id: number, sequence: number): Datagram => ({
  type: 'Nodes',
  id,
  sequence,
  isLast: true,
  items: [{ entry: 0, child: 0, value: 'absent' }],
});

/** Both have said Hello, and both were answered: their Hello has the id 1, ours the id 2. */
const met = (flags?: number) =>
  new Trace().heard(hello(1, flags)).said(helloReply(1)).said(hello(2)).heard(helloReply(2));

/** By the rule that each of them breaks. */
const broken: Readonly<Record<string, Trace>> = {
  'answers-a-request': met().said(root(9)),
  'one-answer-each': met().heard(rootRequest(3)).said(root(3)).said(root(3)),
  'answers-the-hash': met()
    .heard(getDatum(3))
    .said(datum(3, NODE.subarray(1))),
  'asks-in-session': new Trace().said(rootRequest(3)),
  'answers-in-session': new Trace()
    .heard(rootRequest(3))
    .heard(hello(4))
    .said(hello(5))
    .heard(helloReply(5))
    .said(root(3)),
  'pushes-in-session': met()
    .after(2 * HOUR)
    .said(root(0)),
  'amplifies-three-times': new Trace().heard(hello(1)).said(helloReply(1)).heard(getDatum(3)).said(datum(3)),
  'hello-four-times': new Trace().said(hello(2)).said(hello(2)).said(hello(2)).said(hello(2)).said(hello(2)),
  'asks-five-times': Array.from({ length: 11 }).reduce((trace: Trace) => trace.said(getDatum(3)), met()),
  'asks-until-answered': met().said(getDatum(3)).heard(datum(3)).said(getDatum(3)),
  'ids-are-not-zero': met().said(getDatum(3)).said(rootRequest(0)),
  signs: met().said(rootRequest(3), BOB, false),
  'signs-answers': met().heard(rootRequest(3)).said(root(3), BOB, false),
  'few-errors': met()
    .heard(rootRequest(3))
    .said(error(3, 'x'.repeat(65))),
  'traversal-was-asked-for': met().said({ type: 'NatTraversalServer', id: 0, address: CAROL }, BOB, false),
  'bulk-is-agreed': met(0).said(getNodes(3, 1), BOB, false),
  'bulk-carries-proof': met().said(getNodes(3, 7), BOB, false),
  'bulk-as-granted': met().heard(getNodes(3, 2)).said(nodes(3, 0)).said(nodes(3, 1)),
};

describe('of each rule', () => {
  test.each(rules.map(({ id, sentence }) => [id, sentence]))(
    '%s: the sentence stands in docs/protocol.md',
    (_id, sentence) => {
      expect(page).toContain(sentence);
    },
  );

  test.each(rules.map(({ id }) => id))('%s: a trace that breaks it, and no other one, is found', (id) => {
    expect(broken[id]?.broken).toEqual([id]);
  });
});

test('what cannot be read is no datagram of ours', () => {
  const { oracle } = new Trace();
  oracle.said(Uint8Array.of(1, 2, 3), BOB, 0);
  expect(oracle.violations).toMatchObject([{ rule: 'well-formed' }]);
});

test('whoever has answered a Hello may carry each id under which it went out within 30 s, and no other', () => {
  const answered = () =>
    new Trace().said(hello(1)).after(31_000).said(hello(2)).said(hello(3)).heard(hello(9)).said(helloReply(9));
  const carrying = (proof: number) =>
    answered().heard(helloReply(2)).said(hello(4)).heard(getNodes(5, proof)).said(nodes(5, 0));
  expect([2, 3].map((proof) => carrying(proof).broken)).toEqual([[], []]);
  expect([1, 4].map((proof) => carrying(proof).broken)).toEqual([['bulk-carries-proof'], ['bulk-carries-proof']]);
});

test('a conversation as it should be breaks none', () => {
  const trace = met()
    .heard(rootRequest(3))
    .said(root(3))
    .heard(getDatum(4))
    .said(datum(4))
    .heard(getNodes(5, 2))
    .said(nodes(5, 0))
    .said(root(0))
    .said(getNodes(6, 1))
    .heard(rootRequest(7), CAROL)
    .said(error(7), CAROL);
  expect(trace.oracle.violations).toEqual([]);
});

const journals = join(import.meta.dirname, '../replay');
const files = readdirSync(journals).filter((file) => file.endsWith('.jsonl'));

test.each(files)('the program in the journal %s breaks none', async (file) => {
  const { violations } = await violationsIn(await readJournal(join(journals, file)));
  expect(violations).toEqual([]);
});

test('the journals are read: several of them say much', async () => {
  const counts = await Promise.all(
    files.map(async (file) => (await violationsIn(await readJournal(join(journals, file)))).said),
  );
  expect(counts.filter((said) => said > 5).length).toBeGreaterThan(8);
});

/** What the reference programs of 2022 do otherwise: their peer gives nodes to addresses that nobody has proven. */
const REFERENCE_HABITS = ['amplifies-three-times'];

test.skipIf(realSession === undefined)(
  `of the session of 2023, the directory and the peer jch break what is known of them${whySkipped}`,
  () => {
    const addresses = new Map<string, Oracle>();
    for (const [atMs, { dir, addr, hex }] of (realSession?.datagrams ?? []).entries()) {
      const address = parseAddress(addr);
      if (!address.ok) throw new Error(address.why);
      // Seen from the other side: what our side sent, they heard.
      const theirs = addresses.get(addr) ?? new Oracle();
      addresses.set(addr, theirs);
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
      if (dir === 'SEND') theirs.heard(bytes, BOB, atMs);
      else theirs.said(bytes, BOB, atMs);
    }
    const found = [...addresses.values()].flatMap(({ violations }) => violations.map(({ rule }) => rule));
    expect([...new Set(found)]).toEqual(REFERENCE_HABITS);
  },
);
