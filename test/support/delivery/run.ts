/**
 * Days in the life of twelve peers: they post at random, troubles come and go, and at the end everybody must have everything that they
 * follow. The same options give the same run.
 */
import { type PeerSetup, type VirtualPeer, World } from '../world.ts';
import { cast, followersOf } from './cast.ts';
import { type DeliveryReport, Ledger } from './ledger.ts';
import { type Happening, HOUR, MINUTE, type Stage, type Trouble, troublesUntil } from './troubles.ts';

export interface DeliveryOptions {
  readonly seed: number;
  /** Of virtual time, before the last five quiet minutes. */
  readonly hours: number;
  readonly troubles: readonly Trouble[];
  /** In all. Default 6. */
  readonly postsPerHour?: number;
  /** So many times as often something happens, and so many times as soon it is over: short runs see all troubles by that. Default 1. */
  readonly haste?: number;
}

/** After the last trouble and the last post. */
const QUIET_MS = 5 * MINUTE;

export async function deliver(options: DeliveryOptions): Promise<DeliveryReport> {
  const { seed, hours, troubles, postsPerHour = 6, haste = 1 } = options;
  const weather = { loss: troubles.includes('loss') ? 0.05 : 0, duplication: 0.01, minDelayMs: 10, maxDelayMs: 60 };
  const world = new World(seed, weather, { isLong: true });
  const ledger = new Ledger();
  const peers = await raiseCurtain(world, ledger, troubles.includes('nats'));
  const stage: Stage = { world, ledger, random: world.random.fork('troubles'), peers, away: new Set(), haste };
  const endMs = world.clock.elapsedMs + hours * HOUR;
  const happenings = [...troublesUntil(endMs, stage, cast, troubles), ...posts(endMs, stage, hours * postsPerHour)];
  for (const { atMs, run } of happenings.sort((a, b) => a.atMs - b.atMs)) {
    await world.clock.advance(Math.max(0, atMs - world.clock.elapsedMs));
    await run();
  }
  await world.clock.advance(Math.max(0, endMs - world.clock.elapsedMs) + QUIET_MS);
  const report = ledger.report(seed, world.clock.elapsedMs);
  await world.close();
  return report;
}

async function raiseCurtain(world: World, ledger: Ledger, isBehindNat: boolean): Promise<Map<string, VirtualPeer>> {
  await world.startDirectory();
  const peers = new Map<string, VirtualPeer>();
  for (const { name, follows, host } of cast) {
    const onFact: PeerSetup['onFact'] = (fact) => {
      if (fact.type !== 'messages.received') return;
      for (const hash of fact.hashes) ledger.arrived(hash, name, world.clock.elapsedMs);
    };
    peers.set(
      name,
      await world.addPeer(name, { guarded: true, follow: follows, host: host(world, isBehindNat), onFact }),
    );
  }
  for (const { peer } of peers.values()) await world.settle(peer.whenListed());
  // The first syncs are over, and every follower has had its first look.
  await world.clock.advance(2 * MINUTE);
  return peers;
}

/** At any time, by anybody who can: a peer that is closed or asleep posts nothing. */
function posts(endMs: number, { world, ledger, random, peers, away }: Stage, count: number): Happening[] {
  const draw = random.fork('posts');
  const startMs = world.clock.elapsedMs;
  const names = [...peers.keys()];
  return Array.from({ length: Math.round(count) }, (_, index) => {
    const atMs = startMs + draw.fraction() * (endMs - startMs);
    const name = names[Math.floor(draw.fraction() * names.length)] as string;
    const run = () => {
      if (away.has(name)) return;
      const { hash } = (peers.get(name) as VirtualPeer).peer.post(`post ${index} of ${name}`);
      ledger.posted(hash, name, followersOf(name), world.clock.elapsedMs);
    };
    return { atMs, run };
  });
}
