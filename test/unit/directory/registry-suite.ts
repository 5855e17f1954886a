/** What every registry does, wherever it keeps what it knows. Time is made up here. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Registry, type RegistryOptions, registryLimits } from '../../../src/directory/registry.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const T0 = 1_800_000_000_000;

/** Registries do not look into keys. */
export const KEY = 'alice-key';
export const OTHER_KEY = 'mallory-key';
export const HOME = { ip: '192.0.2.1', port: 4242 };
export const MOBILE = { ip: '192.0.2.2', port: 80 };
export const HOME_IPV6 = { ip: '2001:db8::1', port: 4242 };
export const hostOf = (index: number) => ({ ip: '192.0.2.3', port: index + 1 });

export interface RegistryKind {
  readonly kind: string;
  /** One that is empty. */
  readonly openOne: (options?: RegistryOptions) => Registry | Promise<Registry>;
}

/** As many as there may be. The first three come one after the other, the rest in no certain order: an engine may be several. */
async function registerAll(registry: Registry, name: string, nowMs: number): Promise<void> {
  const register = async (i: number) => expect(await registry.register(`${name}${i}`, KEY, nowMs)).toBe('accepted');
  for (let i = 0; i < 3; i++) await register(i);
  for (let start = 3; start < registryLimits.pendingInAll; start += 1_000) {
    const count = Math.min(1_000, registryLimits.pendingInAll - start);
    await Promise.all(Array.from({ length: count }, (_, i) => register(start + i)));
  }
}

export function describeRegistries(kinds: readonly RegistryKind[]): void {
  describe.each(kinds)('a registry: $kind', ({ openOne }) => {
    async function open(options?: RegistryOptions): Promise<Registry> {
      const registry = await openOne(options);
      onTestFinished(async () => registry.close());
      return registry;
    }

    test('registering alone makes nobody visible', async () => {
      const registry = await open();
      expect(await registry.register('alice', KEY, T0)).toBe('accepted');
      expect(registry.peers(T0)).toEqual([]);
      expect(registry.lookup('alice', T0)).toBeUndefined();
      expect(registry.isListed(HOME, T0)).toBe(false);
    });

    test('a peer is listed once at least one address is proven', async () => {
      const registry = await open();
      await registry.register('alice', KEY, T0);
      await registry.prove('alice', KEY, HOME, T0 + SECOND);
      expect(registry.peers(T0 + SECOND)).toEqual(['alice']);
      expect(registry.lookup('alice', T0 + SECOND)).toStrictEqual({ name: 'alice', addresses: [HOME], key: KEY });
      expect(registry.isListed(HOME, T0 + SECOND)).toBe(true);
      expect(registry.isListed({ ...HOME, port: HOME.port + 1 }, T0 + SECOND)).toBe(false);
      expect(['alice', 'bob'].map((name) => registry.isListed(HOME, T0 + SECOND, name))).toEqual([true, false]);
      expect(registry.lookup('bob', T0 + SECOND)).toBeUndefined();
    });

    test('a key is left out when the peer has none', async () => {
      const registry = await open();
      await registry.register('alice', undefined, T0);
      await registry.prove('alice', undefined, HOME, T0);
      expect(registry.lookup('alice', T0)).toStrictEqual({ name: 'alice', addresses: [HOME] });
    });

    test('addresses are listed for one hour after each proof, address by address', async () => {
      const registry = await open();
      await registry.prove('alice', KEY, HOME, T0);
      await registry.prove('alice', KEY, MOBILE, T0 + 30 * MINUTE);
      const listed = (nowMs: number) => registry.lookup('alice', nowMs)?.addresses;
      expect(listed(T0 + HOUR - 1)).toEqual([MOBILE, HOME]);
      expect(listed(T0 + HOUR)).toEqual([MOBILE]);
      expect([HOME, MOBILE].map((address) => registry.isListed(address, T0 + HOUR))).toEqual([false, true]);
      expect(registry.peers(T0 + 90 * MINUTE - 1)).toEqual(['alice']);
      expect(listed(T0 + 90 * MINUTE)).toBeUndefined();
      expect(registry.peers(T0 + 90 * MINUTE)).toEqual([]);
    });

    test('an address proven again is listed for another hour, and once', async () => {
      const registry = await open();
      await registry.prove('alice', KEY, HOME, T0);
      await registry.prove('alice', KEY, HOME, T0 + 55 * MINUTE);
      expect(registry.lookup('alice', T0 + 115 * MINUTE - 1)?.addresses).toEqual([HOME]);
      expect(registry.lookup('alice', T0 + 115 * MINUTE)).toBeUndefined();
    });

    test('IPv4 addresses come first, and within a family the newest proof does', async () => {
      const registry = await open();
      await registry.prove('alice', KEY, HOME, T0);
      await registry.prove('alice', KEY, MOBILE, T0 + 1);
      await registry.prove('alice', KEY, HOME_IPV6, T0 + 2);
      await registry.prove('alice', KEY, { ...HOME_IPV6, port: 1 }, T0 + 3);
      const listed = () => registry.lookup('alice', T0 + 4)?.addresses;
      expect(listed()).toEqual([MOBILE, HOME, { ...HOME_IPV6, port: 1 }, HOME_IPV6]);
      await registry.prove('alice', KEY, HOME, T0 + 4);
      expect(listed()).toEqual([HOME, MOBILE, { ...HOME_IPV6, port: 1 }, HOME_IPV6]);
    });

    test('a name has eight addresses at most: a ninth takes the place of the one that was proven first', async () => {
      const registry = await open();
      const hosts = Array.from({ length: registryLimits.addressesPerName }, (_, index) => hostOf(index));
      for (const [index, host] of hosts.entries()) await registry.prove('alice', KEY, host, T0 + index);
      await registry.prove('alice', KEY, hostOf(0), T0 + 100);
      await registry.prove('alice', KEY, hostOf(8), T0 + 101);
      expect(registryLimits.addressesPerName).toBe(8);
      expect(registry.lookup('alice', T0 + 101)?.addresses).toEqual([8, 0, 7, 6, 5, 4, 3, 2].map(hostOf));
      expect(registry.isListed(hostOf(1), T0 + 101)).toBe(false);
    });

    test('nine addresses proven in one millisecond: the last one is kept', async () => {
      const registry = await open();
      for (let index = 8; index >= 0; index--) await registry.prove('alice', KEY, hostOf(index), T0);
      expect(registry.lookup('alice', T0)?.addresses).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(hostOf));
    });

    test('a proof tells of the addresses that may be left over only when its address is new', async () => {
      const registry = await open();
      expect(await registry.prove('alice', KEY, HOME, T0)).toEqual({ others: [] });
      expect(await registry.prove('alice', KEY, HOME, T0 + 1)).toEqual({ others: undefined });
      expect(await registry.prove('alice', KEY, MOBILE, T0 + 2)).toEqual({ others: [HOME] });
      expect(await registry.prove('alice', KEY, HOME, T0 + HOUR + 1)).toEqual({ others: [MOBILE] });
    });

    test('an answered probe extends an address’s hour, and its name’s binding, but not its rank', async () => {
      const registry = await open({ bindingDays: 1 });
      await registry.prove('alice', KEY, HOME, T0);
      await registry.prove('alice', KEY, MOBILE, T0 + 1);
      await registry.confirm('alice', HOME, T0 + 50 * MINUTE);
      const listed = (nowMs: number) => registry.lookup('alice', nowMs)?.addresses;
      expect(listed(T0 + 50 * MINUTE)).toEqual([MOBILE, HOME]);
      expect(listed(T0 + 110 * MINUTE - 1)).toEqual([HOME]);
      expect(listed(T0 + 110 * MINUTE)).toBeUndefined();
      expect(registry.candidateKeys('alice', T0 + DAY + 50 * MINUTE - 1)).toEqual([KEY]);
      expect(registry.candidateKeys('alice', T0 + DAY + 50 * MINUTE)).toEqual([]);
    });

    test('an address that was never proven cannot be confirmed', async () => {
      const registry = await open();
      await registry.confirm('alice', HOME, T0);
      expect(registry.lookup('alice', T0)).toBeUndefined();
      expect(registry.peers(T0)).toEqual([]);
    });

    test('an address that is dropped is listed no more, and the name stays bound', async () => {
      const registry = await open();
      await registry.prove('alice', KEY, HOME, T0);
      await registry.prove('alice', KEY, MOBILE, T0 + 1);
      await registry.drop('alice', MOBILE, T0 + 2);
      expect(registry.lookup('alice', T0 + 2)?.addresses).toEqual([HOME]);
      expect(registry.peers(T0 + 2)).toEqual(['alice']);
      await registry.drop('alice', HOME, T0 + 3);
      expect(registry.peers(T0 + 3)).toEqual([]);
      expect(await registry.register('alice', OTHER_KEY, T0 + 3)).toBe('bad-key');
    });

    describe('what changed', () => {
      test('is what another answer than before is given for, each name once', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        const cursor = registry.cursor();
        const changed = () => registry.changesSince(cursor);
        expect(changed()).toEqual([]);
        await registry.register('carol', KEY, T0);
        await registry.confirm('alice', HOME, T0 + 2);
        expect(changed()).toEqual([]);
        await registry.prove('bob', KEY, HOME, T0 + 3);
        await registry.prove('alice', KEY, MOBILE, T0 + 4);
        await registry.prove('alice', KEY, HOME, T0 + 5);
        expect(changed()).toEqual(['bob', 'alice']);
        const later = registry.cursor();
        await registry.drop('alice', MOBILE, T0 + 6);
        await registry.prove('bob', KEY, MOBILE, T0 + 7);
        expect(registry.changesSince(later)).toEqual(['alice', 'bob']);
      });

      test('concerns nobody else if it is asked about some names', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        const cursor = registry.cursor();
        await registry.prove('bob', KEY, HOME, T0 + 1);
        await registry.prove('carol', KEY, HOME, T0 + 2);
        await registry.drop('carol', HOME, T0 + 3);
        expect(registry.changesSince(cursor, ['carol', 'alice', 'nobody', 'carol'])).toEqual(['carol']);
        expect(registry.changesSince(cursor, [])).toEqual([]);
        expect(registry.changesSince('x', ['carol'])).toBeUndefined();
      });

      test('includes who is proven again at the same address: its program may have started anew', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        const cursor = registry.cursor();
        await registry.prove('alice', KEY, HOME, T0 + 1);
        expect(registry.changesSince(cursor)).toEqual(['alice']);
      });

      test('includes who is listed no more once the hour is over', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        const cursor = registry.cursor();
        await registry.expire(T0 + HOUR - 1);
        expect(registry.changesSince(cursor)).toEqual([]);
        await registry.expire(T0 + HOUR);
        expect(registry.changesSince(cursor)).toEqual(['alice']);
      });
    });

    test('peers are listed in byte order, which is not that of UTF-16', async () => {
      const registry = await open();
      const names = ['Zoé', 'alice', 'Alice', '日本', '\u{1f980}', '\uff5e', 'zoe', '__proto__', ' '];
      for (const name of names) await registry.prove(name, undefined, HOME, T0);
      expect(registry.peers(T0)).toEqual([
        ' ',
        'Alice',
        'Zoé',
        '__proto__',
        'alice',
        'zoe',
        '日本',
        '\uff5e',
        '\u{1f980}',
      ]);
    });

    test('peers are the same list, and not read anew, until one comes or goes', async () => {
      const registry = await open();
      await registry.prove('bob', undefined, hostOf(1), T0);
      const first = registry.peers(T0 + 1);
      await registry.prove('bob', undefined, hostOf(2), T0 + 2);
      expect(registry.peers(T0 + 3)).toBe(first);
      await registry.prove('alice', undefined, hostOf(3), T0 + 4);
      expect(registry.peers(T0 + 5)).toEqual(['alice', 'bob']);
      expect(registry.peers(T0 + HOUR + 3)).toEqual(['alice']);
      expect(registry.peers(T0 + 5)).toEqual(['alice', 'bob']);
    });

    test('names that differ in case, composition or trailing spaces are different peers', async () => {
      const registry = await open();
      const names = ['alice', 'Alice', 'alice ', 'Zo\u00e9', 'Zoe\u0301'];
      for (const [index, name] of names.entries()) await registry.prove(name, `key ${index}`, hostOf(index), T0);
      expect(names.map((name) => registry.lookup(name, T0)?.key)).toEqual(names.map((_, index) => `key ${index}`));
    });

    describe('the binding of a name to its key', () => {
      test('a name that is bound to another key: bad key', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        expect(await registry.register('alice', OTHER_KEY, T0)).toBe('bad-key');
        expect(await registry.register('alice', undefined, T0)).toBe('bad-key');
        expect(await registry.register('alice', KEY, T0)).toBe('accepted');
        expect(registry.candidateKeys('alice', T0)).toEqual([KEY]);
      });

      test('is kept longer than addresses: 90 days after the last proof', async () => {
        const registry = await open();
        await registry.prove('alice', KEY, HOME, T0);
        await registry.prove('alice', KEY, HOME, T0 + DAY);
        const endMs = T0 + 91 * DAY;
        await registry.expire(endMs - 1);
        expect(registry.candidateKeys('alice', endMs - 1)).toEqual([KEY]);
        expect(await registry.register('alice', OTHER_KEY, endMs - 1)).toBe('bad-key');
        expect(await registry.register('alice', OTHER_KEY, endMs)).toBe('accepted');
        expect(registry.candidateKeys('alice', endMs)).toEqual([OTHER_KEY]);
      });

      test('ends after as many days as the operator says', async () => {
        const registry = await open({ bindingDays: 2 });
        await registry.prove('alice', KEY, HOME, T0);
        expect(await registry.register('alice', OTHER_KEY, T0 + 2 * DAY - 1)).toBe('bad-key');
        expect(await registry.register('alice', OTHER_KEY, T0 + 2 * DAY)).toBe('accepted');
      });

      test('never ends before the addresses do: who is listed has a key that others can verify', async () => {
        const registry = await open({ bindingDays: 0 });
        await registry.prove('alice', KEY, HOME, T0);
        expect(registry.lookup('alice', T0 + HOUR - 1)).toEqual({ name: 'alice', addresses: [HOME], key: KEY });
        expect(await registry.register('alice', OTHER_KEY, T0 + HOUR - 1)).toBe('bad-key');
        expect(await registry.register('alice', OTHER_KEY, T0 + HOUR)).toBe('accepted');
      });

      test('a name whose binding has ended has no address of its last owner', async () => {
        const registry = await open({ bindingDays: 0 });
        await registry.prove('alice', KEY, HOME, T0);
        await registry.prove('alice', OTHER_KEY, MOBILE, T0 + HOUR);
        expect(registry.lookup('alice', T0 + HOUR)).toEqual({ name: 'alice', addresses: [MOBILE], key: OTHER_KEY });
      });

      test('a proof under another key binds nothing: the first of two owners that prove an address has the name', async () => {
        const registry = await open();
        await registry.register('alice', KEY, T0);
        await registry.register('alice', OTHER_KEY, T0);
        await registry.prove('alice', KEY, HOME, T0);
        expect(await registry.prove('alice', OTHER_KEY, MOBILE, T0 + SECOND)).toBe('bad-key');
        expect(await registry.prove('alice', undefined, MOBILE, T0 + SECOND)).toBe('bad-key');
        expect(registry.lookup('alice', T0 + SECOND)).toEqual({ name: 'alice', addresses: [HOME], key: KEY });
        expect(registry.isListed(MOBILE, T0 + SECOND)).toBe(false);
      });

      test('a proof with a key takes the place of a binding without one, and none of its addresses stays', async () => {
        const registry = await open();
        await registry.prove('alice', undefined, HOME, T0);
        await registry.prove('alice', KEY, MOBILE, T0 + SECOND);
        expect(registry.lookup('alice', T0 + SECOND)).toEqual({ name: 'alice', addresses: [MOBILE], key: KEY });
        expect(registry.isListed(HOME, T0 + SECOND)).toBe(false);
      });

      test('a name that is bound without a key gets one from who registers with one and proves an address', async () => {
        const registry = await open();
        await registry.register('alice', undefined, T0);
        await registry.prove('alice', undefined, HOME, T0);
        expect(await registry.register('alice', KEY, T0)).toBe('accepted');
        expect(registry.candidateKeys('alice', T0)).toEqual([KEY, undefined]);
        await registry.prove('alice', KEY, MOBILE, T0 + SECOND);
        expect(registry.lookup('alice', T0 + SECOND)).toEqual({ name: 'alice', addresses: [MOBILE], key: KEY });
        expect(await registry.register('alice', undefined, T0 + SECOND)).toBe('bad-key');
      });
    });

    describe('a registration that is never proven', () => {
      test('is dropped after two minutes', async () => {
        const registry = await open();
        await registry.register('alice', KEY, T0);
        expect(registry.candidateKeys('alice', T0 + 2 * MINUTE - 1)).toEqual([KEY]);
        expect(registry.candidateKeys('alice', T0 + 2 * MINUTE)).toEqual([]);
      });

      test('lives for another two minutes when it is repeated', async () => {
        const registry = await open();
        await registry.register('alice', KEY, T0);
        await registry.register('alice', KEY, T0 + MINUTE);
        expect(registry.candidateKeys('alice', T0 + 3 * MINUTE - 1)).toEqual([KEY]);
        expect(registry.candidateKeys('alice', T0 + 3 * MINUTE)).toEqual([]);
      });

      test('never blocks the name for its key’s owner', async () => {
        const registry = await open();
        await registry.register('alice', OTHER_KEY, T0);
        expect(await registry.register('alice', KEY, T0)).toBe('accepted');
        expect(registry.candidateKeys('alice', T0)).toEqual([OTHER_KEY, KEY]);
        await registry.prove('alice', KEY, HOME, T0);
        expect(registry.candidateKeys('alice', T0)).toEqual([KEY]);
      });

      test('without a key comes last among the candidates: a signature that verifies says more than none', async () => {
        const registry = await open();
        await registry.register('alice', undefined, T0);
        await registry.register('alice', KEY, T0 + 1);
        expect(registry.candidateKeys('alice', T0 + 1)).toEqual([KEY, undefined]);
      });

      test('is one of four per name at most, the oldest going first', async () => {
        const registry = await open();
        for (const key of ['a', 'b', 'c', 'd', 'e']) await registry.register('alice', key, T0);
        await registry.register('alice', 'b', T0);
        await registry.register('alice', 'f', T0);
        expect(registry.candidateKeys('alice', T0)).toEqual(['d', 'e', 'b', 'f']);
      });

      test('takes the place of one from its own source: nobody pushes out the key of a name’s owner', async () => {
        const registry = await open();
        await registry.register('alice', KEY, T0, 'her address');
        for (let i = 0; i < 100; i++) await registry.register('alice', `mallory-${i}`, T0 + i, 'another address');
        const keys = registry.candidateKeys('alice', T0 + 100);
        expect(keys).toEqual([KEY, 'mallory-97', 'mallory-98', 'mallory-99']);
      });

      test('is one of ten thousand at most, the name that was touched least recently going first', async () => {
        const registry = await open();
        expect(registryLimits.pendingInAll).toBe(10_000);
        await registerAll(registry, 'peer', T0);
        await registry.register('peer0', KEY, T0);
        await registry.register('one more', KEY, T0);
        expect(['peer0', 'peer1', 'peer2', 'one more'].map((name) => registry.candidateKeys(name, T0).length)).toEqual([
          1, 0, 1, 1,
        ]);
      });

      test('makes room for ten thousand others once it has expired', async () => {
        const registry = await open();
        await registerAll(registry, 'early', T0);
        await registry.expire(T0 + 2 * MINUTE);
        await registerAll(registry, 'late', T0 + 2 * MINUTE);
        expect(registry.candidateKeys('late0', T0 + 2 * MINUTE)).toEqual([KEY]);
      });
    });

    test('forgetting what has expired changes no answer', async () => {
      const registry = await open();
      const times = [T0, T0 + 90 * SECOND, T0 + 30 * MINUTE, T0 + HOUR, T0 + 89 * DAY, T0 + 91 * DAY];
      const act = async (nowMs: number, expires: boolean, suffix: string) => {
        if (expires) await registry.expire(nowMs);
        const [alice, bob] = [`alice ${suffix}`, `bob ${suffix}`];
        return [
          [alice, bob].map((name) => [registry.candidateKeys(name, nowMs), registry.lookup(name, nowMs)?.addresses]),
          registry.peers(nowMs).filter((name) => name.endsWith(suffix)).length,
        ];
      };
      for (const suffix of ['kept', 'swept']) {
        await registry.register(`bob ${suffix}`, OTHER_KEY, T0);
        await registry.prove(`alice ${suffix}`, KEY, HOME, T0 - 30 * MINUTE);
        await registry.prove(`alice ${suffix}`, KEY, MOBILE, T0);
      }
      const kept = [];
      const swept = [];
      for (const nowMs of times) kept.push(await act(nowMs, false, 'kept'));
      for (const nowMs of times) swept.push(await act(nowMs, true, 'swept'));
      expect(swept).toEqual(kept);
      expect(kept[0]).toEqual([
        [
          [[KEY], [MOBILE, HOME]],
          [[OTHER_KEY], undefined],
        ],
        1,
      ]);
      expect(kept.at(-1)).toEqual([
        [
          [[], undefined],
          [[], undefined],
        ],
        0,
      ]);
    });
  });
}
