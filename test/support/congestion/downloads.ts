/**
 * Downloads over one link, in virtual time and without actors: what the controller at the requester makes of a rate, a queue, a
 * delay and loss. A requester asks by GetNodes, a responder answers with as many datagrams as were granted, with the gap that was asked for
 * (protocol §10.1), and never runs out of them.
 */
import { gapUs, nextSendAtMs, room, window } from '../../../machines/path-allowance.ts';
import {
  arrived,
  closed,
  opened,
  overdue,
  overdueAtMs,
  repeated,
  timedOut,
} from '../../../machines/path-controller.ts';
import { openController, type PathController } from '../../../machines/path-state.ts';
import { requestSize } from '../../../machines/walk-frontier.ts';
import { LINK_HEADER_BYTES, Link } from '../../../src/simulation/link.ts';
import { type SeededRandom, seededRandom } from '../../../src/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';

export interface Route {
  readonly bitsPerSecond: number;
  /** There and back, without any queue. */
  readonly roundTripMs: number;
  /** Of requests and of answers, each; answers are lost before they reach the link. */
  readonly loss: number;
  /** Bytes. Default: what the link delivers in a round trip, 16 datagrams at least. */
  readonly queueBytes?: number;
}

/** A full datagram (protocol §10.1). */
const DATAGRAM_BYTES = 1_232;
/** The system's clock as events have it, and its timers. */
const TICK_MS = 1;
/** libuv's timers are up to so late. */
const LATENESS_MS = 1;
const BACK_TO_BACK = 16;
const MOST_QUEUED = 255;

export interface Sample {
  readonly atMs: number;
  /** How long a datagram waits that comes to the queue now. */
  readonly queuedMs: number;
}

export class SharedLink {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly route: Route;
  readonly samples: Sample[] = [];
  readonly #link: Link;

  constructor(route: Route, seed: number) {
    this.route = route;
    this.random = seededRandom(seed);
    const bytesPerSecond = route.bitsPerSecond / 8;
    const least = 16 * (DATAGRAM_BYTES + LINK_HEADER_BYTES);
    const queueBytes = route.queueBytes ?? Math.max(least, (bytesPerSecond * route.roundTripMs) / 1_000);
    this.#link = new Link(this.clock, { bytesPerSecond, queueBytes });
  }

  get dropped(): number {
    return this.#link.dropped;
  }

  /** Calls back once a datagram is through; never, if it is lost. */
  carry(payloadBytes: number, deliver: () => void): void {
    if (this.random.fraction() < this.route.loss) return;
    const throughMs = this.#link.enqueue(payloadBytes);
    if (throughMs === undefined) return;
    const ownMs = ((payloadBytes + LINK_HEADER_BYTES) * 8_000) / this.route.bitsPerSecond;
    this.samples.push({ atMs: this.clock.elapsedMs, queuedMs: throughMs - ownMs });
    this.clock.after(throughMs + this.route.roundTripMs / 2, deliver);
  }

  /** The other direction, which is never full. */
  carryBack(deliver: () => void): void {
    if (this.random.fraction() >= this.route.loss) this.clock.after(this.route.roundTripMs / 2, deliver);
  }
}

interface Request {
  readonly id: number;
  readonly grant: number;
  readonly gapMs: number;
  timeoutMs: number;
  isTimed: boolean;
}

/** Sends what was granted, one address after the other's order, in bursts as timers allow them. */
class Responder {
  readonly #link: SharedLink;
  readonly #queue: { readonly gapMs: number; readonly deliver: () => void }[] = [];
  #dueAtMs = 0;
  #isTimed = false;

  constructor(link: SharedLink) {
    this.#link = link;
  }

  answer({ grant, gapMs }: Request, deliver: (sequence: number) => void): void {
    const { clock } = this.#link;
    if (this.#queue.length === 0) this.#dueAtMs = Math.max(this.#dueAtMs, clock.elapsedMs);
    const served = Math.min(grant, MOST_QUEUED - this.#queue.length);
    for (let sequence = 0; sequence < served; sequence++) {
      this.#queue.push({ gapMs, deliver: () => deliver(sequence) });
    }
    this.#send();
  }

  #send(): void {
    const { clock } = this.#link;
    for (let sent = 0; sent < BACK_TO_BACK && this.#dueAtMs <= clock.elapsedMs; sent++) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#link.carry(DATAGRAM_BYTES, next.deliver);
      this.#dueAtMs = Math.max(this.#dueAtMs, clock.elapsedMs - 4) + next.gapMs;
    }
    if (this.#queue.length === 0 || this.#isTimed) return;
    this.#isTimed = true;
    clock.setTimeout(
      () => {
        this.#isTimed = false;
        this.#send();
      },
      Math.max(1, this.#dueAtMs - clock.elapsedMs),
    );
  }
}

/** How many datagrams a request asks for, as in a walk. 0: none may be sent now. */
function grantAt(controller: PathController, atMs: number): number {
  return atMs < controller.pacedUntilMs ? 0 : Math.min(requestSize(window(controller)), room(controller));
}

export class Download {
  controller: PathController;
  /** Bytes on the link, headers included, and when they came. */
  readonly deliveries: { readonly atMs: number; readonly bytes: number }[] = [];
  repeats = 0;
  requests = 0;
  readonly #link: SharedLink;
  readonly #responder: Responder;
  readonly #requests = new Map<number, Request>();
  #lastId = 0;
  #wake: unknown;

  constructor(link: SharedLink, largestWindow = 3_640) {
    this.#link = link;
    this.#responder = new Responder(link);
    this.controller = openController({
      firstWindow: 10,
      initialWindow: 10,
      largestWindow,
      expectedBytes: DATAGRAM_BYTES,
    });
  }

  start(): void {
    this.#pump();
  }

  get #nowMs(): number {
    return Math.floor(this.#link.clock.elapsedMs / TICK_MS) * TICK_MS;
  }

  #pump(): void {
    const { clock } = this.#link;
    const nowMs = this.#nowMs;
    for (const { id, arrived: count } of overdue(this.controller, nowMs)) {
      if (count === 0) this.#repeat(id);
      else this.controller = closed(this.controller, id);
    }
    for (let grant = grantAt(this.controller, nowMs); grant > 0; grant = grantAt(this.controller, nowMs)) {
      this.#request(grant);
    }
    const dueMs = [nextSendAtMs(this.controller), overdueAtMs(this.controller)].filter(
      (atMs) => atMs !== undefined && atMs > nowMs,
    ) as number[];
    clock.clearTimeout(this.#wake);
    if (dueMs.length === 0) return;
    const lateMs = this.#link.random.fraction() * LATENESS_MS;
    this.#wake = clock.after(Math.max(1, Math.min(...dueMs) - clock.elapsedMs) + lateMs, () => this.#pump());
  }

  #request(grant: number): void {
    this.requests += 1;
    const id = ++this.#lastId;
    const request: Request = {
      id,
      grant,
      gapMs: gapUs(this.controller) / 1_000,
      timeoutMs: this.controller.roundTrip.timeoutMs,
      isTimed: false,
    };
    this.#requests.set(id, request);
    this.controller = opened(this.controller, { id, grant, atMs: this.#nowMs });
    this.#send(request);
    this.#awaitTimeout(request);
  }

  #repeat(id: number): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.repeats += 1;
    this.controller = repeated(this.controller, id, this.#nowMs);
    this.#send(request);
  }

  /** Repeated with twice the time to wait, or ended if a part of the answer is there. */
  #awaitTimeout(request: Request): void {
    this.#link.clock.setTimeout(() => {
      const open = this.controller.outstanding.find(({ id }) => id === request.id);
      if (open === undefined) return;
      const sinceMs = open.arrivedAtMs ?? open.sentAtMs;
      if (this.#nowMs - sinceMs >= request.timeoutMs) {
        this.controller = timedOut(this.controller, request.id, this.#nowMs);
        if (open.arrived > 0) this.controller = closed(this.controller, request.id);
        else {
          request.timeoutMs *= 2;
          this.#send(request);
        }
        this.#pump();
      }
      this.#awaitTimeout(request);
    }, request.timeoutMs);
  }

  #send(request: Request): void {
    this.#link.carryBack(() =>
      this.#responder.answer(request, (sequence) => {
        const isLast = sequence === request.grant - 1;
        const { id } = request;
        this.deliveries.push({ atMs: this.#link.clock.elapsedMs, bytes: DATAGRAM_BYTES + LINK_HEADER_BYTES });
        this.controller = arrived(this.controller, {
          id,
          sequence,
          isLast,
          bytes: DATAGRAM_BYTES,
          atMs: this.#nowMs,
        });
        this.#pump();
      }),
    );
  }
}

/** The share of what the link could carry between these two times. */
export function use(link: SharedLink, downloads: readonly Download[], fromMs: number, toMs: number): number {
  const bytes = downloads.reduce((sum, download) => sum + bytesBetween(download, fromMs, toMs), 0);
  return (bytes * 8_000) / (link.route.bitsPerSecond * (toMs - fromMs));
}

export function bytesBetween({ deliveries }: Download, fromMs: number, toMs: number): number {
  return deliveries.reduce((sum, { atMs, bytes }) => (atMs >= fromMs && atMs < toMs ? sum + bytes : sum), 0);
}

/** How long datagrams waited that came to the queue since then: the share `part` of them waited no longer. */
export function queueing({ samples }: SharedLink, part: number, fromMs: number): number {
  const sorted = samples
    .filter(({ atMs }) => atMs >= fromMs)
    .map(({ queuedMs }) => queuedMs)
    .sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

/** Without any queue: there, and back behind the time that a datagram itself takes on the link. */
export function roundTripMs({ route }: SharedLink): number {
  return route.roundTripMs + ((DATAGRAM_BYTES + LINK_HEADER_BYTES) * 8_000) / route.bitsPerSecond;
}
