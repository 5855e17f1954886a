/** When a peer downloads from whom, and when it asks others about its own history, as its children and listeners see it. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { HistoryCheck, WalkReport } from '../../machines/events.ts';
import { limits, timing } from '../../machines/timing.ts';
import {
  asked,
  at,
  begin,
  broken,
  children,
  done,
  establish,
  facts,
  outside,
  ready,
  root,
  send,
  sweep,
  toldBy,
} from './seen-peer.ts';

beforeEach(() => begin());

describe('downloads', () => {
  const report = (name: string, of: string | null = null) => ({ peer: name, root: of }) as unknown as WalkReport;
  const end = (name: string, of?: string) =>
    done(`merkle-walk.${name}`, { report: report(name, of), atMs: outside.nowMs });
  const want = (name: string) => send({ type: 'sync.wanted', name, atMs: outside.nowMs });

  test('are told from beginning to end, one at a time of each peer', () => {
    want('alice');
    want('alice');
    send({ type: 'sync.progressed', peer: 'alice', nodesFetched: 1, nodesWanted: 3 });
    expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
    end('alice');
    expect(facts).toEqual([
      { type: 'sync.started', peer: 'alice' },
      { type: 'sync.progressed', peer: 'alice', nodesFetched: 1, nodesWanted: 3 },
      { type: 'sync.finished', report: report('alice') },
    ]);
    expect(children('merkle-walk')).toEqual([]);
    want('alice');
    expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
  });

  test('of those who are followed from now on begin at most 64 at once, and the others in their turn', () => {
    const names = Array.from({ length: limits.walks + 2 }, (_, i) => `peer${i}`);
    send({ type: 'presence.found', listings: [], atMs: 1 });
    send({ type: 'following.changed', names, atMs: 1 });
    expect(children('merkle-walk')).toHaveLength(limits.walks);
    end('peer0');
    expect(children('merkle-walk')).toHaveLength(limits.walks);
    expect(facts.at(-1)).toEqual({ type: 'sync.started', peer: `peer${limits.walks}` });
    end('peer1');
    end('peer2');
    sweep();
    expect(children('merkle-walk')).toHaveLength(limits.walks - 1);
  });

  describe('for a root that somebody announces', () => {
    const announce = (from = at(1), sign = true) =>
      asked(from, { type: 'Root', id: 0, hash: root(1) }, 'datagram.unsolicited', sign);
    const verified = (n: number, valid = true) =>
      send({ type: 'announcement.verified', name: 'alice', root: root(n), valid, atMs: outside.nowMs });

    beforeEach(() => {
      begin({ following: ['alice'] });
      ready();
      establish('alice');
      establish('carol', at(2));
      end('alice');
      facts.length = 0;
    });

    test('begin once its signature is verified, if it is somebody whom we follow', () => {
      expect(toldBy(() => announce())).toEqual([`verify: alice ${root(1)}`]);
      expect(toldBy(() => announce(at(1), false))).toEqual([]);
      expect(toldBy(() => announce(at(2)))).toEqual([]);
      expect(toldBy(() => announce(at(3)))).toEqual([]);
      verified(1, false);
      expect(children('merkle-walk')).toEqual([]);
      verified(1);
      expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
    });

    test('are considered as well for a root that it names when it is only asked whether it answers', () => {
      const see = (name: string) =>
        send({ type: 'root.seen', name, root: root(1), authenticated: true, atMs: outside.nowMs });
      expect(toldBy(() => see('alice'))).toEqual([`compare: alice ${root(1)}`]);
      expect(toldBy(() => see('carol'))).toEqual([]);
      expect(children('merkle-walk')).toEqual([]);
    });

    test('begin after the one that is under way, unless that has brought it', () => {
      verified(1);
      verified(2);
      end('alice', root(1));
      expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
      verified(3);
      end('alice', root(3));
      expect(children('merkle-walk')).toEqual([]);
    });

    test('that announces too much begin later', () => {
      for (let n = 0; n < limits.announcedWalks; n++) {
        verified(n);
        end('alice', root(n));
      }
      verified(99);
      expect(children('merkle-walk')).toEqual([]);
      sweep();
      expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
    });
  });

  test('begin every minute with those who are followed and there, if we register: others may not be able to push', () => {
    for (const register of [true, false]) {
      begin({ following: ['alice', 'gone'], register });
      ready();
      establish('alice');
      const begun = (laterMs: number) => {
        sweep(laterMs);
        const running = children('merkle-walk');
        end('alice');
        return running;
      };
      expect(begun(0)).toEqual(register ? ['merkle-walk.alice'] : []);
      expect(begun(timing.followInterval - 1)).toEqual([]);
      expect(begun(timing.followInterval)).toEqual(register ? ['merkle-walk.alice'] : []);
    }
  });

  test('begin anew once its new key is trusted, if it is followed', () => {
    begin({ following: ['alice'] });
    send({ type: 'trust.changed', name: 'carol', atMs: 1 });
    send({ type: 'trust.changed', name: 'alice', atMs: 1 });
    expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
    send({ type: 'trust.changed', name: 'alice', atMs: 1 });
    end('alice');
    expect(children('merkle-walk')).toEqual(['merkle-walk.alice']);
    expect(facts.filter(({ type }) => type === 'trust.changed')).toHaveLength(3);
  });
});

describe('our history', () => {
  const history = [{ root: root(1), leaf: root(2) }];
  const check = (name: string, outcome: HistoryCheck['outcome'] = 'same'): HistoryCheck => ({ peer: name, outcome });
  const end = (name: string, outcome?: HistoryCheck['outcome']) =>
    done(`history-check.${name}`, { ...check(name, outcome), history, atMs: 1 });
  const want = (...names: string[]) => send({ type: 'history.wanted', names, history, atMs: 1 });

  test('is asked for at many peers at once, and at the others in their turn, at nobody twice at once', () => {
    const names = Array.from({ length: limits.historyChecks + 2 }, (_, i) => `peer${i}`);
    want(...names);
    want('somebody', 'peer0', names.at(-1) as string);
    expect(children('history-check')).toHaveLength(limits.historyChecks);
    end('peer0');
    expect(children('history-check')).toHaveLength(limits.historyChecks);
    broken('history-check.peer1');
    expect(children('history-check')).toHaveLength(limits.historyChecks);
    for (const name of names.slice(2)) end(name);
    expect(children('history-check')).toEqual(['history-check.somebody']);
    end('somebody');
    expect(children('history-check')).toEqual([]);
    const checked = facts.flatMap((fact) => (fact.type === 'history.checked' ? [fact.check] : []));
    expect(checked).toHaveLength(names.length + 1);
    expect(checked[1]).toEqual({
      peer: 'peer1',
      outcome: 'unreachable',
      failure: { code: 'unexpected', message: 'asking peer1 about our history broke down: a fault' },
    });
    want('peer0');
    expect(children('history-check')).toEqual(['history-check.peer0']);
  });

  describe('before our root is told', () => {
    const types = () => facts.map(({ type }) => type).filter((type) => type !== 'session.opened');

    test('is asked for at each peer with whom there is a session, once', () => {
      begin({ history });
      establish('alice');
      expect(children('history-check')).toEqual(['history-check.alice']);
      end('alice');
      establish('alice');
      expect(children('history-check')).toEqual([]);
      send({ type: 'network.changed', why: 'sleep', localIps: [], atMs: outside.nowMs });
      expect(children('history-check')).toEqual(['history-check.alice']);
    });

    test('is asked for again at a peer who has not answered, with its next session', () => {
      begin({ history });
      establish('alice');
      end('alice', 'unreachable');
      establish('alice');
      expect(children('history-check')).toEqual(['history-check.alice']);
    });

    test.each([
      ['followed', { following: ['alice', 'carol'] }],
      ['a former reader', { formerReaders: ['alice', 'carol'] }],
      ['the only one who can tell', {}],
    ])('stops publishing if somebody knows a later one who is %s', (_, input) => {
      begin({ history, ...input });
      establish('alice');
      end('alice', 'later');
      expect(types().slice(-2)).toEqual(['history.checked', 'publishing.stopped']);
    });

    test.each([
      ['others are followed', { following: ['carol'] }],
      ['others have read before', { formerReaders: ['carol'] }],
    ])('a stranger who knows a later one is left out alone if %s', (_, input) => {
      begin({ history, ...input });
      establish('alice');
      end('alice', 'later');
      expect(types().slice(-2)).toEqual(['history.checked', 'peer.warning']);
    });

    test('a stranger who knows a later one is left out alone if somebody has what we have', () => {
      begin({ history });
      establish('carol', at(2));
      end('carol');
      establish('alice');
      end('alice', 'later');
      expect(types().slice(-2)).toEqual(['history.checked', 'peer.warning']);
    });
  });
});
