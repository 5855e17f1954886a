/** What a peer does about children, its root, wishes and strangers, as its children and listeners see it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import type { HistoryCheck } from '../../machines/events.ts';
import { limits, timing } from '../../machines/timing.ts';
import { stateText } from '../../src/runtime/actor-tree.ts';
import { RETIRED_FLAG } from '../../src/wire/datagram.ts';
import type { Hash } from '../../src/wire/hash.ts';
import {
  accept,
  asked,
  at,
  begin,
  broken,
  children,
  done,
  establish,
  facts,
  failure,
  hello,
  known,
  list,
  outside,
  own,
  peer,
  ready,
  root,
  send,
  sweep,
  toldBy,
} from './seen-peer.ts';

beforeEach(() => begin());

test('a chart of the directory: starting, known, listed, out of reach, and known again', () => {
  const state = () => stateText(peer.getSnapshot().value);
  const states = [state()];
  for (const step of [
    known,
    () => list(own),
    () => send({ type: 'registration.failed', failure, retryInMs: 1 }),
    known,
  ]) {
    step();
    states.push(state());
  }
  expect(states).toEqual([
    'running.starting',
    'running.known',
    'running.listed',
    'running.outOfReach',
    'running.known',
  ]);
  expect(facts).toEqual([
    { type: 'peer.listed', addresses: [own] },
    { type: 'directory.unreachable', failure, retryInMs: 1 },
  ]);
  send({ type: 'peer.stop' });
  expect(peer.getSnapshot().status).toBe('done');
});

describe('sockets', () => {
  test('are opened for each local address; sessions and the directory client hear when one is there', () => {
    begin({ binds: [own, { ip: '::', port: 4_000 }] });
    expect(children('socket')).toEqual(['socket.0', 'socket.1']);
    ready();
    establish('alice');
    expect(toldBy(() => ready(1))).toEqual([
      'directory-client: port.bound',
      '! socket.bound',
      'outgoing-session.alice: sockets.changed',
    ]);
    expect(facts.at(-1)).toEqual({ type: 'socket.bound', index: 1, address: own });
    send({ type: 'socket.lost', index: 0, why: 'in use' });
    expect(facts.at(-1)).toEqual({ type: 'socket.failed', why: 'in use' });
  });
});

describe('a child that breaks down is told of and put away', () => {
  const warning = (id: string) => ({ type: 'peer.warning', message: `${id} failed and was put away: a fault` });

  test.each(['socket.0', 'directory-client', 'path-checks'])('%s begins anew, five times between two sweeps', (id) => {
    begin({ binds: [own] });
    const first = peer.getSnapshot().children[id];
    broken(id);
    expect(facts).toEqual([warning(id)]);
    expect(children(id)).toEqual([id]);
    expect(peer.getSnapshot().children[id]).not.toBe(first);
    for (let i = 1; i < limits.restarts; i++) broken(id);
    expect(children(id)).toEqual([id]);
    broken(id);
    expect(children(id)).toEqual([]);
    expect(facts).toHaveLength(limits.restarts + 1);
  });

  test('a sweep forgives what was before', () => {
    for (let i = 0; i < limits.restarts; i++) broken('directory-client');
    sweep();
    broken('directory-client');
    expect(children('directory-client')).toHaveLength(1);
  });

  test('a session towards us, which may be opened again', () => {
    hello(at(1));
    const [id] = children('incoming-session') as [string];
    broken(id);
    expect(children('incoming-session')).toEqual([]);
    expect(facts).toEqual([warning(id)]);
    hello(at(1));
    expect(children('incoming-session')).toEqual([id]);
  });

  test('a download, which has failed', () => {
    send({ type: 'sync.wanted', name: 'alice', atMs: 1 });
    broken('merkle-walk.alice');
    expect(children('merkle-walk')).toEqual([]);
    expect(facts.slice(1)).toEqual([
      warning('merkle-walk.alice'),
      { type: 'sync.finished', report: expect.objectContaining({ peer: 'alice', error: expect.anything() }) },
    ]);
  });
});

describe('our root', () => {
  const changed = (address: typeof own, to: Hash | 'nothing' = 'nothing') =>
    `${actorId.incomingSession(address)}: root.changed ${to}`;

  test('is signed when it changes, and told to every session', () => {
    accept(at(1), 'alice');
    const published = toldBy(() => send({ type: 'root.published', root: root(1), atMs: 1 }));
    expect(published.sort()).toEqual(['! root.published', changed(at(1), root(1)), `sign: ${root(1)}`]);
  });

  test('is told whoever reads it after another greeting, if it could not be greeted when it came', () => {
    begin({ history: [{ root: root(0), leaf: root(9) }], root: root(0) });
    ready();
    const greeting = 'outgoing-session.alice: session.renew';
    accept(at(1), 'alice');
    expect(toldBy(sweep)).not.toContain(greeting);
    send({ type: 'reader.seen', name: 'alice', hasNewest: false, atMs: outside.nowMs });
    expect(toldBy(sweep)).toContain(greeting);
    expect(toldBy(sweep)).toContain(greeting);
    expect(toldBy(() => sweep(2 * timing.readerReport))).not.toContain(greeting);
    establish('alice');
    expect(toldBy(sweep)).not.toContain(greeting);
  });

  test('is told only those who were asked whether they know a later one, once they do not', () => {
    begin({ history: [{ root: root(0), leaf: root(9) }], root: root(0) });
    expect(toldBy(() => accept(at(1), 'alice'))).toContain(changed(at(1)));
    accept(at(2), 'carol');
    const publish = (n: number) => toldBy(() => send({ type: 'root.published', root: root(n), atMs: 1 }));
    expect(publish(1)).toEqual([`sign: ${root(1)}`, '! root.published']);
    send({ type: 'root.sealed', root: root(1), bytes: new Uint8Array(103) });
    establish('alice', at(1));
    expect(children('history-check')).toEqual(['history-check.alice']);
    const answers = (outcome: HistoryCheck['outcome']) => {
      const { history } = peer.getSnapshot().context;
      return toldBy(() => done('history-check.alice', { peer: 'alice', outcome, history, atMs: 1 }));
    };
    const told = ['! history.checked', changed(at(1), root(1)), 'outgoing-session.alice: push.wanted'];
    expect(answers('unknown')).toEqual(told);
    // Somebody else may have published with our key meanwhile.
    expect(publish(2)).toEqual([`sign: ${root(2)}`, '! root.published']);
    expect(children('history-check')).toEqual(['history-check.alice']);
    expect(answers('same')).toContain(changed(at(1), root(2)));
    publish(3);
    // Who does not answer does not keep us from telling it.
    expect(answers('unreachable')).toContain(changed(at(1), root(3)));
    expect(publish(4)).toContain(changed(at(1), root(4)));
    expect(publish(3)).not.toContain(changed(at(2), root(3)));
    hello(at(3), 'alice');
    const accepted = { type: 'session.accepted', key: 'key', proven: true, atMs: 1 } as const;
    expect(toldBy(() => send({ ...accepted, name: 'alice', address: at(3) }))).toContain(changed(at(3), root(3)));
  });

  test('that a reader may not learn yet makes us say Hello when it reads, so that it can be asked', () => {
    const reads = (name: string) => toldBy(() => send({ type: 'reader.seen', name, hasNewest: false, atMs: 1 }));
    begin({ history: [{ root: root(0), leaf: root(9) }], root: root(0) });
    accept(at(1), 'alice');
    establish('carol', at(2));
    for (const name of ['alice', 'carol']) reads(name);
    expect(toldBy(sweep)).toContain('outgoing-session.alice: session.renew');
    expect(toldBy(() => reads('carol')).concat(toldBy(sweep))).not.toContain('outgoing-session.carol: session.renew');
    establish('alice', at(1));
    expect(children('history-check')).toContain('history-check.alice');
  });

  test('that everybody may learn is no reason to say Hello to whoever reads', () => {
    accept(at(1), 'alice');
    send({ type: 'reader.seen', name: 'alice', hasNewest: false, atMs: 1 });
    expect(toldBy(sweep)).not.toContain('outgoing-session.alice: session.renew');
  });

  test('is told nobody any more once publishing has stopped, and wishes to publish are refused', () => {
    ready();
    establish('alice');
    accept(at(2), 'carol');
    accept(at(3), 'bob');
    hello(at(4), 'unknown');
    const [client] = [peer.getSnapshot().children['directory-client']];
    const stopped = toldBy(() => send({ type: 'publishing.stop', failure }));
    expect(stopped).toContain(changed(at(2)));
    expect(stopped).toContain('outgoing-session.alice: push.confirmed');
    // Whoever is not known to be somebody else could be the directory.
    expect(children('incoming-session').sort()).toEqual([at(2), at(3)].map(actorId.incomingSession));
    expect(peer.getSnapshot().children['directory-client']).not.toBe(client);
    expect(facts.at(-1)).toEqual({ type: 'publishing.stopped', failure });
    const post = { type: 'post.wanted', text: 'x', inReplyTo: null, ticket: 't', atMs: 1 } as const;
    expect(toldBy(() => send(post))).toEqual(['! wish.failed']);
    expect(facts.at(-1)).toEqual({ type: 'wish.failed', failure, ticket: 't' });
    expect(toldBy(() => send({ type: 'withdrawal.wanted', hash: root(1), ticket: 'u', atMs: 1 }))).toEqual([
      '! wish.failed',
    ]);
    const later = { type: 'schedule.wanted', text: 'x', inReplyTo: null, dueMs: 9, ticket: 't', atMs: 1 } as const;
    expect(toldBy(() => send(later))).toEqual(['! wish.failed']);
    expect(toldBy(() => send({ type: 'publishing.stop', failure }))).toEqual([]);
    // Only a copy of us, which publishes it.
    expect(toldBy(() => send({ type: 'root.published', root: root(1), atMs: 1 }))).toEqual([changed(at(3), root(1))]);
    hello(at(6), '');
    expect(children('incoming-session')).toHaveLength(2);
    // A copy of us takes over what we have.
    hello(at(5), 'bob');
    expect(children('incoming-session')).toHaveLength(3);
  });
});

describe('another program under our name', () => {
  const proof = (proven: boolean, flags = 0) => ({ proven, flags, address: at(1), name: 'bob', key: 'key', atMs: 1 });

  beforeEach(() => {
    begin({ guardedKey: 'key' });
    ready();
    send({ type: 'network.changed', why: 'start', localIps: [own.ip], atMs: 1 });
  });

  test('is looked for at each listed address that is not ours; if it answers, publishing stops', () => {
    list(own, at(1), at(2), { ip: own.ip, port: 1 });
    expect(children('address-proof')).toEqual(['address-proof.0', 'address-proof.1', 'address-proof.2']);
    done('address-proof.0', proof(false));
    broken('address-proof.2');
    expect(facts.map(({ type }) => type)).not.toContain('publishing.stopped');
    done('address-proof.1', proof(true));
    expect(children('address-proof')).toEqual([]);
    expect(facts.at(-1)).toMatchObject({ type: 'publishing.stopped', failure: { code: 'in-use' } });
  });

  test('that was listed later than this one stops itself', () => {
    list(at(1), own);
    done('address-proof.0', proof(true));
    expect(facts.map(({ type }) => type)).not.toContain('publishing.stopped');
  });

  test('that has stopped publishing is no reason to stop', () => {
    list(own, at(1));
    done('address-proof.0', proof(true, RETIRED_FLAG));
    expect(facts.map(({ type }) => type)).not.toContain('publishing.stopped');
  });

  test('is read once it has proven that it is there, whoever of the two stops', () => {
    accept(at(1), 'bob');
    send({ type: 'address.proven', name: 'bob', address: at(1), key: 'key', atMs: 1, roundTripMs: 1 });
    expect(children('merkle-walk')).toEqual(['merkle-walk.bob']);
    accept(at(2), 'alice');
    send({ type: 'address.proven', name: 'alice', address: at(2), key: 'key', atMs: 1, roundTripMs: 1 });
    expect(children('merkle-walk')).toEqual(['merkle-walk.bob']);
  });

  describe('is looked for if somebody has a later tree, and until then nobody learns ours:', () => {
    const history = [{ root: root(1), leaf: root(2) }];
    const later = () =>
      done('history-check.alice', {
        peer: 'alice',
        outcome: 'later',
        history: peer.getSnapshot().context.history,
        atMs: 1,
      });
    const walked = (status: 'failed' | 'updated', newMessages = 0) =>
      done('merkle-walk.bob', {
        report: { peer: 'bob', root: root(5), status, newMessages, withdrawnMessages: 0 },
        atMs: 1,
      });
    const types = () => facts.map(({ type }) => type);

    beforeEach(() => {
      begin({ guardedKey: 'key', history, root: root(1), following: ['alice'] });
      ready();
      establish('alice', at(1));
      later();
      expect(children('merkle-walk')).toEqual(['merkle-walk.bob']);
      expect(types()).not.toContain('publishing.stopped');
    });

    test('if it is not found, publishing stops', () => {
      walked('failed');
      expect(facts.at(-1)).toMatchObject({ type: 'publishing.stopped', failure: { code: 'invalid-data' } });
    });

    test('what it has is published from here as well, and that one is asked again', () => {
      walked('updated', 1);
      const merged = [{ root: root(6), leaf: root(7) }, ...history];
      send({ type: 'root.published', root: root(6), history: merged, isMerged: true, atMs: 1 });
      expect(types()).not.toContain('publishing.stopped');
      expect(children('history-check')).toEqual(['history-check.alice']);
    });

    test('if it has nothing that explains this, publishing stops', () => {
      walked('updated');
      send({ type: 'root.published', root: root(1), history: [...history], isMerged: true, atMs: 1 });
      later();
      walked('updated');
      expect(facts.at(-1)).toMatchObject({ type: 'publishing.stopped' });
    });
  });

  test('is looked for again after ten seconds, but not where that is still under way', async () => {
    list(own, at(1), at(2));
    done('address-proof.0', proof(false));
    await outside.clock.advance(timing.copySearch - 1);
    list(own, at(1), at(2));
    expect(children('address-proof')).toEqual(['address-proof.1']);
    await outside.clock.advance(1);
    list(own, at(1), at(2));
    expect(children('address-proof').sort()).toEqual(['address-proof.0', 'address-proof.1']);
  });

  test('that says Hello with our name and key lets the directory be asked who is listed', () => {
    const wanted = 'directory-client: listing.wanted';
    expect(toldBy(() => accept(at(1), 'bob'))).toContain(wanted);
    expect(toldBy(() => accept(at(2), 'alice'))).not.toContain(wanted);
  });

  test('is not looked for without a key of ours', () => {
    begin();
    ready();
    list(at(1));
    expect(children('address-proof')).toEqual([]);
  });
});

test('wishes that change the store are carried out there, and every answer is told', () => {
  const wishes = [
    { type: 'post.wanted', text: 'x', inReplyTo: null, ticket: 't' },
    { type: 'withdrawal.wanted', hash: root(1), ticket: 't' },
    { type: 'follow.wanted', name: 'alice', following: true, ticket: 't' },
    { type: 'schedule.wanted', text: 'x', inReplyTo: null, dueMs: 9, ticket: 't' },
    { type: 'unschedule.wanted', id: 1, ticket: 't' },
    { type: 'block.wanted', name: 'alice', blocked: true, ticket: 't' },
    { type: 'mute.wanted', name: 'alice', muted: true, ticket: 't' },
    { type: 'mark.wanted', kind: 'word', subject: 'rain', marked: true, ticket: 't' },
    { type: 'trust.wanted', name: 'alice', key: 'key', ticket: 't' },
    { type: 'read.wanted', hashes: 'all', ticket: 't' },
  ] as const;
  for (const wish of wishes) expect(toldBy(() => send({ ...wish, atMs: 1 }))).toEqual([`store: ${wish.type}`]);
  const answers = [
    { type: 'message.published', hash: root(1), root: root(2), ticket: 't' },
    { type: 'message.withdrawn', hash: root(1), root: root(2), ticket: 't' },
    { type: 'follow.changed', name: 'alice', following: true, ticket: 't' },
    { type: 'message.scheduled', id: 1, dueMs: 9, ticket: 't' },
    { type: 'message.unscheduled', id: 1, text: 'x', inReplyTo: null, ticket: 't' },
    { type: 'block.changed', name: 'alice', blocked: true, ticket: 't' },
    { type: 'mute.changed', name: 'alice', muted: true, ticket: 't' },
    { type: 'mark.changed', kind: 'word', subject: 'rain', marked: true, ticket: 't' },
    { type: 'key.accepted', name: 'alice', key: 'key', ticket: 't' },
    { type: 'messages.read', count: 1, ticket: 't' },
    { type: 'wish.failed', failure, ticket: 't' },
  ] as const;
  for (const answer of answers) send(answer);
  expect(facts).toEqual(answers);
});

describe('strangers', () => {
  const errors = () => outside.sentOf('Error').map(({ to, datagram }) => `${to.ip} ${datagram.id} ${datagram.text}`);
  const ask = (from: typeof own) => asked(from, { type: 'RootRequest', id: 8 }, 'stranger.asked');

  test('who say Hello get a session, and others are told to say it', () => {
    hello(at(1));
    expect(children('incoming-session')).toEqual([actorId.incomingSession(at(1))]);
    ask(at(2));
    expect(children('incoming-session')).toHaveLength(1);
    expect(errors()).toEqual(['192.0.2.2 8 no session: say Hello first']);
  });

  test('are told so five times between two sweeps, and two hundred times in all', () => {
    for (let i = 0; i < 10; i++) ask(at(1));
    expect(errors()).toHaveLength(limits.errorsPerSource);
    for (let port = 1; port <= 300; port++) ask(at(2, port));
    expect(errors()).toHaveLength(limits.errorsInAll);
    sweep();
    ask(at(1));
    expect(errors()).toHaveLength(limits.errorsInAll + 1);
  });

  test('whose Errors come unasked are told, by name if it is known', () => {
    establish('alice');
    for (const from of [at(1), at(2)]) asked(from, { type: 'Error', id: 0, text: 'no' }, 'datagram.unsolicited', false);
    send({ type: 'error.answered', from: at(3), name: 'carol', text: 'stop' });
    expect(facts.filter(({ type }) => type === 'error.received')).toEqual([
      { type: 'error.received', from: at(1), name: 'alice', text: 'no' },
      { type: 'error.received', from: at(2), name: undefined, text: 'no' },
      { type: 'error.received', from: at(3), name: 'carol', text: 'stop' },
    ]);
  });
});

test('sessions that may be over are asked whether they are, every twenty seconds', () => {
  establish('alice');
  hello(at(2));
  const swept = (laterMs: number) => toldBy(() => sweep(laterMs)).filter((line) => line.endsWith(': sweep'));
  const outgoing = 'outgoing-session.alice: sweep';
  const incoming = `${actorId.incomingSession(at(2))}: sweep`;
  const { sessionRenewal, sessionLifetime, sessionSweepInterval } = timing;
  expect(swept(sessionRenewal - sessionSweepInterval)).toEqual([]);
  expect(swept(sessionRenewal)).toEqual([outgoing]);
  expect(swept(sessionLifetime - sessionSweepInterval)).toEqual([outgoing]);
  expect(swept(sessionLifetime - 1)).toEqual([]);
  expect(swept(sessionLifetime)).toEqual([outgoing, incoming]);
});
