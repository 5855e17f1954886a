/** Asks all peers that we follow whether they know a later history of ours (docs/adr/0016), and waits for all answers. */
import type { HistoryCheck, OwnHistory } from '../../machines/events.ts';
import type { PeerEvent } from '../../machines/peer-events.ts';
import type { DirectoryHttp } from './directory-http.ts';
import type { FactListeners } from './fact-listeners.ts';
import { notListed } from './outgoing-session-effects.ts';
import type { PeerFact } from './peer.ts';

interface Asked {
  readonly names: readonly string[];
  readonly history: OwnHistory;
  readonly atMs: () => number;
}

interface Through {
  readonly http: DirectoryHttp;
  readonly listeners: FactListeners;
  readonly submit: (event: PeerEvent) => void;
  readonly tell: (fact: PeerFact) => void;
}

export async function checkHistories(
  { names, history, atMs }: Asked,
  { http, listeners, submit, tell }: Through,
): Promise<readonly HistoryCheck[]> {
  const absent = await absentAmong(names, http);
  const checks: HistoryCheck[] = absent.map((peer) => ({ peer, outcome: 'unreachable', failure: notListed(peer) }));
  for (const check of checks) tell({ type: 'history.checked', check });
  const present = names.filter((name) => !absent.includes(name));
  if (present.length === 0) return checks;
  const awaited = new Set(present);
  const finished = listeners.until<readonly HistoryCheck[]>((resolve) => [
    listeners.on('history.checked', ({ check }) => {
      if (awaited.delete(check.peer)) checks.push(check);
      if (awaited.size === 0) resolve(checks);
    }),
  ]);
  submit({ type: 'history.wanted', names: present, history, atMs: atMs() });
  return finished;
}

/** Looked up in one request: a session for each of a thousand names that are not listed would cost far more. */
async function absentAmong(names: readonly string[], http: DirectoryHttp): Promise<string[]> {
  try {
    const found = await Promise.all(names.map((name) => http.peer(name)));
    return names.filter((_, index) => found[index] === undefined);
  } catch {
    // If the directory fails, each session finds out for itself.
    return [];
  }
}
