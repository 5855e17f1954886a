/** Protocol §5 and §6: several addresses of one peer, of which some are dead, and what is said while nobody answers. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { encodeMessage } from '../../src/wire/node.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { addListed, MINUTE, SECOND } from '../support/delivery/arrivals.ts';
import { Publisher } from '../support/publisher.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const HELLO = 0;
const message = encodeMessage({ date: 1, inReplyTo: null, body: 'here' });

async function worldWithReader(): Promise<{ world: World; reader: VirtualPeer }> {
  const world = new World(41);
  await world.startDirectory();
  const [reader] = (await addListed(world, { reader: [] })) as [VirtualPeer];
  return { world, reader };
}

/** Nobody is at these addresses: it is listed there, in this order, the last one the newest. */
function listAt(world: World, { name, stranger }: Publisher, addresses: readonly SocketAddress[]): void {
  for (const address of addresses) world.registry.prove(name, stranger.keyPair.publicKey, address, world.clock.now());
}

const hellosTo = (world: World, reader: VirtualPeer, isMeant: (ip: string) => boolean) =>
  world.network.log.filter(({ from, to, bytes }) => from.ip === reader.ip && isMeant(to.ip) && bytes[4] === HELLO);

async function timed<T>(world: World, promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const fromMs = world.clock.elapsedMs;
  const value = await world.settle(promise);
  return { value, ms: world.clock.elapsedMs - fromMs };
}

describe('a peer with three dead addresses listed besides its own', () => {
  const dead = [1, 2, 3].map((last) => ({ ip: `10.0.8.${last}`, port: 5_000 }));

  test('is read within two seconds if they are older: the newest address is tried first', async () => {
    const { world, reader } = await worldWithReader();
    const alice = await Publisher.join(world, 'alice', [], message);
    listAt(world, alice, dead);
    listAt(world, alice, [alice.stranger.address]);
    const { value, ms } = await timed(world, reader.peer.sync('alice'));
    expect(value).toMatchObject({ status: 'updated', newMessages: 1 });
    expect(ms).toBeLessThanOrEqual(2 * SECOND);
    expect(hellosTo(world, reader, (ip) => ip.startsWith('10.0.8.'))).toEqual([]);
    await world.close();
  });

  test('is said Hello to at the newest ones, one after the other, 250 ms apart, without waiting for an answer', async () => {
    const { world, reader } = await worldWithReader();
    const alice = await Publisher.join(world, 'alice', [], message);
    listAt(world, alice, [alice.stranger.address, ...dead.slice(1)]);
    const { value, ms } = await timed(world, reader.peer.sync('alice'));
    expect(value).toMatchObject({ status: 'updated', newMessages: 1 });
    expect(ms).toBeLessThanOrEqual(2 * SECOND);
    const raced = hellosTo(world, reader, (ip) => ip.startsWith('10.0.8.') || ip === alice.stranger.address.ip);
    expect(raced.map(({ to }) => to.ip)).toEqual(['10.0.8.3', '10.0.8.2', alice.stranger.address.ip]);
    const [first = 0, second = 0, third = 0] = raced.map(({ atMs }) => Math.round(atMs));
    expect([second - first, third - second]).toEqual([timing.connectionAttemptDelay, timing.connectionAttemptDelay]);
    await world.close();
  });
});

test('a listed peer that is offline is told to be so within 12 s, and what for: nobody answers at its addresses', async () => {
  const { world, reader } = await worldWithReader();
  const alice = await Publisher.join(world, 'alice', [], message);
  alice.stranger.answer = () => {};
  const { value, ms } = await timed(world, reader.peer.sync('alice'));
  expect(value).toMatchObject({ status: 'failed', error: { code: 'peer-unreachable' } });
  expect(value.error?.message).toContain('10.0.9.1:5000');
  expect(ms).toBeLessThanOrEqual(12 * SECOND);
  await world.close();
});

describe('what the kernel refuses is said at once', () => {
  test('no way to the network (ENETUNREACH): a sync fails without waiting', async () => {
    const { world, reader } = await worldWithReader();
    const alice = await Publisher.join(world, 'alice', [], message);
    await world.settle(reader.peer.sync('alice'));
    reader.host.unplug();
    const asked = alice.asked.length;
    const { value, ms } = await timed(world, reader.peer.sync('alice'));
    expect(value).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('ENETUNREACH') } });
    expect(alice.asked).toHaveLength(asked);
    expect(ms).toBeLessThanOrEqual(SECOND);
    await world.close();
  });

  test('a closed port (ECONNREFUSED): a sync over an established session fails without waiting', async () => {
    const { world, reader } = await worldWithReader();
    const [author] = (await addListed(world, { author: [] })) as [VirtualPeer];
    author.host.closedPorts = 'refusing';
    await world.settle(reader.peer.sync('author'));
    await author.peer.close();
    const { value, ms } = await timed(world, reader.peer.sync('author'));
    expect(value).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('ECONNREFUSED') } });
    expect(ms).toBeLessThanOrEqual(SECOND);
    await world.close();
  });

  test('and the next address is tried at once', async () => {
    const { world, reader } = await worldWithReader();
    const alice = await Publisher.join(world, 'alice', [], message);
    const closed = world.network.hostAt('10.0.8.1');
    closed.closedPorts = 'refusing';
    listAt(world, alice, [{ ip: '10.0.8.1', port: 5_000 }]);
    const { value, ms } = await timed(world, reader.peer.sync('alice'));
    expect(value).toMatchObject({ status: 'updated', newMessages: 1 });
    expect(hellosTo(world, reader, (ip) => ip === '10.0.8.1')).toHaveLength(1);
    // Sooner than the race would have got there.
    const [second] = hellosTo(world, reader, (ip) => ip === alice.stranger.address.ip);
    const [first] = hellosTo(world, reader, (ip) => ip === '10.0.8.1');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThan(timing.connectionAttemptDelay);
    expect(ms).toBeLessThanOrEqual(SECOND);
    await world.close();
  });

  test('an author that moved on over an established session whose port is closed is read at the new one', async () => {
    const { world, reader } = await worldWithReader();
    const [author] = (await addListed(world, { author: [] })) as [VirtualPeer];
    author.host.closedPorts = 'refusing';
    await world.settle(reader.peer.sync('author'));
    await author.peer.close();
    author.host.firstPort += 1;
    author.store.publish('author', { date: 1, inReplyTo: null, body: 'on another port' }, world.clock.now());
    // Whoever says Hello to the reader moves the session by itself: here that does not arrive.
    world.network.setWeatherBetween(author.ip, reader.ip, { loss: 1, duplication: 0, minDelayMs: 5, maxDelayMs: 5 });
    await world.restart(author);
    await world.settle(author.peer.whenListed());
    await world.clock.advance(20);
    world.network.setWeatherBetween(author.ip, reader.ip, { loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 5 });
    const { value, ms } = await timed(world, reader.peer.sync('author'));
    expect(value).toMatchObject({ status: 'updated' });
    expect(bodiesOf(reader, 'author')).toEqual(['on another port']);
    expect(ms).toBeLessThanOrEqual(2 * SECOND);
    await world.close();
  });
});

test('what a peer needs to answer is remembered: the second handshake does not wait two seconds for it', async () => {
  const { world, reader } = await worldWithReader();
  const odd = await Publisher.join(world, 'odd', [], message);
  const { answer } = odd.stranger;
  odd.stranger.answer = (heard) =>
    answer({ ...heard, datagram: { ...heard.datagram, id: (heard.datagram.id & 0xffffff00) >>> 0 } });
  const first = await timed(world, reader.peer.sync('odd'));
  expect(first.value).toMatchObject({ status: 'updated' });
  expect(first.ms).toBeGreaterThan(timing.helloTimeout * (1 - timing.timeoutJitter));
  await world.clock.advance(2 * MINUTE);
  await world.restart(reader);
  await world.settle(reader.peer.whenListed());
  const second = await timed(world, reader.peer.sync('odd'));
  expect(second.value).toMatchObject({ status: 'unchanged' });
  expect(second.ms).toBeLessThan(SECOND);
  await world.close();
});

test('an Error that answers our Hello is shown, in its own words', async () => {
  const { world, reader } = await worldWithReader();
  const rude = await Stranger.join(world, 'rude');
  world.registry.prove('rude', rude.keyPair.publicKey, rude.address, world.clock.now());
  rude.answer = ({ datagram: { type, id }, from }) => {
    if (type === 'Hello') rude.send(from, { type: 'Error', id, text: 'no guests today' });
  };
  await world.settle(reader.peer.sync('rude'));
  expect(reader.facts).toContainEqual(
    expect.objectContaining({ type: 'error.received', text: 'no guests today', from: rude.address }),
  );
  await world.close();
});

test('two requests at the moment of a proof are both answered once it is over', async () => {
  const { world, reader: author } = await worldWithReader();
  const { hash, root } = author.peer.post('x'.repeat(900));
  const guest = await Stranger.join(world, 'guest');
  world.registry.prove('guest', guest.keyPair.publicKey, guest.address, world.clock.now());
  const to = author.peer.addresses[0] as SocketAddress;
  await guest.sendSigned(to, { type: 'Hello', id: 1, flags: 0, name: 'guest' });
  await world.until(() => guest.heardOf('Hello').length > 0);
  // Asked once each, and never again: so do some programs.
  guest.send(to, { type: 'RootRequest', id: 2 });
  guest.send(to, { type: 'GetDatum', id: 3, hash });
  await world.clock.advance(100);
  const id = guest.heardOf('Hello')[0]?.id ?? 0;
  await guest.sendSigned(to, { type: 'HelloReply', id, flags: 0, name: 'guest' });
  await world.clock.advance(100);
  // It knows nothing of what the author has published.
  for (const asked of guest.heardOf('GetDatum')) guest.send(to, { type: 'NoDatum', id: asked.id, hash: asked.hash });
  await world.clock.advance(100);
  expect(guest.heardOf('Root')).toContainEqual({ type: 'Root', id: 2, hash: root });
  expect(guest.heardOf('Datum')).toMatchObject([{ id: 3, hash }]);
  await world.close();
});
