/**
 * Effects that fail by a plan drawn from a seed: disk, directory, signatures and their verification throw, reject, and answer late; whatever
 * else answers its actor does so never, twice, or after others.
 */
import type { DirectoryHttp } from '../../src/peer/directory-http.ts';
import { type Call, Gate } from '../../src/runtime/gate.ts';
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

type Effect = (call: Call, params: unknown) => unknown;

/** Effects whose answers are owed to somebody who has no other way to go on: the system is trusted to give them, once. */
const OWED = new Set(['openSocket', 'sign']);
const SHARE_OF_ANSWERS = 0.05;

/** The gates that are made while `work` runs: what effects answer through them may get lost, come twice, or later than the next. */
function withFaultyAnswers<T>(faults: Faults, work: () => Promise<T>): Promise<T> {
  const { effects: original } = Gate.prototype;
  Gate.prototype.effects = function (this: Gate, effects) {
    const faulty = Object.entries(effects).map(([name, effect]) => [
      name,
      faultyAnswers(name, effect as Effect, faults),
    ]);
    return original.call(this, Object.fromEntries(faulty)) as never;
  };
  return work().finally(() => {
    Gate.prototype.effects = original;
  });
}

function faultyAnswers(name: string, effect: Effect, faults: Faults): Effect {
  if (OWED.has(name)) return effect;
  return ({ self, enter }, params) => {
    // The store answers a walk within the call, or throws.
    if (self.id.startsWith('merkle-walk.')) return effect({ self, enter }, params);
    const faultyEnter: Call['enter'] = (to, event) => {
      if (!faults.isOn || faults.draw.fraction() >= SHARE_OF_ANSWERS) return enter(to, event);
      faults.count += 1;
      const kind = faults.draw.fraction();
      // What is to be sent, and the nodes that an answer is made of, may get lost, and no more: the store answers within the call.
      if (event.type === 'datagrams.send' || event.type === 'nodes.read') return;
      if (kind < 0.33) return;
      if (kind > 0.66) enter(to, event);
      void faults.wait(faults.draw.fraction() * LATE_MS).then(() => enter(to, event));
    };
    return effect({ self, enter: faultyEnter }, params);
  };
}

/** Its methods are async: what they throw, they reject with. One that threw would leave a question beside it without anybody to catch its failure. */
function faultyHttp(http: DirectoryHttp, faults: Faults): DirectoryHttp {
  return new Proxy(http, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      const call = faulty(value.bind(target) as (...args: unknown[]) => Promise<unknown>, faults);
      return async (...args: unknown[]) => call(...args);
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
  const bob = await withFaultyAnswers(faults, () =>
    world.addPeer('bob', {
      host,
      follow: ['alice'],
      store: faultyStore(openSqliteStore(':memory:'), faults),
      environment: { sign: faulty(sign, faults), http: faultyHttp(world.httpFor(host), faults) },
    }),
  );
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
