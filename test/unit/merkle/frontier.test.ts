import { describe, expect, test } from 'vitest';
import { type Frontier, pop, pushAll } from '../../../src/merkle/frontier.ts';

function drain(frontier: Frontier): string[] {
  const popped: string[] = [];
  for (let top = pop(frontier); top; top = pop(top.rest)) popped.push(top.hash);
  return popped;
}

describe('the frontier of a download', () => {
  test('is empty at first, and has nothing to pop', () => {
    expect(pop(undefined)).toBeUndefined();
    expect(pushAll(undefined, [])).toBeUndefined();
  });

  test('gives the children of a node left to right, and before what was already waiting', () => {
    const top = pop(pushAll(undefined, ['a', 'b']));
    expect(top).toMatchObject({ hash: 'a' });
    expect(drain(pushAll(top?.rest, ['a1', 'a2']))).toEqual(['a1', 'a2', 'b']);
  });

  test('is never changed: two continuations of one frontier do not see each other', () => {
    const base = pushAll(undefined, ['x']);
    const one = pushAll(base, ['one']);
    const other = pushAll(base, ['other']);
    expect(drain(base)).toEqual(['x']);
    expect(one?.rest).toBe(base);
    expect(drain(other)).toEqual(['other', 'x']);
  });

  test('can be 200,000 deep', () => {
    let frontier: Frontier;
    for (let depth = 0; depth < 200_000; depth += 1) frontier = pushAll(frontier, ['deep', 'leaf']);
    expect(drain(frontier)).toHaveLength(400_000);
  });
});
