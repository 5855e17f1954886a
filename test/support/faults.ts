/** Effects that fail by a plan drawn from a seed: disk, directory, signatures and their verification. */
import type { DirectoryHttp } from '../../src/peer/directory-http.ts';
import { type SeededRandom, seededRandom } from '../../src/simulation/seeded-random.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { MurmureError } from '../../src/wire/murmure-error.ts';
import { bodiesOf } from './scenarios.ts';
import { type VirtualPeer, World } from './world.ts';

const MINUTE = 60_000;
/** Of all calls, while faults last. */
const SHARE = 0.1;
const LATE_MS = 5_000;

interface Faults {
  isOn: boolean;
  readonly draw: SeededRandom;
  readonly wait: (ms: number) => Promise<void>;
  count: number;
}

function isHit(faults: Faults): boolean {
  const hits = faults.isOn && faults.draw.fraction() < SHARE;
  if (hits) faults.count += 1;
  return hits;
}

/** Each call may throw. */
function faultyStore(store: Store, faults: Faults): Store {
  return new Proxy(store, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (property !== 'close' && isHit(faults)) throw new Error('disk I/O error');
        return value.apply(target, args);
      };
    },
  });
}

/** Each call may throw, reject, or answer late: as late as its deadline allows. */
function faulty<TArgs extends unknown[], T>(
  call: (...args: TArgs) => Promise<T>,
  faults: Faults,
): (...args: TArgs) => Promise<T> {
  return (...args) => {
    if (!isHit(faults)) return call(...args);
    const kind = faults.draw.fraction();
    const error = new MurmureError('directory-unreachable', 'a fault by plan');
    if (kind < 0.3) throw error;
    if (kind < 0.6) return Promise.reject(error);
    const late = faults.wait(faults.draw.fraction() * LATE_MS);
    return kind < 0.8 ? late.then(() => Promise.reject(error)) : late.then(() => call(...args));
  };
}

function faultyHttp(http: DirectoryHttp, faults: Faults): DirectoryHttp {
  return new Proxy(http, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? faulty(value.bind(target) as never, faults) : value;
    },
  });
}

export interface Outcome {
  readonly faults: number;
  /** What bob said yes to, and what alice has of it when all is well again. */
  readonly acknowledged: readonly string[];
  readonly arrived: readonly string[];
  /** The same the other way round. */
  readonly written: readonly string[];
  readonly read: readonly string[];
  readonly warnings: number;
}

/** Bob's effects fail for two minutes, while both write; then all is well, and what was written has five minutes to arrive. */
export async function runPlan(seed: number): Promise<Outcome> {
  const world = new World(seed, undefined, { signatures: 'seals' });
  await world.startDirectory();
  const wait = (ms: number) => new Promise<void>((resolve) => world.clock.setTimeout(() => resolve(), ms));
  const faults: Faults = { isOn: false, draw: seededRandom(seed).fork('faults'), wait, count: 0 };
  const alice = await world.addPeer('alice', { follow: ['bob'] });
  const host = world.network.addHost(['10.0.7.7']);
  const { sign } = await world.identity('bob');
  const bob = await world.addPeer('bob', {
    host,
    follow: ['alice'],
    store: faultyStore(openSqliteStore(':memory:'), faults),
    environment: { sign: faulty(sign, faults), http: faultyHttp(world.httpFor(host), faults) },
  });
  await world.settle(bob.peer.whenListed());
  await world.settle(alice.peer.whenListed());
  faults.isOn = true;
  const acknowledged = await write(world, bob);
  const written = await write(world, alice);
  faults.isOn = false;
  await world.clock.advance(5 * MINUTE);
  const outcome = {
    faults: faults.count,
    acknowledged,
    arrived: bodiesOf(alice, 'bob'),
    written,
    read: bodiesOf(bob, 'alice'),
    warnings: bob.facts.filter(({ type }) => type === 'peer.warning').length,
  };
  await world.close();
  return outcome;
}

/** For a minute; those that were taken. */
async function write(world: World, { peer }: VirtualPeer): Promise<string[]> {
  const taken: string[] = [];
  for (let i = 0; i < 12; i++) {
    const text = `${i}`;
    try {
      peer.post(text);
      taken.push(text);
    } catch {
      // Whoever wrote it knows that it is not published.
    }
    await world.clock.advance(MINUTE / 12);
  }
  return taken;
}
