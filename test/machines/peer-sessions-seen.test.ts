/** Protocol §5, §8, §9: what a peer does about sessions in both directions, as its children, its sockets and listeners see it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import { limits } from '../../machines/timing.ts';
import {
  accept,
  asked,
  at,
  begin,
  broken,
  children,
  establish,
  facts,
  failure,
  hello,
  known,
  outside,
  type own,
  peer,
  ready,
  send,
  toldBy,
} from './seen-peer.ts';

const directory = { ip: '192.0.2.9', port: 1_194 };
const toDirectory = actorId.outgoingSessionTo(directory);
const incoming = (address: typeof own) => actorId.incomingSession(address);

beforeEach(() => {
  begin();
  ready();
  facts.length = 0;
});

const want = (name: string) =>
  send({ type: 'session.wanted', name, requester: outside.nobody('walk'), atMs: outside.nowMs });
const established = (session: string, name: string, address = at(1)) =>
  send({ type: 'session.established', session, name, address, key: 'key', provenBy: [7], atMs: outside.nowMs });
const lost = (session: string, name: string, why?: typeof failure) =>
  send({ type: 'session.lost', session, name, hasPush: false, failure: why });
function establishWithDirectory(): void {
  known();
  send({ type: 'directory.greetingWanted', atMs: outside.nowMs });
  established(toDirectory, '', directory);
}
/** What our sockets sent since, "TYPE IP". */
function sentBy(work: () => void): string[] {
  const before = outside.sent.length;
  work();
  return outside.sent.slice(before).map(({ datagram, to }) => `${datagram.type} ${to.ip}`);
}

describe('our session towards somebody', () => {
  test('is opened once, for whoever wants it', () => {
    expect(toldBy(() => want('alice'))).toEqual(['outgoing-session.alice: session.open']);
    expect(toldBy(() => want('alice'))).toEqual(['outgoing-session.alice: session.open']);
    expect(children('outgoing-session')).toEqual(['outgoing-session.alice']);
  });

  test('is told when it opens, when it fails, and not when it is merely over', () => {
    want('alice');
    established('outgoing-session.alice', 'alice');
    lost('outgoing-session.alice', 'alice');
    lost('outgoing-session.alice', 'alice', failure);
    expect(facts).toEqual([
      { type: 'session.opened', direction: 'outgoing', name: 'alice', address: at(1), authenticated: true },
      { type: 'session.failed', name: 'alice', failure },
    ]);
  });

  test('that is unknown, or has ended, tells nothing any more', () => {
    want('alice');
    send({ type: 'session.ended', session: 'outgoing-session.alice' });
    expect(children('outgoing-session')).toEqual([]);
    established('outgoing-session.alice', 'alice');
    lost('outgoing-session.alice', 'alice', failure);
    expect(facts).toEqual([]);
    want('alice');
    expect(children('outgoing-session')).toEqual(['outgoing-session.alice']);
  });

  test('that breaks down ends the download that waits for it, and may be opened again', () => {
    establish('alice');
    send({ type: 'sync.wanted', name: 'alice', atMs: 1 });
    broken('outgoing-session.alice');
    expect(facts.slice(-2)).toMatchObject([
      { type: 'peer.warning' },
      { type: 'sync.finished', report: { peer: 'alice', error: {} } },
    ]);
    expect([children('outgoing-session'), children('merkle-walk')]).toEqual([[], []]);
    want('alice');
    expect(children('outgoing-session')).toEqual(['outgoing-session.alice']);
  });

  test('towards an address is opened without a name', () => {
    const id = actorId.outgoingSessionTo(at(1));
    expect(toldBy(() => send({ type: 'hello.wanted', address: at(1), atMs: 1 }))).toEqual([`${id}: session.open`]);
  });
});

describe('somebody’s session with us', () => {
  test('is told once its Hello is accepted, and until then has no name', () => {
    accept(at(1), 'alice');
    expect(facts).toEqual([
      { type: 'session.opened', direction: 'incoming', name: 'alice', address: at(1), authenticated: true },
    ]);
    send({ type: 'session.accepted', name: 'carol', address: at(2), key: 'key', proven: true, atMs: 1 });
    expect(facts).toHaveLength(1);
  });

  test('that is proven is our session towards it as well', () => {
    accept(at(1), 'alice');
    const proven = (name: string) => send({ type: 'address.proven', name, address: at(1), key: 'key', atMs: 1 });
    expect(toldBy(() => proven('alice'))).toEqual(['outgoing-session.alice: session.adopt']);
    expect(toldBy(() => proven(''))).toEqual([]);
  });

  test('of strangers makes at most 1024 of them', () => {
    for (let i = 0; i < limits.outgoingSessions; i++) want(`peer${i}`);
    const proven = (name: string) => send({ type: 'address.proven', name, address: at(1), key: 'key', atMs: 1 });
    expect(toldBy(() => proven('alice'))).toEqual([]);
    expect(toldBy(() => proven('peer1'))).toEqual(['outgoing-session.peer1: session.adopt']);
  });

  test('is proven by an answer to our own Hello under the same name', () => {
    accept(at(1), 'alice');
    want('alice');
    expect(toldBy(() => established('outgoing-session.alice', 'alice'))).toContain(
      `${incoming(at(1))}: session.proven`,
    );
  });

  test('without a key has theirs once ours proves it, and elsewhere none is left under their name', () => {
    const acceptWithoutKey = (from: typeof own, name: string) => {
      hello(from, name);
      send({ type: 'session.accepted', name, address: from, key: undefined, proven: true, atMs: outside.nowMs });
    };
    for (const last of [1, 2]) acceptWithoutKey(at(last), 'alice');
    acceptWithoutKey(at(3), 'carol');
    want('alice');
    const session = 'outgoing-session.alice';
    const known = { session, name: 'alice', address: at(1), provenBy: [7] };
    send({ type: 'session.established', ...known, key: undefined, atMs: outside.nowMs });
    expect(children('incoming-session')).toHaveLength(3);
    expect(toldBy(() => send({ type: 'session.renewed', ...known, key: 'key' }))).toEqual([
      `${incoming(at(1))}: session.proven`,
      '! session.opened',
    ]);
    expect(facts.at(-1)).toMatchObject({ type: 'session.opened', name: 'alice', authenticated: true });
    expect(children('incoming-session')).toEqual([incoming(at(1)), incoming(at(3))]);
    expect(toldBy(() => send({ type: 'session.renewed', ...known, key: 'key' }))).toEqual([
      `${incoming(at(1))}: session.proven`,
    ]);
  });

  test('that is forgotten, or breaks down, makes room for another one', () => {
    for (const end of [() => send({ type: 'session.forgotten', address: at(1) }), () => broken(incoming(at(1)))]) {
      accept(at(1), 'alice');
      end();
      expect(children('incoming-session')).toEqual([]);
      expect(peer.getSnapshot().context.contacts.incomingCount).toBe(0);
    }
  });

  test('that has expired gives way to newcomers', () => {
    for (let port = 1; port <= limits.incomingSessionsPerHost; port++) accept(at(1, port), `peer${port}`);
    hello(at(1, 500), 'late');
    expect(children('incoming-session')).not.toContain(incoming(at(1, 500)));
    send({ type: 'session.expired', address: at(1, 7) });
    hello(at(1, 500), 'late');
    expect(children('incoming-session')).toContain(incoming(at(1, 500)));
    expect(children('incoming-session')).not.toContain(incoming(at(1, 7)));
  });

  test('that nobody has proven gives way to newcomers of the same host, the oldest first', async () => {
    hello(at(2), 'elsewhere');
    for (let port = 1; port <= limits.incomingSessionsPerHost; port++) {
      await outside.clock.advance(1);
      hello(at(1, port), `peer${port}`);
    }
    hello(at(1, 500), 'late');
    const sessions = children('incoming-session');
    expect(sessions).toHaveLength(limits.incomingSessionsPerHost + 1);
    expect(sessions).not.toContain(incoming(at(1, 1)));
  });

  test('begins anew when another Hello comes to the owner', () => {
    hello(at(1));
    const first = peer.getSnapshot().children[incoming(at(1))];
    hello(at(1));
    expect(peer.getSnapshot().children[incoming(at(1))]).not.toBe(first);
    expect(children('incoming-session')).toHaveLength(1);
  });

  test('is not for a directory, unless we register: it would list us', () => {
    hello(at(1), '');
    expect(children('incoming-session')).toHaveLength(1);
    begin({ register: false });
    hello(at(1), '');
    expect(children('incoming-session')).toEqual([]);
    hello(at(1), 'alice');
    expect(children('incoming-session')).toHaveLength(1);
  });

  test('and ours towards it end when its key is trusted anew', () => {
    accept(at(1), 'alice');
    accept(at(2), 'carol');
    want('alice');
    expect(toldBy(() => send({ type: 'trust.changed', name: 'alice', atMs: 1 }))).toContain(
      'outgoing-session.alice: trust.changed',
    );
    expect(children('incoming-session')).toEqual([incoming(at(2))]);
    expect(peer.getSnapshot().context.contacts.incomingCount).toBe(1);
    expect(toldBy(() => send({ type: 'trust.changed', name: 'carol', atMs: 1 }))).toEqual(['! trust.changed']);
  });
});

describe('the directory', () => {
  test('is said Hello to at each of its addresses that we can reach', () => {
    const far = { ip: '2001:db8::1', port: 1_194 };
    send({ type: 'directory.known', addresses: [directory, far], key: 'key', atMs: 1 });
    expect(toldBy(() => send({ type: 'directory.greetingWanted', atMs: 1 }))).toEqual([
      `${toDirectory}: session.greet`,
    ]);
  });

  test('that fails at one address is told to its client only if no other is left', () => {
    const second = { ip: '192.0.2.10', port: 1_194 };
    send({ type: 'directory.known', addresses: [directory, second], key: 'key', atMs: 1 });
    send({ type: 'directory.greetingWanted', atMs: 1 });
    established(toDirectory, '', directory);
    established(actorId.outgoingSessionTo(second), '', second);
    expect(toldBy(() => lost(toDirectory, '', failure))).toEqual(['! session.failed']);
    expect(toldBy(() => lost(actorId.outgoingSessionTo(second), '', failure))).toEqual([
      '! session.failed',
      'directory-client: greeting.failed',
    ]);
  });

  test('that fails at one address is not given up while another one may still answer', () => {
    const second = { ip: '192.0.2.10', port: 1_194 };
    send({ type: 'directory.known', addresses: [directory, second], key: 'key', atMs: 1 });
    send({ type: 'directory.greetingWanted', atMs: 1 });
    expect(toldBy(() => lost(toDirectory, '', failure))).toEqual(['! session.failed']);
    expect(toldBy(() => lost(actorId.outgoingSessionTo(second), '', failure))).toEqual([
      '! session.failed',
      'directory-client: greeting.failed',
    ]);
  });
});

describe('NAT traversal', () => {
  const wanted = (last: number) => send({ type: 'traversal.wanted', address: at(last) });
  const order = (from: typeof own, to: typeof own) =>
    asked(from, { type: 'NatTraversalServer', id: 0, address: to }, 'datagram.unsolicited');

  test('is asked of a directory with which there is a session', () => {
    establishWithDirectory();
    expect(sentBy(() => wanted(1))).toEqual(['NatTraversalClient 192.0.2.9']);
    expect(outside.sentOf('NatTraversalClient')[0]?.datagram.address).toEqual(at(1));
  });

  test('waits for that session if there is none, for the last ten addresses', () => {
    known();
    for (let i = 1; i <= 12; i++) expect(sentBy(() => wanted(i))).toEqual([]);
    expect(children('outgoing-session')).toEqual([toDirectory]);
    expect(sentBy(() => established(toDirectory, '', directory))).toHaveLength(limits.traversalsPerSweep);
    expect(outside.sentOf('NatTraversalClient').map(({ datagram }) => datagram.address)).toEqual(
      Array.from({ length: 10 }, (_, i) => at(i + 3)),
    );
    lost(toDirectory, '');
    expect(sentBy(() => established(toDirectory, '', directory))).toEqual([]);
  });

  test('is carried out for a directory in session, ten times between two sweeps, and for nobody else', () => {
    known();
    expect(toldBy(() => order(directory, at(1)))).toEqual([]);
    establishWithDirectory();
    establish('alice', at(3));
    expect(toldBy(() => order(at(3), at(1)))).toEqual([]);
    const ordered = toldBy(() => {
      for (let i = 0; i < 20; i++) order(directory, at(1));
    });
    expect(ordered).toEqual(Array(limits.traversalsPerSweep).fill('sign and send'));
    send({ type: 'sweep', atMs: outside.nowMs });
    expect(toldBy(() => order(directory, { ip: '2001:db8::1', port: 1 }))).toEqual([]);
    expect(toldBy(() => order(directory, at(1)))).toEqual(['sign and send']);
  });
});
