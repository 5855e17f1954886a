/** Protocol §5, §7: a peer that said Hello before it was listed has a session without a key, until its key becomes known. */
import { beforeEach, describe, expect, test } from 'vitest';
import { at, key, LOOK_UP, root, SeenSession } from './seen-session.ts';

let seen: SeenSession;

const adoptWithoutKey = (address = at(1)) =>
  seen.send({ type: 'session.adopt', address, key: undefined, atMs: seen.outside.nowMs });
const list = (...addresses: ReturnType<typeof at>[]) =>
  seen.send({ type: 'listing.changed', addresses, key, atMs: seen.outside.nowMs });

beforeEach(() => {
  seen = new SeenSession();
  adoptWithoutKey();
  seen.outside.told.length = 0;
});

describe('once the directory lists its key', () => {
  beforeEach(() => {
    list(at(1));
    expect(seen.outside.told).toEqual([LOOK_UP]);
    seen.locate(at(1));
  });

  test('its next Hello has to be answered under that, and the owner learns the key', () => {
    seen.replyFrom(at(1), 'unsigned');
    expect(seen.outside.told).toEqual([LOOK_UP]);
    seen.replyFrom(at(1));
    expect(seen.outside.last('session.renewed')).toMatchObject({ address: at(1), key });
    seen.wantRoot();
    seen.answerRootFrom(at(1));
    expect(seen.outside.last('root.received')).toMatchObject({ authenticated: true });
  });

  test('what is under way goes on meanwhile, and what was asked without the key is not taken for authenticated', () => {
    seen.wantRoot();
    seen.replyFrom(at(1));
    seen.answerRootFrom(at(1));
    seen.replyFrom(at(1));
    expect(seen.outside.last('root.received')).toMatchObject({ root, authenticated: false });
  });

  test('whoever does not answer under it loses the session', async () => {
    await seen.outside.clock.advance(40_000);
    expect(seen.outside.last('session.lost').failure).toMatchObject({ code: 'peer-unreachable' });
  });

  test('a Hello without the key proves nothing any more', () => {
    adoptWithoutKey();
    expect(seen.outside.told).toEqual([LOOK_UP]);
    seen.wantRoot();
    seen.answerRootFrom(at(1));
    expect(seen.outside.told).toEqual([LOOK_UP]);
    seen.replyFrom(at(1));
    expect(seen.outside.last('root.received')).toMatchObject({ authenticated: false });
  });

  test('its own Hello under the key, answered, will do', () => {
    seen.adopt(at(1));
    expect(seen.outside.last('session.renewed')).toMatchObject({ address: at(1), key });
  });
});

test('listed elsewhere, it takes the session there: whoever was first may have been somebody else', () => {
  list(at(2));
  seen.locate(at(2));
  seen.replyFrom(at(2));
  expect(seen.outside.last('session.established')).toMatchObject({ address: at(2), key });
});

test('a root that nobody has vouched for is asked for again at the address where the directory lists its key', () => {
  seen.wantRoot();
  seen.outside.receive(at(1), { type: 'Root', id: seen.lastTo('RootRequest', at(1)), hash: root }, 'unsigned');
  list(at(2));
  seen.locate(at(2));
  seen.replyFrom(at(2));
  seen.answerRootFrom(at(2));
  expect(seen.outside.last('root.received')).toMatchObject({ root, authenticated: true });
});

test('its Hello under a key from elsewhere makes the directory be asked', () => {
  seen.adopt(at(2));
  expect(seen.outside.told).toEqual([LOOK_UP]);
  seen.locate(at(2));
  seen.replyFrom(at(2));
  expect(seen.outside.last('session.established')).toMatchObject({ address: at(2), key });
});

test('a path that answers again after a search has to do so under the key that the search has found', async () => {
  seen.wantRoot();
  await seen.outside.clock.advance(12_000);
  seen.locate(at(9));
  seen.outside.receive(at(1), { type: 'Root', id: seen.lastTo('RootRequest', at(1)), hash: root }, 'unsigned');
  expect(seen.idsTo('Hello', at(1))).toHaveLength(1);
  seen.replyFrom(at(1));
  expect(seen.outside.last('root.received')).toMatchObject({ authenticated: false });
  expect(seen.outside.last('session.renewed')).toMatchObject({ address: at(1), key });
});

test('while a Hello without the key is under way, another one under it replaces that', () => {
  seen = new SeenSession();
  seen.open();
  seen.send({ type: 'peer.located', addresses: [at(1)], key: undefined, atMs: 1 });
  list(at(1));
  seen.locate(at(1));
  expect(seen.idsTo('Hello', at(1))).toHaveLength(2);
  seen.replyFrom(at(1), 'unsigned');
  expect(seen.states.at(-1)).toMatch(/^greeting/);
  seen.replyFrom(at(1));
  expect(seen.outside.last('session.established')).toMatchObject({ key });
});

describe('a root without a signature', () => {
  const answerRoot = (hash = root) =>
    seen.outside.receive(at(1), { type: 'Root', id: seen.lastTo('RootRequest', at(1)), hash }, 'unsigned');

  test('counts once whoever is there has said its name after that, and once for all', () => {
    seen.wantRoot();
    answerRoot();
    expect(seen.outside.told).toEqual([]);
    seen.replyFrom(at(1), 'unsigned');
    expect(seen.outside.last('root.received')).toMatchObject({ root, authenticated: false });
    seen.wantRoot();
    answerRoot();
    expect(seen.idsTo('Hello', at(1))).toHaveLength(1);
    expect(seen.outside.told.filter((what) => what === 'walk: root.received')).toHaveLength(2);
  });

  test('is nobody’s if somebody else answers there by now, and the session is over', async () => {
    seen.wantRoot();
    answerRoot();
    seen.replyFrom(at(1), 'unsigned', 'carol');
    await seen.outside.clock.advance(40_000);
    expect(seen.outside.told).not.toContain('walk: root.received');
    expect(seen.outside.told).toContain('peer: session.lost');
    expect(seen.outside.last('root.failed')).toMatchObject({ isFinal: true });
  });

  test('is asked for again if the other side has forgotten the session meanwhile', () => {
    seen.wantRoot();
    answerRoot();
    seen.wantNodes(root);
    const refused = seen.lastTo('GetDatum', at(1));
    seen.outside.receive(at(1), { type: 'Error', id: refused, text: 'no session' });
    expect(seen.states.at(-1)).toMatch(/^greeting/);
    seen.replyFrom(at(1), 'unsigned');
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(2);
    answerRoot();
    seen.replyFrom(at(1), 'unsigned');
    expect(seen.outside.last('root.received')).toMatchObject({ root, authenticated: false });
  });

  test('waits for somebody who is busy with other answers', async () => {
    seen.wantRoot();
    answerRoot();
    await seen.outside.clock.advance(1_000);
    seen.wantNodes(root);
    seen.outside.receive(at(1), { type: 'NoDatum', id: seen.lastTo('GetDatum', at(1)), hash: root }, 'unsigned');
    // Four Hellos stay unanswered meanwhile.
    await seen.outside.clock.advance(34_000);
    seen.replyFrom(at(1), 'unsigned');
    expect(seen.outside.last('root.received')).toMatchObject({ root });
  });
});
