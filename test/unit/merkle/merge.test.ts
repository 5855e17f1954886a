/** One history out of those of two copies of a home. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeLeaves } from '../../../src/merkle/merge.ts';
import { TOMBSTONE } from '../../../src/merkle/withdraw.ts';
import { type Hash, hashOf } from '../../../src/wire/hash.ts';

const withdrawn = hashOf(TOMBSTONE);
const leaf = (text: string): Hash => (text === '-' ? withdrawn : hashOf(new TextEncoder().encode(text)));
const leaves = (text: string): Hash[] => [...text].map(leaf);
const none = () => false;

describe('of two histories that begin alike', () => {
  test.each([
    ['what both have published since, the other one first', 'abcP', 'abcQR', 'abcQRP'],
    ['what only the other has published', 'abc', 'abcQ', 'abcQ'],
    ['nothing else, if the other has nothing new', 'abcP', 'abc', 'abcP'],
    ['nothing else, in whatever order the other has the same', 'abcPQ', 'abcQP', 'abcPQ'],
    ['all of it, if nothing is shared', 'P', 'Q', 'QP'],
    ['what one has, if the other is empty', '', 'ab', 'ab'],
    ['what was withdrawn in the other, as withdrawn', 'abcP', 'a-c', 'a-cP'],
    ['what was withdrawn here, as withdrawn', 'a-cP', 'abcQ', 'a-cQP'],
    ['what stands at the place where something else was withdrawn', 'a-', 'aQ', 'aQ'],
    ['what stands where the other has withdrawn something of its own', 'aP', 'a-Q', 'a-QP'],
  ])('the result has %s', (_, own, other, result) => {
    expect(mergeLeaves(leaves(own), leaves(other), none)).toEqual(leaves(result));
  });

  test('what was taken over before, and withdrawn since, does not come back', () => {
    const isWithdrawn = (hash: Hash) => hash === leaf('Q');
    expect(mergeLeaves(leaves('abc-P'), leaves('abcQ'), isWithdrawn)).toEqual(leaves('abc-P'));
    expect(mergeLeaves(leaves('abc-P'), leaves('abcQR'), isWithdrawn)).toEqual(leaves('abc-RP'));
  });

  test('no message of either is lost, and merging once more changes nothing', () => {
    const message = fc.constantFrom(...'abcdefgh');
    fc.assert(
      fc.property(fc.array(message), fc.array(message), fc.array(message), (common, mine, theirs) => {
        const own = [...common, ...mine].map(leaf);
        const other = [...common, ...theirs].map(leaf);
        const merged = mergeLeaves(own, other, none);
        expect(new Set(merged)).toEqual(new Set([...own, ...other]));
        expect(mergeLeaves(merged, other, none)).toBe(merged);
        expect(new Set(mergeLeaves(other, merged, none))).toEqual(new Set(merged));
      }),
    );
  });
});
