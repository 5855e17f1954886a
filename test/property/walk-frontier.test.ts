/** Protocol §9, §10.1: what a download asks for next, whatever is missing and whatever room there is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bitsIn, countBits } from '../../machines/bulk-answer.ts';
import {
  countIn,
  type Frontier,
  type Group,
  planRequests,
  pushGroups,
  queueGroups,
  type Sizes,
  turned,
  withSizes,
} from '../../machines/walk-frontier.ts';
import { MAX_ENTRIES, MAX_GRANT } from '../../src/wire/bulk.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';

const hashOfNumber = (n: number): Hash => hashOf(Uint8Array.of(n >> 8, n & 255));

/** Groups whose children are all different, by the masks of what is missing of each. */
const groups = fc
  .array(fc.record({ mask: fc.integer({ min: 1, max: 0xffffffff }), isSingle: fc.boolean(), depth: fc.nat(3) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((list) =>
    list.map(
      ({ mask, isSingle, depth }, i): Group => ({
        parent: hashOfNumber(1_000 + i),
        children: Array.from({ length: 32 }, (_, bit) => hashOfNumber(i * 32 + bit)),
        mask,
        depth,
        ...(isSingle ? { isSingle } : {}),
      }),
    ),
  );
const room = fc.integer({ min: 1, max: 128 });
const noSuspicion = { tip: undefined, isOldestFirst: false, sizes: {} };

function hashesOf(wanted: readonly { children: readonly Hash[] | undefined; mask: number }[]): Hash[] {
  return wanted.flatMap(({ children, mask }) => bitsIn(mask).map((bit) => children?.[bit] as Hash));
}

function groupsIn(frontier: Frontier): Group[] {
  const found: Group[] = [];
  for (let rest = frontier; rest !== undefined; rest = rest.rest) found.push(rest.group);
  return found;
}

test('every missing node is asked for once or stays to be asked for, and nothing else is', () => {
  fc.assert(
    fc.property(groups, room, fc.boolean(), fc.boolean(), (missing, free, isBulk, isOldestFirst) => {
      const frontier = pushGroups(undefined, missing);
      const plan = planRequests({ frontier, room: free, window: free, isBulk, ...noSuspicion, isOldestFirst });
      const asked = [...plan.hashes, ...plan.requests.flatMap(({ wanted }) => hashesOf(wanted))];
      const left = hashesOf(groupsIn(plan.frontier));
      expect([...asked, ...left].toSorted()).toEqual(hashesOf(missing).toSorted());
      expect(plan.taken).toBe(asked.length);
      expect(countIn(groupsIn(plan.frontier))).toBe(left.length);
    }),
  );
});

test('no more datagrams are granted than there is room for, and the room is used as long as anything is missing', () => {
  fc.assert(
    fc.property(groups, room, fc.boolean(), fc.boolean(), (missing, free, isBulk, isOldestFirst) => {
      const frontier = pushGroups(undefined, missing);
      const plan = planRequests({ frontier, room: free, window: free, isBulk, ...noSuspicion, isOldestFirst });
      const granted = plan.requests.reduce((sum, { grant }) => sum + grant, plan.hashes.length);
      expect(plan.grants).toBe(granted);
      expect(granted).toBeLessThanOrEqual(free);
      if (plan.frontier !== undefined) expect(granted).toBe(free);
      for (const { wanted, grant } of plan.requests) {
        expect(wanted.length).toBeLessThanOrEqual(MAX_ENTRIES);
        expect(grant).toBeGreaterThanOrEqual(1);
        expect(grant).toBeLessThanOrEqual(MAX_GRANT);
      }
    }),
  );
});

test('without bulk, and where a node is not to be had in bulk, it is asked for by its hash', () => {
  fc.assert(
    fc.property(groups, room, (missing, free) => {
      const frontier = pushGroups(undefined, missing);
      expect(planRequests({ frontier, room: free, window: free, isBulk: false, ...noSuspicion }).requests).toEqual([]);
      const single = hashesOf(missing.filter(({ isSingle }) => isSingle === true));
      const { hashes } = planRequests({ frontier, room: free, window: free, isBulk: true, ...noSuspicion });
      expect(hashes.every((hash) => single.includes(hash))).toBe(true);
    }),
  );
});

test('the newest come first: the last children of the groups that were pushed last', () => {
  const group = (first: number): Group => ({
    parent: hashOfNumber(first),
    children: [0, 1, 2].map((child) => hashOfNumber(first + child)),
    mask: 0b111,
    depth: 1,
  });
  const frontier = pushGroups(undefined, [group(10), group(20)]);
  const plain = planRequests({ frontier, room: 4, window: 4, isBulk: false, ...noSuspicion });
  expect(plain.hashes).toEqual([22, 21, 20, 12].map(hashOfNumber));
  const bulk = planRequests({ frontier, room: 4, window: 16, isBulk: true, ...noSuspicion });
  expect(bulk.requests[0]?.wanted).toMatchObject([
    { parent: hashOfNumber(20), mask: 0b111 },
    { parent: hashOfNumber(10), mask: 0b100 },
  ]);
});

test('a stack that is turned over gives the oldest first, from the first child of each group on', () => {
  const group = (first: number): Group => ({
    parent: hashOfNumber(first),
    children: [0, 1, 2].map((child) => hashOfNumber(first + child)),
    mask: 0b111,
    depth: 1,
  });
  const frontier = turned(pushGroups(undefined, [group(10), group(20)]));
  const given = { frontier, ...noSuspicion, isOldestFirst: true };
  const plain = planRequests({ ...given, room: 4, window: 4, isBulk: false });
  expect(plain.hashes).toEqual([10, 11, 12, 20].map(hashOfNumber));
  const bulk = planRequests({ ...given, room: 4, window: 16, isBulk: true });
  expect(bulk.requests[0]?.wanted).toMatchObject([
    { parent: hashOfNumber(10), mask: 0b111 },
    { parent: hashOfNumber(20), mask: 0b001 },
  ]);
  expect(groupsIn(bulk.frontier)).toMatchObject([{ parent: hashOfNumber(20), mask: 0b110 }]);
});

test('what comes bit by bit is queued from old to new, deeper groups before others, and what was asked for before on top', () => {
  const group = (first: number, depth: number | undefined): Group => {
    return { parent: hashOfNumber(first), children: [hashOfNumber(first + 1)], mask: 1, depth };
  };
  let frontier = pushGroups(undefined, [group(90, 1)]);
  frontier = queueGroups(frontier, [group(10, 2), group(20, 2)]);
  frontier = pushGroups(frontier, [group(5, undefined)]);
  frontier = queueGroups(frontier, [group(30, 2), group(11, 3), group(12, 3)]);
  frontier = queueGroups(frontier, [{ ...group(50, 2), mask: 0 }, group(40, 2)]);
  const order = [5, 11, 12, 10, 20, 30, 40, 90];
  expect(groupsIn(frontier).map(({ parent }) => parent)).toEqual(order.map(hashOfNumber));
});

test('where nodes are small, one datagram is granted for several of them', () => {
  const nodes = (length: number) => [{ value: new Uint8Array(length), depth: 1 }];
  const missing: Group = {
    parent: hashOfNumber(1),
    children: Array.from({ length: 32 }, (_, bit) => hashOfNumber(bit)),
    mask: 0xffffffff,
    depth: 1,
  };
  const granted = (sizes: Sizes) =>
    planRequests({
      frontier: pushGroups(undefined, [missing]),
      room: 64,
      window: 64,
      isBulk: true,
      ...noSuspicion,
      sizes,
    }).grants;
  const small = granted(withSizes({}, nodes(100)));
  const large = granted(withSizes({}, nodes(1_000)));
  expect(large).toBe(32);
  expect(small).toBeLessThan(8);
  expect(small).toBeGreaterThanOrEqual(Math.ceil((32 * 104) / 1_200));
});

test('sizes are averages by depth, the latest ones counting as much as all before; nodes of unknown depth have one of their own', () => {
  const of = (length: number, depth?: number) => ({ value: new Uint8Array(length), depth });
  expect(withSizes({}, [of(100, 1), of(300, 1), of(50, 2), of(7)])).toEqual({ 1: 200, 2: 50, [-1]: 7 });
  expect(withSizes({ 1: 100 }, [of(300, 1)])).toEqual({ 1: 200 });
  const sizes = { 1: 100 };
  expect(withSizes(sizes, [of(7, 64)])).toBe(sizes);
});

test('in a cold start the children on the way to the newest message are asked for together with their parent', () => {
  const children = Array.from({ length: 4 }, (_, bit) => hashOfNumber(bit));
  const top: Group = { parent: hashOfNumber(9), children, mask: 0b1111, depth: 1 };
  const tip = children[3] as Hash;
  const given = { room: 32, window: 32, isBulk: true, isOldestFirst: false, sizes: {} };
  const plan = planRequests({ ...given, frontier: pushGroups(undefined, [top]), tip });
  const [first, second] = plan.requests;
  expect(first?.wanted[0]).toMatchObject({ parent: top.parent, mask: 0b1000 });
  expect(first?.wanted.slice(1).map(({ parent }) => parent)).toEqual(new Array(MAX_ENTRIES - 1).fill(tip));
  expect(first?.wanted[1]?.mask).toBe(2 ** 31);
  expect(plan.suspected).toMatchObject({ parent: tip });
  expect(countBits(plan.suspected?.mask as number)).toBe(MAX_ENTRIES - 1);
  expect(second?.wanted.map(({ mask }) => mask)).toEqual([0b100, 0b010, 0b001]);
  expect(planRequests({ ...given, frontier: pushGroups(undefined, [top]), tip: undefined }).suspected).toBeUndefined();
  const elsewhere = planRequests({ ...given, frontier: pushGroups(undefined, [top]), tip: hashOfNumber(77) });
  expect(elsewhere.suspected).toBeUndefined();
  const narrow = planRequests({ ...given, room: 1, frontier: pushGroups(undefined, [top]), tip });
  expect(narrow.suspected).toBeUndefined();
  expect(narrow.grants).toBe(1);
});
