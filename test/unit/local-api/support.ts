/** A running peer whose answers are given, for both sides of the local API. */
import type { PeerFact, Wish } from '../../../src/index.ts';
import { FactListeners } from '../../../src/peer/fact-listeners.ts';
import type { Peer } from '../../../src/peer/peer.ts';

export interface FakeRunningPeer {
  readonly peer: Peer;
  /** What it was asked for. */
  readonly asked: Wish[];
  tell(fact: PeerFact): void;
}

export const ROOT = 'ab'.repeat(32);
export const HERE = { ip: '192.0.2.7', port: 4242 };

/** `answer` is called for each wish, and may tell what comes of it. */
export function fakeRunningPeer(
  answer: (wish: Wish, tell: (fact: PeerFact) => void) => void = () => {},
): FakeRunningPeer {
  const listeners = new FactListeners();
  const asked: Wish[] = [];
  const tell = (fact: PeerFact) => listeners.tell(fact);
  const peer: Partial<Peer> = {
    name: 'alice',
    publicKey: 'K'.repeat(86),
    addresses: [HERE],
    root: ROOT,
    sessions: { outgoing: 2, incoming: 1 },
    directory: { status: 'connected', listed: [HERE], answeredMs: 1_000, failure: null },
    silent: ['bob'],
    unlisted: ['carol'],
    traffic: { received: 5, sent: 4, dropped: { malformed: 1 } },
    on: listeners.on,
    status: () => ({
      sessions: [{ peer: 'bob', isDirectory: false, direction: 'outgoing', address: HERE, proven: true }],
      following: [{ peer: 'bob', state: 'idle', lastSyncMs: 5_000, nextPollMs: 65_000, failure: null }],
      readers: [],
      retirement: null,
    }),
    ask: (wish) => {
      asked.push(wish);
      answer(wish, tell);
    },
    contactWith: () => ({ status: 'greeting', addresses: [HERE] }),
    syncUnderWay: () => undefined,
    explain: () => [
      { actor: 'peer/outgoing-session.bob', state: 'greeting', sentences: ['It waits.'], transitions: [] },
    ],
    directoryPeers: async () => [{ name: 'bob', addresses: [HERE], key: 'B'.repeat(86) }],
  };
  return { peer: peer as Peer, asked, tell };
}
