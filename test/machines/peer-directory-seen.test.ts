/** Protocol §3, §5: what a peer asks its directory, and makes of the answers; its children only take notes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import { timing } from '../../machines/timing.ts';
import {
  at,
  begin,
  DOUBT,
  directory,
  establish,
  establishWithDirectory,
  issue,
  list,
  outside,
  own,
  peer,
  send,
  sweep,
  toldBy,
} from './telling-peer.ts';

beforeEach(() => begin());

describe('followed peers', () => {
  const listing = (...addresses: (typeof own)[]) => ({ name: 'alice', addresses, key: 'key' });
  const find = (...addresses: (typeof own)[]) =>
    send({ type: 'presence.found', listings: [listing(...addresses)], atMs: outside.nowMs });
  const change = (listings: readonly ReturnType<typeof listing>[], removed: readonly string[] = []) =>
    send({ type: 'presence.changed', listings, removed, cursor: 'run.2', atMs: outside.nowMs });
  const walks = () => Object.keys(peer.getSnapshot().children).filter((id) => id.startsWith('merkle-walk'));
  const end = () => {
    const output = { report: { peer: 'alice', root: null } as never, atMs: 1 };
    send({ type: 'xstate.done.actor.merkle-walk.alice', actorId: 'merkle-walk.alice', output });
  };
  const whereIsAlice = 'directory: where are alice?';
  const since = (cursor: string) => `directory: what has changed since "${cursor}"?`;

  beforeEach(() => begin({ following: ['alice'], register: false }));

  test('are asked about with every sweep: what has changed since the answer before', () => {
    expect(toldBy(sweep)).toEqual([since('')]);
    expect(toldBy(() => issue('run.1'))).toEqual([whereIsAlice]);
    find();
    expect(toldBy(() => sweep(timing.sweepInterval))).toEqual([since('run.1'), DOUBT]);
    change([]);
    expect(toldBy(() => sweep(2 * timing.sweepInterval))).toEqual([since('run.2')]);
  });

  test('are looked up again if the directory could not tell about them', () => {
    issue('run.1');
    expect(toldBy(sweep)).toEqual([since('run.1'), whereIsAlice]);
  });

  test('who are in session are not looked up', () => {
    establish('alice');
    expect(toldBy(() => issue('run.1'))).toEqual([]);
  });

  test('without a session are looked up with every sweep at a directory that does not tell what has changed', () => {
    expect(toldBy(() => send({ type: 'cursor.unavailable', atMs: outside.nowMs }))).toEqual([whereIsAlice]);
    find();
    expect(toldBy(() => sweep(timing.sweepInterval))).toEqual([whereIsAlice]);
    find();
    establish('alice');
    expect(toldBy(() => sweep(2 * timing.sweepInterval))).not.toContain(whereIsAlice);
  });

  test('nobody: nothing is asked', () => {
    begin({ following: [], register: false });
    expect(toldBy(sweep)).toEqual([]);
  });

  test('are asked for their root when they are listed, or listed elsewhere', () => {
    find(at(1));
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    find(at(1));
    expect(walks()).toEqual([]);
    find(at(2));
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    find();
    find(at(2));
    expect(walks()).toEqual(['merkle-walk.alice']);
  });

  test('are asked for their root when they are proven anew, at whichever address, with a session or without', () => {
    issue('run.1');
    find(at(1));
    end();
    change([listing(at(1))]);
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    establish('alice');
    expect(toldBy(() => change([listing(at(2))]))).toContain('outgoing-session.alice: listing.changed');
    expect(walks()).toEqual(['merkle-walk.alice']);
  });

  test('are asked once more after a download that was under way when they were proven anew', () => {
    change([listing(at(1))]);
    change([listing(at(2))]);
    sweep(timing.sweepInterval);
    end();
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    expect(walks()).toEqual([]);
  });

  test('who are listed no more are not asked every minute', () => {
    const isAsked = () => {
      sweep(timing.followInterval);
      return walks().length > 0;
    };
    begin({ following: ['alice'] });
    change([listing(at(1))]);
    end();
    change([], ['alice']);
    expect(isAsked()).toBe(false);
  });

  test('may all have changed when the cursor has expired: those in session are asked, the others looked up', () => {
    begin({ following: ['alice', 'carol'], register: false });
    issue('run.1');
    find(at(1));
    end();
    establish('alice');
    expect(toldBy(() => issue('another.1'))).toEqual(['directory: where are carol?', DOUBT]);
    expect(walks()).toEqual(['merkle-walk.alice']);
  });
});

describe('whether the directory and UDP are lost, is asked of the directory', () => {
  const asksOf = (count: number) =>
    Array.from({ length: count }, () => toldBy(sweep).filter((what) => what === DOUBT).length);
  const silent = () => send({ type: 'session.silent', name: 'alice', address: at(1) });

  test('every ten seconds by whoever follows nobody, or has none of those in session', () => {
    expect(asksOf(6)).toEqual([0, 1, 0, 1, 0, 1]);
    begin({ following: ['alice'] });
    for (const _ of [1, 2, 3]) {
      expect(toldBy(sweep)).not.toContain(DOUBT);
      issue('run.1');
      expect(toldBy(sweep)).toContain(DOUBT);
      issue('run.1');
    }
    establish('alice');
    for (const _ of [1, 2, 3, 4]) {
      expect(toldBy(sweep)).not.toContain(DOUBT);
      send({ type: 'presence.changed', listings: [], removed: [], cursor: 'run.1', atMs: outside.nowMs });
    }
  });

  test('at once when somebody in session falls silent', () => {
    begin({ following: ['alice'] });
    establish('alice');
    expect(toldBy(silent)).toEqual([DOUBT]);
  });

  test('at once when it has forgotten what we knew of its list: it may have forgotten us', () => {
    begin({ following: ['alice'] });
    expect(toldBy(() => issue('run.1'))).not.toContain(DOUBT);
    expect(toldBy(() => issue('another.1'))).toContain(DOUBT);
  });

  test('over HTTPS when it could not be asked over HTTPS', () => {
    expect(toldBy(() => send({ type: 'presence.failed' }))).toEqual(['directory-client: listing.wanted']);
  });
});

test('how the directory fails is told once, until it fails otherwise or has listed us', () => {
  const facts: string[] = [];
  peer.on('directory.unreachable', ({ failure }) => facts.push(failure.message));
  const fail = (message: string) =>
    send({ type: 'registration.failed', failure: { code: 'directory-unreachable', message }, retryInMs: 1 });
  fail('refused');
  fail('refused');
  fail('no UDP');
  fail('no UDP');
  list(own);
  fail('no UDP');
  expect(facts).toEqual(['refused', 'no UDP', 'no UDP']);
});

describe('the directory', () => {
  const check = () => send({ type: 'directory.checkWanted', requester: outside.nobody('directory-client') });

  test('is asked for its root over our session with it', () => {
    establishWithDirectory();
    expect(toldBy(check)).toEqual([`outgoing-session.@192.0.2.9:1194: root.wanted`]);
  });

  test('is not asked without a session, nor over that of a peer who is at the same address', () => {
    expect(toldBy(check)).toEqual([]);
    establish('alice', directory);
    expect(toldBy(check)).toEqual([]);
    expect(peer.getSnapshot().status).toBe('active');
  });

  test('that answers at none of its addresses is told to the directory client', () => {
    establishWithDirectory();
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    const session = actorId.outgoingSessionTo(directory);
    expect(toldBy(() => send({ type: 'session.lost', session, name: '', hasPush: false, failure }))).toEqual([
      'directory-client: greeting.failed',
    ]);
  });
});
