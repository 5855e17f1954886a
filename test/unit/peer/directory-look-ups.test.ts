/** Many look-ups, few requests: on a virtual clock, against a directory that counts what it is asked. */
import { beforeEach, describe, expect, test } from 'vitest';
import { DirectoryLookUps, type LookUpRoutes } from '../../../src/peer/directory-look-ups.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';

type Request = { readonly kind: 'several' | 'one' | 'names'; readonly names: readonly string[] };

let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
});

const numbered = (count: number, prefix = 'peer') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const peerOf = (name: string) => ({ name, addresses: [{ ip: '192.0.2.1', port: 1 }] });
const unreachable = () => new MurmureError('directory-unreachable', 'the directory is down');

interface Directory {
  readonly listed?: ReadonlySet<string>;
  /** Whether it answers for several names. */
  takes?(names: readonly string[]): boolean;
  fails?(): boolean;
}

/** Look-ups at a directory that takes 100 ms for each answer. */
function lookUpsAt({ listed = new Set(), takes = () => true, fails = () => false }: Directory) {
  const asked: Request[] = [];
  const aborted: Request[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  const answer = async <T>(request: Request, signal: AbortSignal, give: () => T): Promise<T> => {
    asked.push(request);
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    signal.addEventListener('abort', () => aborted.push(request));
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
    underWay -= 1;
    if (fails()) throw unreachable();
    return give();
  };
  const found = (name: string) => (listed.has(name) ? peerOf(name) : undefined);
  const routes: LookUpRoutes = {
    several: (names, signal) =>
      answer({ kind: 'several', names }, signal, () =>
        takes(names) ? new Map(names.map((name) => [name, found(name)])) : undefined,
      ),
    one: (name, signal) => answer({ kind: 'one', names: [name] }, signal, () => found(name)),
    names: (signal) => answer({ kind: 'names', names: [] }, signal, () => [...listed]),
  };
  const lookUps = new DirectoryLookUps(routes, clock);
  const kinds = () => asked.map(({ kind }) => kind);
  return { lookUps, asked, aborted, kinds, mostAtOnce: () => mostAtOnce };
}

/** What all of them settle with, once they have. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<(T | MurmureError)[]> {
  let done = false;
  const all = Promise.all(promises.map((promise) => promise.catch((error: MurmureError) => error)));
  void all.then(() => {
    done = true;
  });
  await clock.runUntil(() => done);
  return all;
}

describe('a directory that answers for several names', () => {
  test('a thousand look-ups of one turn are ten requests', async () => {
    const names = numbered(1_000);
    const { lookUps, asked, mostAtOnce } = lookUpsAt({ listed: new Set(['peer7', 'peer999']) });
    const found = await settled(names.map((name) => lookUps.peer(name)));
    expect(found).toEqual(names.map((name) => (/^peer(7|999)$/.test(name) ? peerOf(name) : undefined)));
    expect(asked.map(({ names }) => names.length)).toEqual(Array(10).fill(100));
    expect(asked.flatMap(({ names }) => names)).toEqual(names);
    expect(mostAtOnce()).toBe(4);
  });

  test('one name goes alone, over the route that every directory has', async () => {
    const { lookUps, asked } = lookUpsAt({ listed: new Set(['alice']) });
    expect(await settled([lookUps.peer('alice'), lookUps.peer('alice')])).toEqual([peerOf('alice'), peerOf('alice')]);
    expect(asked).toEqual([{ kind: 'one', names: ['alice'] }]);
  });

  test('what is asked while requests are under way goes together', async () => {
    const { lookUps, asked } = lookUpsAt({});
    const first = lookUps.peer('first');
    await clock.advance(10);
    const later: Promise<unknown>[] = [];
    for (const name of numbered(50)) {
      later.push(lookUps.peer(name));
      await clock.advance(1);
    }
    await settled([first, ...later]);
    expect(asked.map(({ names }) => names.length)).toEqual([1, 50]);
  });

  test('long names fit in the URL that servers take', async () => {
    const names = numbered(100, 'é'.repeat(120));
    const { lookUps, asked } = lookUpsAt({});
    await settled(names.map((name) => lookUps.peer(name)));
    expect(asked.flatMap(({ names }) => names)).toEqual(names);
    for (const { names } of asked) expect(encodeURIComponent(names.join('')).length).toBeLessThan(8_000);
  });

  test('dislikes one name: that and its neighbours are asked about one by one, the others still together', async () => {
    const { lookUps, kinds } = lookUpsAt({ takes: (names) => !names.includes('odd'), listed: new Set(['odd', 'a']) });
    await settled(numbered(20).map((name) => lookUps.peer(name)));
    expect(await settled(['odd', 'a', 'b'].map((name) => lookUps.peer(name)))).toEqual([
      peerOf('odd'),
      peerOf('a'),
      undefined,
    ]);
    await settled(numbered(20).map((name) => lookUps.peer(name)));
    expect(kinds()).toEqual(['several', 'several', 'one', 'one', 'one', 'several']);
  });
});

describe('a directory that answers for one name only', () => {
  test('is asked once whether it can do more, then for its list, then for what is on it', async () => {
    const listed = new Set(['peer3', 'peer500', 'stranger']);
    const { lookUps, kinds } = lookUpsAt({ listed, takes: () => false });
    const names = numbered(1_000);
    expect(await settled(names.map((name) => lookUps.peer(name)))).toEqual(
      names.map((name) => (listed.has(name) ? peerOf(name) : undefined)),
    );
    expect(kinds()).toEqual(['several', 'names', 'one', 'one']);
    await settled(numbered(1_000).map((name) => lookUps.peer(name)));
    expect(kinds().slice(4)).toEqual(['names', 'one', 'one']);
  });

  test('a few names are asked about without the list', async () => {
    const { lookUps, kinds } = lookUpsAt({ listed: new Set(['a', 'b']), takes: () => false });
    await settled(['a', 'b', 'c'].map((name) => lookUps.peer(name)));
    expect(kinds()).toEqual(['several', 'one', 'one', 'one']);
  });

  test('of 600 listed names, no more than 4 are asked about at once, and 20 a second in the long run', async () => {
    const names = numbered(600);
    const { lookUps, mostAtOnce } = lookUpsAt({ listed: new Set(names), takes: () => false });
    const found = await settled(names.map((name) => lookUps.peer(name, { isSingle: true })));
    expect(found).toEqual(names.map(peerOf));
    expect(mostAtOnce()).toBe(4);
    // A burst of 100, then 500 at 20 a second.
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(25_000 - 1_000);
    expect(clock.elapsedMs).toBeLessThan(30_000);
  });

  test('a name that is asked for again meanwhile joins the look-up that is under way', async () => {
    const { lookUps, kinds } = lookUpsAt({ listed: new Set(['a', 'b']), takes: () => false });
    const early = ['a', 'b'].map((name) => lookUps.peer(name));
    await clock.advance(50);
    const late = ['a', 'b'].map((name) => lookUps.peer(name));
    expect(await settled([...early, ...late])).toEqual(['a', 'b', 'a', 'b'].map(peerOf));
    expect(kinds()).toEqual(['several', 'one', 'one']);
  });
});

describe('failure', () => {
  test.each([true, false])(
    'takes several names: %s; all that wait are told at once, and the next call asks again',
    async (takes) => {
      let isDown = true;
      const { lookUps, kinds } = lookUpsAt({ takes: () => takes, fails: () => isDown });
      const failed = await settled(numbered(1_000).map((name) => lookUps.peer(name)));
      expect(new Set(failed.map((error) => (error as MurmureError).code))).toEqual(new Set(['directory-unreachable']));
      expect(kinds()).toHaveLength(1);
      isDown = false;
      expect(await settled([lookUps.peer('peer1')])).toEqual([undefined]);
    },
  );

  test('what is wrong with one peer is told only to those who asked for it', async () => {
    const wrong = new MurmureError('invalid-data', 'a key that is none');
    const routes: LookUpRoutes = {
      several: async () => new Map([['a', wrong]] as const),
      one: async () => undefined,
      names: async () => [],
    };
    const lookUps = new DirectoryLookUps(routes, clock);
    expect(await settled([lookUps.peer('a'), lookUps.peer('b')])).toEqual([wrong, undefined]);
  });

  test('even what nobody expects to be thrown settles every call', async () => {
    const broken = async () => {
      throw new TypeError('oops');
    };
    const lookUps = new DirectoryLookUps({ several: broken, one: broken, names: broken }, clock);
    expect(await settled([lookUps.peer('a'), lookUps.peer('b')])).toEqual([
      new TypeError('oops'),
      new TypeError('oops'),
    ]);
  });
});

describe('giving up', () => {
  const reason = new MurmureError('interrupted', 'enough');

  test('before the request: it is not made', async () => {
    const { lookUps, asked } = lookUpsAt({});
    const controller = new AbortController();
    const { signal } = controller;
    const calls = ['a', 'b'].map((name) => lookUps.peer(name, { signal }));
    controller.abort(reason);
    expect(await settled([...calls, lookUps.peer('c', { signal })])).toEqual([reason, reason, reason]);
    expect(await settled([lookUps.peer('d')])).toEqual([undefined]);
    expect(asked).toEqual([{ kind: 'one', names: ['d'] }]);
  });

  test('during the request: it goes on as long as somebody waits for it', async () => {
    const { lookUps, aborted } = lookUpsAt({});
    const [one, other] = [new AbortController(), new AbortController()];
    const calls = [lookUps.peer('a', { signal: one.signal }), lookUps.peer('b', { signal: other.signal })];
    const outcome = Promise.allSettled(calls);
    await clock.advance(10);
    one.abort(reason);
    await clock.advance(1);
    expect(aborted).toEqual([]);
    other.abort(reason);
    expect(aborted).toEqual([{ kind: 'several', names: ['a', 'b'] }]);
    expect((await outcome).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('a name that was given up is asked about anew', async () => {
    const { lookUps, asked } = lookUpsAt({ listed: new Set(['a']) });
    const controller = new AbortController();
    const first = lookUps.peer('a', { signal: controller.signal });
    await clock.advance(10);
    controller.abort(reason);
    expect(await settled([first, lookUps.peer('a')])).toEqual([reason, peerOf('a')]);
    expect(asked).toHaveLength(2);
  });
});
