import { describe, expect, test } from 'vitest';
import { isLinearizable, type ProveCall } from '../../support/linearizability.ts';

const call = (key: string, startMs: number, endMs: number | undefined, answer: ProveCall['answer']): ProveCall => ({
  key,
  startMs,
  endMs,
  answer,
});

describe('a history that a name which is bound once may give', () => {
  test.each<[string, ProveCall[]]>([
    ['none', []],
    ['one after the other', [call('a', 0, 1, 'bound'), call('b', 2, 3, 'bad-key'), call('a', 4, 5, 'bound')]],
    ['the later of two at one time wins', [call('a', 0, 5, 'bad-key'), call('b', 1, 4, 'bound')]],
    ['one whose answer was lost was done', [call('a', 0, undefined, 'unknown'), call('b', 5, 6, 'bad-key')]],
    ['one whose answer was lost was not done', [call('a', 0, undefined, 'unknown'), call('b', 5, 6, 'bound')]],
    [
      'one whose answer was lost was done late',
      [call('a', 0, undefined, 'unknown'), call('a', 1, 2, 'bound'), call('b', 5, 6, 'bad-key')],
    ],
  ])('%s', (_, calls) => expect(isLinearizable(calls)).toBe(true));
});

describe('a history that it cannot give', () => {
  test.each<[string, ProveCall[]]>([
    ['two owners', [call('a', 0, 1, 'bound'), call('b', 2, 3, 'bound')]],
    ['two owners at one time', [call('a', 0, 5, 'bound'), call('b', 1, 4, 'bound')]],
    ['refused where nobody is bound', [call('a', 0, 1, 'bad-key'), call('b', 2, 3, 'bound')]],
    ['the owner is refused', [call('a', 0, 1, 'bound'), call('a', 2, 3, 'bad-key')]],
    [
      'a lost call was done for one, and not for another',
      [call('a', 0, undefined, 'unknown'), call('b', 5, 6, 'bad-key'), call('b', 7, 8, 'bound')],
    ],
    ['forgotten and bound anew', [call('a', 0, 1, 'bound'), call('b', 2, 3, 'bad-key'), call('b', 4, 5, 'bound')]],
  ])('%s', (_, calls) => expect(isLinearizable(calls)).toBe(false));
});

describe('a history in which the binding may have been lost once', () => {
  const later = (key: string, startMs: number, answer: ProveCall['answer']) => call(key, startMs, startMs + 1, answer);

  test.each<[string, ProveCall[]]>([
    ['two owners, one after the other', [later('a', 0, 'bound'), later('b', 2, 'bound'), later('a', 4, 'bad-key')]],
    ['nothing was lost', [later('a', 0, 'bound'), later('b', 2, 'bad-key')]],
  ])('%s', (_, calls) => expect(isLinearizable(calls, 1)).toBe(true));

  test.each<[string, ProveCall[]]>([
    ['lost twice', [later('a', 0, 'bound'), later('b', 2, 'bound'), later('a', 4, 'bound')]],
    ['the owner is refused', [later('a', 0, 'bound'), later('a', 2, 'bad-key')]],
    ['the former owner is preferred again', [later('a', 0, 'bound'), later('b', 2, 'bound'), later('b', 4, 'bad-key')]],
  ])('not if %s', (_, calls) => expect(isLinearizable(calls, 1)).toBe(false));
});
