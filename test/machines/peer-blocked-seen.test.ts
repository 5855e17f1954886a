import { beforeEach, describe, expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import {
  accept,
  asked,
  at,
  begin,
  children,
  establish,
  facts,
  hello,
  outside,
  ready,
  root,
  send,
  toldBy,
} from './seen-peer.ts';

const errors = () => outside.sentOf('Error').map(({ to, datagram }) => `${to.ip} ${datagram.text}`);

beforeEach(() => {
  begin({ blocked: ['mallory'] });
  ready();
});

describe('somebody who is blocked', () => {
  test('gets an Error for a Hello, and no session', () => {
    hello(at(1), 'mallory');
    expect(children('incoming-session')).toEqual([]);
    expect(errors()).toEqual(['192.0.2.1 refused']);
    hello(at(2), 'alice');
    expect(children('incoming-session')).toHaveLength(1);
  });

  test('gets no session either from an address that had one under another name', () => {
    hello(at(1), 'alice');
    send({ type: 'session.accepted', name: 'mallory', address: at(1), key: 'key', proven: true, atMs: 1 });
    expect(children('incoming-session')).toEqual([]);
    expect(facts.filter(({ type }) => type === 'session.opened')).toEqual([]);
    asked(at(1), { type: 'RootRequest', id: 8 }, 'stranger.asked');
    expect(errors()).toEqual(['192.0.2.1 no session: say Hello first']);
  });
});

describe('to block somebody', () => {
  test('ends the sessions in both directions, and leaves those of others', () => {
    accept(at(1), 'alice');
    accept(at(2), 'bob’s friend');
    establish('alice');
    expect(toldBy(() => send({ type: 'blocked.changed', names: ['alice'] }))).toContain(
      'outgoing-session.alice: trust.changed',
    );
    expect(children('incoming-session')).toEqual([actorId.incomingSession(at(2))]);
    expect(toldBy(() => send({ type: 'blocked.changed', names: ['alice', 'carol'] }))).toEqual([]);
  });

  test('takes from them what others who read from us get: to be greeted and told of new roots', () => {
    send({ type: 'reader.seen', name: 'alice', hasNewest: false, atMs: 1 });
    send({ type: 'blocked.changed', names: ['alice'] });
    send({ type: 'root.published', root: root(1), atMs: 1 });
    send({ type: 'root.sealed', root: root(1), bytes: new Uint8Array(103) });
    send({ type: 'sweep', atMs: 5_000 });
    expect(children('outgoing-session').filter((id) => id.endsWith('.alice'))).toEqual([]);
  });

  test('can be undone', () => {
    send({ type: 'blocked.changed', names: [] });
    hello(at(1), 'mallory');
    expect(children('incoming-session')).toHaveLength(1);
  });
});
