/** What a controller allows now: how much may be under way, and how soon more may be asked for. */
import { bandwidth } from './delivery-rate.ts';
import { awaited } from './outstanding.ts';
import { GAINS, heldBytes, type PathController, TIMER_MS } from './path-state.ts';
import { limits } from './timing.ts';

/** RFC 9002 §7.2 and protocol §6. */
const SMALLEST_WINDOW = 2;
const QUEUE_ROOT = 1.25;
/** What a late timer has kept from being asked for is made up for, up to so long. */
const MOST_CREDIT_MS = 5;
const LARGEST_GAP_US = 0xffff;
/** About so many requests share a window, so that one that is lost costs a part of a round trip. */
const REQUESTS_PER_WINDOW = 8;

/**
 * On a path without a measurable round trip, this machine itself or the next one, what takes time is work at both ends, which comes in
 * bursts: so much keeps both busy while one of them is at the disk, and no timer is exact enough to pace it. It is no more than what a
 * responder takes on for one address.
 */
const NEAR_WINDOW = 240;

/** Between two busy programs of one machine, every round trip may take longer than that. */
function isNear({ isLocal, roundTrip, rate }: PathController): boolean {
  return rate.delivered > 0 && (isLocal || (roundTrip.shortestMs ?? Number.POSITIVE_INFINITY) <= TIMER_MS);
}

/** How many datagrams may be in flight to us. */
export function window(controller: PathController): number {
  const { phase, largestWindow, isLocal, isSilent, averageBytes, lossShare } = controller;
  if (isSilent) return SMALLEST_WINDOW;
  const held = heldBytes(controller) / averageBytes;
  const gains = GAINS[phase];
  // Granted, but not on the way: what was lost and is not noticed yet, and half of what the latest request may draw.
  const idle = (9 / 8) * lossShare + 1 / (2 * REQUESTS_PER_WINDOW);
  const sized = gains.window * held * (1 + idle) + gains.queue * QUEUE_ROOT * Math.sqrt(held);
  const wanted = phase === 'starting' ? Math.max(startingWindow(controller), sized) : sized;
  // Whether a path is still near can only be measured while little is in flight; what does not leave this machine is.
  const isListening = phase === 'listening' && !isLocal;
  const smallest = isListening ? 1 : isNear(controller) ? NEAR_WINDOW : SMALLEST_WINDOW;
  return Math.min(largestWindow, Math.max(smallest, Math.floor(wanted)));
}

/** Whoever needs a second for an answer does one thing at a time, and is not to be flooded. */
const SLOW_MS = 1_000;

function startingWindow({ firstWindow, initialWindow, rate, roundTrip }: PathController): number {
  const isSlow = (roundTrip.smoothedMs ?? 0) >= SLOW_MS;
  return rate.delivered === 0 || isSlow ? firstWindow : initialWindow;
}

/** How many more may be granted at once, for the window only. */
export function room(controller: PathController): number {
  return Math.max(0, window(controller) - awaited(controller.outstanding));
}

/**
 * How many datagrams more may be granted now without asking whoever serves for more than it takes on for one address: what is over that
 * it does not answer (protocol §10.1), and it would be asked again only after a timeout.
 */
export function takenOn(controller: PathController, atMs: number): number {
  const waiting = Math.max(0, (controller.servedUntilMs - atMs) / servingMs(controller));
  return Math.max(0, NEAR_WINDOW - Math.ceil(Math.min(waiting, awaited(controller.outstanding))));
}

/** After each burst whoever serves waits for a timer, if it was told to keep any pace at all. */
const SERVING_MS = 1 / limits.burst;

/** So much is asked for in bulk: it is sent after what was asked for before. */
export function queued(controller: PathController, grant: number, atMs: number): PathController {
  return { ...controller, servedUntilMs: Math.max(controller.servedUntilMs, atMs) + grant * servingMs(controller) };
}

/** What one datagram takes there at most. */
export function servingMs(controller: PathController): number {
  return Math.max(SERVING_MS, datagramMs(controller));
}

/** How many requests for one datagram each may be sent now. What is less than a timer's exactness apart may go together. */
export function requestsAt(controller: PathController, atMs: number): number {
  const gapMs = datagramMs(controller);
  const sinceMs = Math.max(controller.pacedUntilMs, atMs - MOST_CREDIT_MS);
  const inPace = gapMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil((atMs + TIMER_MS / 2 - sinceMs) / gapMs);
  return Math.max(0, Math.min(room(controller), inPace));
}

/** When the pace allows the next request. */
export function nextSendAtMs({ pacedUntilMs }: PathController): number {
  return pacedUntilMs;
}

/** Microseconds between the datagrams of an answer (protocol §10.1). */
export function gapUs(controller: PathController): number {
  return Math.min(LARGEST_GAP_US, Math.round(datagramMs(controller) * 1_000));
}

/** At the pace of the path one datagram takes so long; 0: as fast as may be. */
export function datagramMs(controller: PathController): number {
  const { averageBytes, phase, rate, roundTrip } = controller;
  const { shortestMs } = roundTrip;
  if (shortestMs === undefined || isNear(controller)) return 0;
  const measured = bandwidth(rate);
  // To begin with, little was asked for: that it came tells nothing.
  const atLeast = (startingWindow(controller) * averageBytes) / Math.max(TIMER_MS, shortestMs);
  const bytesPerMs = phase === 'starting' ? Math.max(measured, atLeast) : measured;
  return averageBytes / (GAINS[phase].pace * bytesPerMs);
}

/** So much has been asked for: the next request waits for its time. */
export function paced(controller: PathController, grant: number, atMs: number): PathController {
  const sinceMs = Math.max(controller.pacedUntilMs, atMs - MOST_CREDIT_MS);
  return { ...controller, pacedUntilMs: sinceMs + grant * datagramMs(controller) };
}
