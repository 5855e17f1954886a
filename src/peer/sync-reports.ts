/** What downloads have cost: the machines count datagrams and nodes, and here is the time, and what is still in flight. */
import type { AnyActorRef, SnapshotFrom } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { Failure, SyncReport, WalkReport } from '../../machines/events.ts';
import { type MerkleWalkContext, reportOf } from '../../machines/merkle-walk-context.ts';
import type { OutgoingSessionContext } from '../../machines/outgoing-session-context.ts';
import type { peerMachine } from '../../machines/peer.machine.ts';
import type { RequestContext } from '../../machines/request-context.ts';
import type { Store } from '../store/store.ts';

type PeerSnapshot = SnapshotFrom<typeof peerMachine>;

/** `succeededAtMs`: as the clock of the reports has it; undefined: not in this run. */
export interface SyncEnd {
  readonly succeededAtMs: number | undefined;
  readonly failure: Failure | undefined;
}

const MOST_ENDS = 4_096;

export class SyncReports {
  readonly #now: () => number;
  readonly #store: Store;
  /** When each download began, by name. BOUNDED by the downloads that run. */
  readonly #startedAtMs = new Map<string, number>();
  /** How the last download from each peer ended, the latest last. BOUNDED by MOST_ENDS. */
  readonly #ends = new Map<string, SyncEnd>();

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number, store: Store) {
    this.#now = now;
    this.#store = store;
  }

  started(name: string): void {
    this.#startedAtMs.set(name, this.#now());
  }

  finished(report: WalkReport): SyncReport {
    const durationMs = this.#durationMs(report.peer);
    this.#startedAtMs.delete(report.peer);
    this.#noteEnd(report);
    return { ...this.#withTotal(report), durationMs };
  }

  lastEnd(name: string): SyncEnd | undefined {
    return this.#ends.get(name);
  }

  #noteEnd({ peer, error }: WalkReport): void {
    const succeededAtMs = error === undefined ? this.#now() : this.#ends.get(peer)?.succeededAtMs;
    // Set again, it is the last one.
    this.#ends.delete(peer);
    this.#ends.set(peer, { succeededAtMs, failure: error });
    const [first] = this.#ends.keys();
    if (this.#ends.size > MOST_ENDS && first !== undefined) this.#ends.delete(first);
  }

  underWay({ children }: PeerSnapshot, name: string): Omit<SyncReport, 'status' | 'error'> | undefined {
    const walk: AnyActorRef | undefined = children[actorId.merkleWalk(name)];
    if (walk === undefined) return undefined;
    const {
      status: _,
      error: __,
      ...report
    } = this.#withTotal(reportOf(walk.getSnapshot().context as MerkleWalkContext));
    const sends = sendsUnderWay(children[actorId.outgoingSession(name)], walk);
    return {
      ...report,
      datagramsSent: sends.reduce((sum, count) => sum + count, report.datagramsSent),
      retransmissions: sends.reduce((sum, count) => sum + count - 1, report.retransmissions),
      durationMs: this.#durationMs(name),
    };
  }

  #durationMs(name: string): number {
    const now = this.#now();
    return Math.max(0, now - (this.#startedAtMs.get(name) ?? now));
  }

  /** A walk learns how many messages are there only when it knows the root. */
  #withTotal<T extends WalkReport>(report: T): T {
    if (report.totalMessages > 0) return report;
    try {
      return { ...report, totalMessages: this.#store.peer(report.peer)?.messages ?? 0 };
    } catch {
      // A disk that fails is what the report is about, most likely.
      return report;
    }
  }
}

/** How often each request was sent that the session has open for this download; Hellos, while the download waits for the session. */
function sendsUnderWay(session: AnyActorRef | undefined, walk: AnyActorRef): number[] {
  if (session === undefined) return [];
  const { children, context } = session.getSnapshot() as {
    readonly children: Readonly<Record<string, AnyActorRef | undefined>>;
    readonly context: OutgoingSessionContext;
  };
  const isWaiting = context.waiters.some((waiter) => (waiter as AnyActorRef) === walk);
  return Object.values(children).flatMap((request) => {
    if (request === undefined || request.getSnapshot().value === 'idle') return [];
    const { current } = request.getSnapshot().context as RequestContext;
    if (current === undefined) return [];
    const { question, requester } = current.order;
    const isOurs = question.type === 'Hello' ? isWaiting : (requester as AnyActorRef | undefined) === walk;
    return isOurs ? [current.sends] : [];
  });
}
