/** The phases of a controller, and when one follows the other (draft-ietf-ccwg-bbr §5.3). */
import { bandwidth } from './delivery-rate.ts';
import { awaited } from './outstanding.ts';
import { GAINS, heldBytes, NONE_MEASURED, type PathController, type Phase, TIMER_MS } from './path-state.ts';
import type { RoundTrip } from './round-trip.ts';

const CRUISING_ROUND_TRIPS = 6;
const PLATEAU_ROUNDS = 3;
const PLATEAU_GROWTH = 1.25;
/**
 * At every multiple of it all paths of this machine listen that see a queue: only if all do so at once is it empty. Machines
 * whose clocks are right listen together as well.
 */
const LISTENING_INTERVAL_MS = 5_000;
const LISTENING_MS = 200;
/** Of the shortest round trip: less than jitter makes it. */
const EMPTIER = 0.9;
/** So many round trips tell a queue from jitter (RFC 9406 §4.2), and so much longer than the shortest they are then. */
const TELLING_COUNT = 8;
const QUEUED = 1.5;
const JITTER_MS = 4;

function enter(controller: PathController, phase: Phase, atMs: number): PathController {
  return { ...controller, phase, phaseAtMs: atMs };
}

/** The shortest round trip has not been seen of late, as if there were a queue, and it is the moment at which all paths of this machine listen. */
function isToListen({ roundTrip, listenedAtMs }: PathController, atMs: number): boolean {
  if (Math.floor(atMs / LISTENING_INTERVAL_MS) <= Math.floor(listenedAtMs / LISTENING_INTERVAL_MS)) return false;
  return atMs - roundTrip.shortestAtMs > LISTENING_INTERVAL_MS / 2;
}

/** Somebody else listens, since the round trip is shorter than it ever was: it is the moment to do so as well. */
export function isEmptierThan({ shortestMs = 0 }: RoundTrip, { phase }: PathController, latestMs: number): boolean {
  return phase !== 'starting' && phase !== 'listening' && latestMs < EMPTIER * shortestMs - 1;
}

/** The shortest round trip is measured anew. What it was believed to be sets the window meanwhile. */
export function listening(controller: PathController, atMs: number): PathController {
  return { ...enter(controller, 'listening', atMs), listenedAtMs: atMs, heardMs: undefined };
}

function afterListening(controller: PathController, atMs: number): PathController {
  const { roundTrip, heardMs } = controller;
  const shortestMs = heardMs ?? roundTrip.latestMs;
  return { ...enter(controller, 'cruising', atMs), roundTrip: { ...roundTrip, shortestMs, shortestAtMs: atMs } };
}

/** Goes on to the next phase if it is time. */
export function advanced(controller: PathController, isStarved: boolean, atMs: number): PathController {
  const { phase, phaseAtMs, roundTrip, outstanding, averageBytes } = controller;
  const shortestMs = Math.max(TIMER_MS, roundTrip.shortestMs ?? 0);
  const elapsedMs = atMs - phaseAtMs;
  const inFlight = awaited(outstanding) * averageBytes;
  const held = heldBytes(controller);
  if (phase !== 'starting' && phase !== 'listening' && isToListen(controller, atMs)) return listening(controller, atMs);
  switch (phase) {
    case 'starting':
      return afterRound(controller, isStarved, atMs);
    case 'draining':
      return inFlight <= held || elapsedMs > 4 * shortestMs ? enter(controller, 'cruising', atMs) : controller;
    case 'cruising':
      return elapsedMs > CRUISING_ROUND_TRIPS * shortestMs ? enter(controller, 'probing', atMs) : controller;
    case 'probing':
      return elapsedMs > shortestMs && (inFlight >= GAINS.probing.pace * held || elapsedMs > 2 * shortestMs)
        ? enter(controller, 'yielding', atMs)
        : controller;
    case 'yielding':
      return inFlight <= held || elapsedMs > shortestMs ? enter(controller, 'cruising', atMs) : controller;
    case 'listening':
      return elapsedMs > LISTENING_MS + 2 * shortestMs ? afterListening(controller, atMs) : controller;
  }
}

/** The path is full once the rate has not grown by a quarter for three rounds, or a queue has grown. */
function afterRound(controller: PathController, isStarved: boolean, atMs: number): PathController {
  const { plateau, rate, inRound, roundTrip } = controller;
  if (rate.round === plateau.round) return controller;
  const { round } = rate;
  const isQueued =
    inRound.count >= TELLING_COUNT && inRound.shortestMs > QUEUED * (roundTrip.shortestMs ?? 0) + JITTER_MS;
  if (isQueued) return enter(controller, 'draining', atMs);
  const next = { ...controller, inRound: NONE_MEASURED };
  if (isStarved) return { ...next, plateau: { ...plateau, round } };
  const best = bandwidth(rate);
  if (best >= PLATEAU_GROWTH * plateau.rate) return { ...next, plateau: { rate: best, rounds: 0, round } };
  const rounds = plateau.rounds + 1;
  const counted = { ...next, plateau: { ...plateau, rounds, round } };
  return rounds < PLATEAU_ROUNDS ? counted : enter(counted, 'draining', atMs);
}
