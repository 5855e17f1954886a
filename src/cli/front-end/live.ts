/** What changes by itself while a person looks on: kept up to date from what the peer tells, for the screens to show. */

import type { DirectoryPeer, Explanation, PeerFact } from '../../index.ts';
import type { DirectoryStanding, FollowedStanding } from '../../peer/status.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isYounger } from '../../wire/age.ts';
import { otherSideOf, renderWarning } from '../render/event.ts';
import { News } from '../render/news.ts';
import { counted, duration, sentenceAbout } from '../render/text.ts';
import type { AskedPeer } from './sources.ts';

/** Screens change at most ten times a second, however fast the news come. */
const REFRESH_MS = 100;
/** "3 min ago" grows old, and a directory falls silent. */
const TICK_MS = 5_000;
/** Rates are measured over at least this long. */
const RATE_MS = 500;
const LOG_ENTRIES = 500;
/** Who is followed is asked every minute: without an answer since then nobody can say that a peer is online. */
const LATELY_MS = 75_000;
/** A directory is asked at least every ten seconds, in vain for no longer than that: one that has not answered since is not there. */
const DIRECTORY_SILENT_MS = 25_000;
/** Names of peers are remembered up to here; then the ones that were asked first go. */
const MOST_NAMES = 1_000;

const directions = { outgoing: 'session to', incoming: 'session from' };

export interface LogEntry {
  readonly atMs: number;
  /** As received: whoever shows it makes it safe. */
  readonly text: string;
  readonly isWarning: boolean;
}

export interface Download {
  readonly peer: string;
  readonly nodesFetched: number;
  /** Fetched, and known to be wanted. */
  readonly nodesKnown: number;
  /** Nodes a second. */
  readonly rate: number;
}

/** `gone`: the process that runs the peer has ended. */
export type DirectoryState = DirectoryStanding['status'] | 'gone';

/** In monotonic ms. */
interface Seen {
  /** When it answered last; undefined: it has failed to since. */
  readonly answeredMs: number | undefined;
  /** When it was last known that all it has is here; undefined: nobody has looked. */
  readonly syncedMs: number | undefined;
}

interface Measured extends Download {
  readonly measuredAtMs: number;
  readonly measuredNodes: number;
}

export class Live implements Disposable {
  readonly #peer: AskedPeer;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  /** BOUNDED by the downloads that run. */
  readonly #downloads = new Map<string, Measured>();
  /** BOUNDED by LOG_ENTRIES. */
  readonly #log: LogEntry[] = [];
  /** What each peer has shown of itself, by name; the latest come last. BOUNDED by MOST_NAMES. */
  readonly #seen = new Map<string, Seen>();
  /** Peers that use another key than the one known. BOUNDED by the peers that the store has keys of. */
  readonly changedKeys = new Set<string>();
  readonly #news = new News();
  #cannotKeep = false;
  readonly #stopListening: () => void;
  #wasListed = false;
  /** Of the peer that is looked at, as far as another process had to be asked. */
  #explained: { readonly name: string; readonly explanations: readonly Explanation[] } | undefined;
  #listed: readonly DirectoryPeer[] | undefined;
  #isStopped = false;
  #timer: unknown;
  #isDue = false;
  /** Grows whenever items may have changed: not with how far a download is, which is for the status line alone. */
  version = 0;
  /** Of the last thing done. */
  notice = '';
  showsExactDates = false;
  showsMuted = false;
  /** Where on the timeline the person was before they jumped, `''` if they have not. */
  backTo = '';

  /** `following`: where followed peers stand, as far as another process knows that runs the peer. */
  constructor(peer: AskedPeer, clock: Clock, following: readonly FollowedStanding[] = []) {
    this.#peer = peer;
    this.#clock = clock;
    for (const { peer: name, state, lastSyncMs, failure } of following) {
      if (lastSyncMs === null) continue;
      const syncedMs = clock.monotonicNow() - (clock.now() - lastSyncMs);
      const hasAnswered = failure === null && state !== 'silent' && state !== 'absent';
      this.#noteSeen(name, { answeredMs: hasAnswered ? syncedMs : undefined, syncedMs });
    }
    this.#stopListening = peer.on('*', (fact) => this.#note(fact));
    this.#arm(TICK_MS);
  }

  get directory(): DirectoryState {
    if (this.#peer.ended !== undefined) return 'gone';
    const { status, answeredMs } = this.#peer.directory;
    const isSilent = answeredMs !== null && this.#clock.now() - answeredMs > DIRECTORY_SILENT_MS;
    return isSilent ? 'unreachable' : status;
  }

  /** Nothing is published from here any more; the log says why. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** What arrived last could not be kept: the disk is full, say. */
  get cannotKeep(): boolean {
    return this.#cannotKeep;
  }

  get sessions(): number {
    const { outgoing, incoming } = this.#peer.sessions;
    return outgoing + incoming;
  }

  /** Followed peers that do not answer, though they are listed. */
  get silent(): readonly string[] {
    return this.#peer.ended === undefined ? this.#peer.silent : [];
  }

  /** The directory does not list them, and they are not in session. */
  get unlisted(): readonly string[] {
    return this.#peer.ended === undefined ? this.#peer.unlisted : [];
  }

  /** Those who read from here, and do not answer. */
  get unreachedReaders(): readonly string[] {
    return this.#peer.ended === undefined ? this.#peer.unreachedReaders : [];
  }

  get downloads(): readonly Download[] {
    return [...this.#downloads.values()];
  }

  /** Oldest first. */
  get log(): readonly LogEntry[] {
    return this.#log;
  }

  /** It has answered lately, and has not failed to since. `lastSyncMs`: as in the store, for before anybody looked on. */
  isOnline(name: string, lastSyncMs: number | undefined): boolean {
    if (this.#peer.silent.includes(name) || this.#peer.unreachedReaders.includes(name)) return false;
    const seen = this.#seen.get(name);
    if (seen === undefined) return lastSyncMs !== undefined && isYounger(lastSyncMs, LATELY_MS, this.#clock.now());
    return seen.answeredMs !== undefined && isYounger(seen.answeredMs, LATELY_MS, this.#clock.monotonicNow());
  }

  /** When it was last known that all it has is here, Unix ms. `stored`: as in the store, which notes that only when something came. */
  lastSyncMs(name: string, stored: number | undefined): number | undefined {
    const syncedMs = this.#seen.get(name)?.syncedMs;
    return syncedMs === undefined ? stored : this.#clock.now() - (this.#clock.monotonicNow() - syncedMs);
  }

  /** Whom the directory listed when it was asked last; undefined before that. */
  get listed(): readonly DirectoryPeer[] | undefined {
    return this.#listed;
  }

  /** Asks the directory. @throws MurmureError `directory-unreachable` */
  async list(): Promise<readonly DirectoryPeer[]> {
    this.#listed = await this.#peer.directoryPeers();
    this.changed();
    return this.#listed;
  }

  /** Why sessions and downloads are where they are. Another process is asked, and its answer is shown when it comes. */
  explain(name: string): readonly Explanation[] {
    const found = this.#peer.explain(name);
    if (!(found instanceof Promise)) return found;
    const known = this.#explained?.name === name ? this.#explained.explanations : [];
    found.then(
      (explanations) => {
        const isNew = JSON.stringify(explanations) !== JSON.stringify(known);
        this.#explained = { name, explanations };
        if (isNew) this.changed();
      },
      () => {},
    );
    return known;
  }

  /** Calls back when something has changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  changed(): void {
    this.version += 1;
    this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#arm(REFRESH_MS);
  }

  [Symbol.dispose](): void {
    this.#stopListening();
    this.#clock.clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #arm(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      if (!this.#isDue) this.version += 1;
      this.#isDue = false;
      for (const listener of this.#listeners) listener();
      this.#arm(TICK_MS);
    }, ms);
  }

  #note(fact: PeerFact): void {
    const isNews = this.#news.isNews(fact);
    const warning = fact.type === 'key.changed' ? newKeyOf(fact.name) : renderWarning(fact);
    if (warning !== undefined && isNews) this.#write(warning, true);
    switch (fact.type) {
      case 'peer.listed':
        if (!this.#wasListed) this.#write('listed at the directory', false);
        this.#wasListed = true;
        break;
      case 'directory.unreachable':
        this.#wasListed = false;
        break;
      case 'session.opened':
        this.#write(`${directions[fact.direction]} ${otherSideOf(fact)}`, false);
        if (fact.authenticated || fact.direction === 'outgoing') this.#noteAnswered(fact.name, true);
        break;
      case 'session.failed':
        this.#noteAnswered(fact.name, false);
        if (isNews) this.#write(`no session with ${otherSideOf(fact)}: ${fact.failure.message}`, true);
        break;
      case 'peer.silent':
        this.#noteAnswered(fact.name, false);
        this.#write(`${fact.name} does not answer any more`, true);
        break;
      case 'peer.answers':
        this.#noteAnswered(fact.name, true);
        this.#write(`${fact.name} answers again`, false);
        break;
      case 'sync.progressed':
        this.#measure(fact.peer, fact.nodesFetched, fact.nodesFetched + fact.nodesWanted);
        break;
      case 'sync.finished': {
        const { peer, status, newMessages, durationMs, error } = fact.report;
        this.#downloads.delete(peer);
        const nowMs = this.#clock.monotonicNow();
        if (error === undefined) this.#noteSeen(peer, { answeredMs: nowMs, syncedMs: nowMs });
        else this.#noteAnswered(peer, false);
        this.#cannotKeep = error?.code === 'unexpected';
        if (error !== undefined && isNews) this.#write(sentenceAbout(peer, error.message), true);
        else if (status === 'updated')
          this.#write(`${peer}: ${counted(newMessages, 'new message')} in ${duration(durationMs)}`, false);
        break;
      }
      case 'key.changed':
        this.changedKeys.add(fact.name);
        break;
      case 'trust.changed':
        this.changedKeys.delete(fact.name);
        break;
      case 'publishing.stopped':
        this.#isStopped = true;
        break;
      case 'root.published':
        this.#write('published a new root', false);
        break;
      default:
        break;
    }
    if (fact.type === 'sync.progressed') this.#refreshSoon();
    else this.changed();
  }

  #noteAnswered(name: string, hasAnswered: boolean): void {
    const answeredMs = hasAnswered ? this.#clock.monotonicNow() : undefined;
    this.#noteSeen(name, { answeredMs, syncedMs: this.#seen.get(name)?.syncedMs });
  }

  #noteSeen(name: string, seen: Seen): void {
    // Set again, it is the last one.
    this.#seen.delete(name);
    this.#seen.set(name, seen);
    const [first] = this.#seen.keys();
    if (this.#seen.size > MOST_NAMES && first !== undefined) this.#seen.delete(first);
  }

  #write(text: string, isWarning: boolean): void {
    this.#log.push({ atMs: this.#clock.now(), text, isWarning });
    if (this.#log.length > LOG_ENTRIES) this.#log.shift();
  }

  #measure(peer: string, nodesFetched: number, nodesKnown: number): void {
    const atMs = this.#clock.monotonicNow();
    const last = this.#downloads.get(peer);
    if (last === undefined) {
      const measured = { measuredAtMs: atMs, measuredNodes: nodesFetched };
      this.#downloads.set(peer, { peer, nodesFetched, nodesKnown, rate: 0, ...measured });
      return;
    }
    const sinceMs = atMs - last.measuredAtMs;
    const measured =
      sinceMs < RATE_MS
        ? {}
        : {
            rate: ((nodesFetched - last.measuredNodes) * 1_000) / sinceMs,
            measuredAtMs: atMs,
            measuredNodes: nodesFetched,
          };
    this.#downloads.set(peer, { ...last, nodesFetched, nodesKnown, ...measured });
  }
}

/** As the command `trust` says it, for whoever is here already. */
function newKeyOf(name: string): string {
  return `${name} has another key now, and nothing is accepted from it: open it among the peers (w), and press a to compare the keys`;
}
