import { describe, expect, test } from 'vitest';
import { type Frontier, pop, pushAll } from '../../../src/merkle/frontier.ts';

function drain(frontier: Frontier): [string, number][] {
  const popped: [string, number][] = [];
  for (let top = pop(frontier); top; top = pop(top.rest)) popped.push([top.hash, top.depth]);
  return popped;
}

describe('the frontier of a download', () => {
  test('is empty at first, and has nothing to pop', () => {
    expect(pop(undefined)).toBeUndefined();
    expect(pushAll(undefined, [], 0)).toBeUndefined();
  });

  test('gives the children of a node left to right, and before what was already waiting', () => {
    const top = pop(pushAll(undefined, ['a', 'b'], 1));
    expect(top).toMatchObject({ hash: 'a', depth: 1 });
    expect(drain(pushAll(top?.rest, ['a1', 'a2'], 2))).toEqual([
      ['a1', 2],
      ['a2', 2],
      ['b', 1],
    ]);
  });

  test('is never changed: two continuations of one frontier do not see each other', () => {
    const base = pushAll(undefined, ['x'], 0);
    const one = pushAll(base, ['one'], 1);
    const other = pushAll(base, ['other'], 1);
    expect(drain(base)).toEqual([['x', 0]]);
    expect(one?.rest).toBe(base);
    expect(drain(other).map(([hash]) => hash)).toEqual(['other', 'x']);
  });

  test('can be 200,000 deep', () => {
    let frontier: Frontier;
    for (let depth = 0; depth < 200_000; depth += 1) frontier = pushAll(frontier, ['deep', 'leaf'], depth);
    expect(drain(frontier)).toHaveLength(400_000);
  });
});
