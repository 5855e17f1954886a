/** What happens to peers and to the directory during a run. Each trouble may be switched on alone; what it does is told to the ledger. */
import type { SeededRandom } from '../../../src/simulation/seeded-random.ts';
import type { VirtualPeer, World } from '../world.ts';
import type { Role } from './cast.ts';
import { DIRECTORY, type Ledger } from './ledger.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const allTroubles = [
  'loss',
  'nats',
  'moves',
  'sleeps',
  'restarts',
  'sets its clock',
  'directory restarts',
  'directory is emptied',
] as const;
export type Trouble = (typeof allTroubles)[number];

export interface Stage {
  readonly world: World;
  readonly ledger: Ledger;
  readonly random: SeededRandom;
  readonly peers: ReadonlyMap<string, VirtualPeer>;
  /** Who cannot post now. */
  readonly away: Set<string>;
  /** So many times as often as in real life something happens, and so many times as soon it is over. */
  readonly haste: number;
}

/** Something that happens at an instant of the world's time. */
export interface Happening {
  readonly atMs: number;
  readonly run: () => void | Promise<void>;
}

/** What is to happen from now until `endMs`: in any order. */
export function troublesUntil(
  endMs: number,
  stage: Stage,
  roles: readonly Role[],
  on: readonly Trouble[],
): Happening[] {
  const happenings: Happening[] = [];
  for (const { name, habit } of roles) {
    const peer = stage.peers.get(name) as VirtualPeer;
    if (habit !== undefined && on.includes(habit)) happenings.push(...habits[habit](endMs, stage, peer));
  }
  const nowMs = stage.world.clock.elapsedMs;
  const restart = (isEmptied: boolean, share: number) =>
    directoryOutage(nowMs + share * (endMs - nowMs), stage, isEmptied);
  if (on.includes('directory restarts')) happenings.push(...restart(false, 0.3));
  if (on.includes('directory is emptied')) happenings.push(...restart(true, 0.6));
  return happenings;
}

type Habit = (endMs: number, stage: Stage, peer: VirtualPeer) => Happening[];

const habits: Record<NonNullable<Role['habit']>, Habit> = {
  moves: (endMs, stage, peer) => {
    let moves = 0;
    return outages(endMs, stage, { everyMs: 2 * HOUR, lastsMs: [SECOND, 10 * SECOND] }, peer, 'moves', {
      begin: () => peer.host.unplug(),
      end: () => {
        moves += 1;
        peer.host.moveTo({ ip: `198.51.100.${100 + (moves % 100)}` });
        peer.host.plugIn();
      },
    });
  },
  sleeps: (endMs, stage, peer) =>
    outages(endMs, stage, { everyMs: 4 * HOUR, lastsMs: [10 * MINUTE, 3 * HOUR] }, peer, 'sleeps', {
      begin: () => peer.host.sleep(),
      end: () => peer.host.wake(),
    }),
  restarts: (endMs, stage, peer) =>
    outages(endMs, stage, { everyMs: 2 * HOUR, lastsMs: [SECOND, 10 * MINUTE] }, peer, 'restarts', {
      begin: () => peer.peer.close(),
      end: () => {
        // The port it had may be taken meanwhile.
        peer.host.firstPort += 1;
        return stage.world.restart(peer);
      },
    }),
  'sets its clock': (endMs, stage, peer) =>
    outages(endMs, stage, { everyMs: 3 * HOUR, lastsMs: [HOUR, 2 * HOUR] }, peer, 'sets its clock', {
      begin: () => {
        peer.host.clock.wallOffsetMs = Math.round((stage.random.fraction() - 0.6) * 16 * HOUR);
      },
      end: () => {
        peer.host.clock.wallOffsetMs = 0;
      },
      isHarmless: true,
    }),
};

interface Timing {
  readonly everyMs: number;
  readonly lastsMs: readonly [number, number];
}

interface Course {
  readonly begin: () => void | Promise<void>;
  readonly end: () => void | Promise<void>;
  /** The peer can be reached all the time: nothing that comes late is excused by it. */
  readonly isHarmless?: boolean;
}

function outages(
  endMs: number,
  { world, ledger, random, away, haste }: Stage,
  { everyMs, lastsMs: [least, most] }: Timing,
  peer: VirtualPeer,
  why: string,
  { begin, end, isHarmless = false }: Course,
): Happening[] {
  const happenings: Happening[] = [];
  const draw = random.fork(`${peer.keyPair.publicKey} ${why}`);
  let fromMs = world.clock.elapsedMs;
  for (;;) {
    fromMs += (everyMs / haste) * (0.5 + draw.fraction());
    const toMs = fromMs + (least + draw.fraction() * (most - least)) / haste;
    if (toMs > endMs) return happenings;
    const outage = { who: peer.peer.name, why, fromMs, toMs };
    happenings.push({
      atMs: fromMs,
      run: () => {
        if (!isHarmless) away.add(outage.who);
        return begin();
      },
    });
    happenings.push({
      atMs: toMs,
      run: async () => {
        await end();
        if (isHarmless) return;
        away.delete(outage.who);
        ledger.outage(outage);
      },
    });
    fromMs = toMs;
  }
}

function directoryOutage(fromMs: number, { world, ledger }: Stage, isEmptied: boolean): Happening[] {
  const toMs = fromMs + 30 * SECOND;
  const why = isEmptied ? 'directory is emptied' : 'directory restarts';
  const stop = () => {
    world.isDirectoryDown = true;
    world.stopDirectory();
  };
  const start = async () => {
    world.isDirectoryDown = false;
    await world.restartDirectory({ isEmptied });
    ledger.outage({ who: DIRECTORY, why, fromMs, toMs });
  };
  return [
    { atMs: fromMs, run: stop },
    { atMs: toMs, run: start },
  ];
}
