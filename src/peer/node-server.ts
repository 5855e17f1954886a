/**
 * Answers GetNodes from the store (protocol §10.1): at the pace that the other side asks for, a bounded number of datagrams at a time.
 * Nothing is kept of a request once its last datagram is made.
 */
import { bitsIn, hashesIn } from '../../machines/bulk-answer.ts';
import type { BulkRequest } from '../../machines/events.ts';
import { limits } from '../../machines/timing.ts';
import { type Clock, nextTurn } from '../runtime/clock.ts';
import { ITEMS_BYTES, itemSize, MAX_ITEM_NODE, NO_PARENT, type NodesItem } from '../wire/bulk.ts';
import { encodeDatagram } from '../wire/datagram.ts';
import type { Hash } from '../wire/hash.ts';
import { decodeNode, nodeKind } from '../wire/node.ts';

/** Datagrams in one turn of the event loop, to all addresses together. */
const DATAGRAMS_A_TURN = 64;
/** Items in one datagram: of tiny nodes hundreds would fit, and each costs a look-up. */
const ITEMS_A_DATAGRAM = 64;

export interface NodeSource {
  /** Of what is asked for by its own hash, or is the parent of what is. */
  named(hash: Hash): Uint8Array | undefined;
  /** Children of one node: they lie together, and are read together. */
  children(hashes: readonly Hash[]): readonly (Uint8Array | undefined)[];
}

/** Sends some datagrams to whoever asked. */
type Send = (datagrams: readonly Uint8Array[]) => void;

export class NodeServer {
  readonly #source: NodeSource;
  readonly #clock: Clock;
  /** By address. BOUNDED by those that have proven theirs, and by `limits.grantsPerAddress` datagrams each. */
  readonly #queues = new Map<string, Queue>();
  #isRunning = false;

  constructor(source: NodeSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** What would be too much for this address is not answered: whoever asks repeats it. */
  serve(address: string, requests: readonly BulkRequest[], send: Send): void {
    const queue = this.#queues.get(address) ?? new Queue(this.#clock);
    for (const request of requests) {
      if (queue.outstanding + request.grant <= limits.grantsPerAddress)
        queue.add(new Answer(request, this.#source), send);
    }
    if (queue.outstanding > 0) this.#queues.set(address, queue);
    if (!this.#isRunning && this.#queues.size > 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queues.size > 0) {
      await this.#pause();
      this.#turn();
    }
    this.#isRunning = false;
  }

  /** Until somebody is due. */
  #pause(): Promise<void> {
    const waitMs = Math.min(...Array.from(this.#queues.values(), (queue) => queue.waitMs()));
    if (waitMs <= 0) return nextTurn(this.#clock);
    return new Promise((resolve) => this.#clock.setTimeout(resolve, Math.ceil(waitMs)));
  }

  /** Each address in turn; who was served goes to the end. */
  #turn(): void {
    let left = DATAGRAMS_A_TURN;
    for (const [address, queue] of [...this.#queues]) {
      if (left <= 0) return;
      if (queue.waitMs() > 0) continue;
      left -= queue.send(Math.min(left, limits.burst));
      this.#queues.delete(address);
      if (queue.outstanding > 0) this.#queues.set(address, queue);
    }
  }
}

/** What is to be sent to one address. */
class Queue {
  readonly #clock: Clock;
  readonly #answers: { readonly answer: Answer; readonly send: Send }[] = [];
  /** Datagrams that may still be sent. */
  outstanding = 0;
  /** When the next datagram may go, monotonic ms. */
  #dueMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#dueMs = clock.monotonicNow();
  }

  add(answer: Answer, send: Send): void {
    if (this.outstanding === 0) this.#dueMs = Math.max(this.#dueMs, this.#clock.monotonicNow());
    this.#answers.push({ answer, send });
    this.outstanding += answer.left;
  }

  waitMs(): number {
    return this.#dueMs - this.#clock.monotonicNow();
  }

  /** Sends what is due, no more than `most`; says how many datagrams that were. */
  send(most: number): number {
    const nowMs = this.#clock.monotonicNow();
    let count = 0;
    // Timers are late: what they have missed goes at once, as far as a burst does.
    while (count < most && this.#dueMs <= nowMs) {
      const first = this.#answers[0];
      if (first === undefined) break;
      const { answer, send } = first;
      const datagrams: Uint8Array[] = [];
      this.outstanding -= answer.left;
      try {
        while (count < most && this.#dueMs <= nowMs && answer.left > 0) {
          datagrams.push(answer.next());
          this.#dueMs += answer.gapMs;
          count += 1;
        }
      } catch {
        // A disk that cannot be read does not mean that the node is not there: what is missing is asked for again.
        answer.left = 0;
      }
      this.outstanding += answer.left;
      if (answer.left === 0) this.#answers.shift();
      if (datagrams.length > 0) send(datagrams);
    }
    this.#dueMs = Math.max(this.#dueMs, nowMs - limits.burst * (this.#answers[0]?.answer.gapMs ?? 0));
    return count;
  }
}

/** The datagrams of one answer, made one by one. */
class Answer {
  readonly gapMs: number;
  readonly #id: number;
  readonly #items: Iterator<NodesItem>;
  /** It did not fit in the datagram before. */
  #item: NodesItem | undefined;
  #sequence = 0;
  /** How many may still be sent. */
  left: number;

  constructor({ id, gap, grant, entries }: BulkRequest, source: NodeSource) {
    this.#id = id;
    this.gapMs = gap / 1_000;
    this.left = grant;
    this.#items = itemsFor(entries, source);
  }

  /** @throws what is wrong with the store */
  next(): Uint8Array {
    const items: NodesItem[] = [];
    let size = 0;
    if (this.#sequence === 0) this.#item = this.#nextItem();
    while (this.#item !== undefined && items.length < ITEMS_A_DATAGRAM) {
      size += itemSize(this.#item.value);
      if (size > ITEMS_BYTES) break;
      items.push(this.#item);
      this.#item = this.#nextItem();
    }
    const isLast = this.#item === undefined || this.left === 1;
    this.left = isLast ? 0 : this.left - 1;
    const datagram = encodeDatagram({ type: 'Nodes', id: this.#id, sequence: this.#sequence, isLast, items });
    this.#sequence += 1;
    return datagram;
  }

  #nextItem(): NodesItem | undefined {
    const next = this.#items.next();
    return next.done === true ? undefined : next.value;
  }
}

function* itemsFor(entries: BulkRequest['entries'], source: NodeSource): Generator<NodesItem> {
  let parent: Hash | undefined;
  let children: readonly Hash[] | undefined;
  for (const [entry, asked] of entries.entries()) {
    if (asked.kind === 'node') {
      yield { entry, child: 0, value: asItem(source.named(asked.hash)) };
      continue;
    }
    // Entries for single children of one node stand in a row.
    if (asked.parent !== parent) children = childrenOf(source.named(asked.parent));
    parent = asked.parent;
    if (children === undefined) {
      yield { entry, child: NO_PARENT, value: 'absent' };
      continue;
    }
    const bits = bitsIn(asked.mask).filter((bit) => children?.[bit] !== undefined);
    const values = source.children(hashesIn({ children, mask: asked.mask }));
    for (const [at, child] of bits.entries()) yield { entry, child, value: asItem(values[at]) };
  }
}

function asItem(value: Uint8Array | undefined): NodesItem['value'] {
  if (value === undefined) return 'absent';
  return value.length > MAX_ITEM_NODE ? 'large' : value;
}

/** Undefined: it is not there, or no internal node. */
function childrenOf(value: Uint8Array | undefined): readonly Hash[] | undefined {
  if (value === undefined || nodeKind(value) !== 'internal') return undefined;
  const node = decodeNode(value);
  return node.ok && node.value.kind === 'internal' ? node.value.children : undefined;
}
