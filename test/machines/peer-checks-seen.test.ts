/** Protocol §5: whom a peer asks whether they still answer, whom it looks for, and what it makes of the answers. */
import { expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import { limits } from '../../machines/timing.ts';
import { at, begin, children, establish, failure, known, outside, ready, send, sweep, toldBy } from './seen-peer.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `peer ${index}`);
const walks = () => children('merkle-walk.').map((id) => id.slice('merkle-walk.'.length));
/** How the directory lists them: each at an address of its own. */
const find = (...found: string[]) =>
  send({
    type: 'presence.found',
    listings: found.map((name) => ({ name, addresses: [at(Number(name.slice(5)) + 1)], key: 'key' })),
    atMs: outside.nowMs,
  });
/** It was in session, and has fallen silent. */
const lose = (name: string) =>
  send({ type: 'session.lost', session: actorId.outgoingSession(name), name, hasPush: false, failure });
/** The downloads that were begun are over. */
const endWalks = () => {
  for (const name of walks()) {
    const report = { peer: name, status: 'failed', root: null };
    const actor = actorId.merkleWalk(name);
    send({ type: `xstate.done.actor.${actor}`, actorId: actor, output: { report, atMs: outside.nowMs } } as never);
  }
};
const found = (name: string, last = Number(name.slice(5)) + 1) =>
  send({ type: 'peer.found', name, address: at(last), atMs: outside.nowMs });

/** All of them silent, and listed. */
function beginSilent(count: number): void {
  begin({ following: names(count) });
  ready();
  known();
  for (const name of names(count)) establish(name, at(Number(name.slice(5)) + 1));
  for (const name of names(count)) lose(name);
  find(...names(count));
  endWalks();
  endWalks();
  endWalks();
}

/** Where the next sweep looks for silent peers: "NAME at ADDRESS". */
function searched(): string[] {
  const WANTED = 'path-checks: checks.wanted ';
  const round = toldBy(sweep).find((what) => what.startsWith(WANTED));
  return round?.slice(WANTED.length).split(', ') ?? [];
}

test('looks for followed peers that have fallen silent where they are listed, with every sweep', () => {
  beginSilent(2);
  for (let i = 0; i < 3; i++) {
    expect(searched()).toEqual(['peer 0 at 192.0.2.1:1', 'peer 1 at 192.0.2.2:1']);
  }
});

test('looks for nobody who is in session or not listed', () => {
  beginSilent(3);
  establish('peer 0', at(1));
  send({ type: 'presence.changed', listings: [], removed: ['peer 1'], cursor: 'run.2', atMs: outside.nowMs });
  expect(searched()).toEqual(['peer 2 at 192.0.2.3:1']);
});

test('takes turns if there are more than 64 addresses', () => {
  beginSilent(100);
  const looked = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const places = searched();
    expect(places).toHaveLength(limits.searchesPerSweep);
    for (const place of places) looked.add(place);
  }
  expect(looked.size).toBe(100);
});

test('asks whoever answers for its root at once', () => {
  beginSilent(3);
  establish('peer 2', at(3));
  found('peer 0');
  expect(walks()).toEqual(['peer 0']);
});

test('a Hello that is under way to it is said again, and nothing else is begun', () => {
  beginSilent(2);
  establish('peer 1', at(2));
  found('peer 0');
  expect(toldBy(() => found('peer 0'))).toEqual(['outgoing-session.peer 0: peer.found']);
});

test('if nobody had answered, all who are silent are asked', () => {
  beginSilent(3);
  found('peer 1');
  expect(walks().sort()).toEqual(names(3));
});

test('whoever is in session or not followed is not found', () => {
  beginSilent(2);
  establish('peer 0', at(1));
  endWalks();
  expect(toldBy(() => found('peer 0'))).toEqual([]);
  expect(toldBy(() => found('peer 9'))).toEqual([]);
});

test('that nobody answers is a reason to ask the directory whether it knows us where we are', () => {
  const doubts = (work: () => void) => toldBy(work).filter((what) => what === 'directory-client: directory.doubted');
  const fail = (isAlone: boolean) => send({ type: 'checks.failed', sessions: [], isAlone });
  begin();
  expect(doubts(() => fail(false))).toEqual([]);
  expect(doubts(() => fail(true))).toHaveLength(1);
  expect(doubts(() => fail(true))).toEqual([]);
  sweep();
  expect(doubts(() => send({ type: 'session.silent', name: 'alice', address: at(1) }))).toHaveLength(1);
  const wantTraversal = () => send({ type: 'traversal.wanted', address: at(1) });
  // A sweep may ask of its own accord.
  const inOneSweep = () => {
    sweep();
    wantTraversal();
  };
  expect(doubts(inOneSweep)).toHaveLength(1);
});
