/** `murmure conformance`: ours pass, programs of others get the marks they should, and whoever does everything wrong fails. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks } from '../../src/conformance/checks.ts';
import { Contrarian } from '../support/conformance/contrarian.ts';
import { examine, examined, type Marks } from '../support/conformance/examined.ts';
import { conformancePage } from '../support/conformance/page.ts';
import { World } from '../support/world.ts';

const failed = (marks: Marks) => [...marks].filter(([, status]) => status === 'failed').map(([id]) => id);

test.each(['peer', 'directory'] as const)('our %s passes every check that is for it', async (name) => {
  const marks = await examined[name]();
  expect(failed(marks)).toEqual([]);
  const asked = checks.filter(({ roles }) => roles.includes(name)).map(({ id }) => id);
  expect([...marks.keys()].sort()).toEqual(asked.sort());
});

test('docs/conformance.md is what comes of the checks', async () => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  expect(page, 'make it anew with npm run conformance:page').toBe(await conformancePage());
});

/** What a peer cannot do wrong while it does everything else wrong: with these it would not get that far. */
const UNTOUCHED = [
  ...['hello-answered', 'hello-again', 'alive-afterwards', 'unknown-flags', 'hello-excess', 'hello-unregistered'],
  ...['root-answered', 'own-hello'],
];
/** These take a directory, signatures, a long name, a body, or a peer that repeats its Hello. */
const ASKED_NOWHERE = ['hello-forged', 'high-s-accepted', 'low-s', 'hello-repeats', 'handshake-size', 'message-utf8'];

test('a peer that does everything wrong fails every check that it can fail', async () => {
  const world = new World(16);
  await world.startDirectory();
  const address = { ip: '203.0.113.7', port: 4_000 };
  await Contrarian.open(world.network, address);
  const { keyPair } = await world.identity('contrarian');
  const marks = await examine(world, { role: 'peer', address, key: keyPair.publicKey });
  const wanted = checks.filter(({ roles }) => roles.includes('peer')).map(({ id }) => id);
  const passed = wanted.filter((id) => marks.get(id) !== 'failed');
  expect(passed.sort()).toEqual([...UNTOUCHED, ...ASKED_NOWHERE].sort());
  await world.close();
});

test('nobody who says nothing is asked more than Hello', async () => {
  const world = new World(17);
  await world.startDirectory();
  const marks = await examine(world, { role: 'peer', address: { ip: '203.0.113.8', port: 4_000 } });
  expect([...marks]).toEqual([['hello-answered', 'failed']]);
  await world.close();
});
