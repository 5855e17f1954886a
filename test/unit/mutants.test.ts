/** docs/mutants.md: what the operators do, and where. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, test } from 'vitest';
import { ImportGraph } from '../mutants/import-graph.ts';
import { mutantsOf, mutated } from '../mutants/operators.ts';
import { Tester } from '../mutants/tester.ts';

const checkout = join(import.meta.dirname, '../..');

/** The mutants of one operator, each as the source that it makes. */
function made(operator: string, source: string): string[] {
  return mutantsOf('source.ts', source)
    .filter((mutant) => mutant.operator === operator)
    .map((mutant) => mutated(source, mutant));
}

describe('each operator', () => {
  test('removes transitions: one event, one delay, one of several, always', () => {
    expect(made('transition removed', "({ on: { a: 'x', b: [1, 2] } })")).toEqual([
      '({ on: {  b: [1, 2] } })',
      "({ on: { a: 'x',  } })",
      "({ on: { a: 'x', b: [ 2] } })",
      "({ on: { a: 'x', b: [1, ] } })",
    ]);
    expect(made('transition removed', "({ after: { 5: 'x' }, always: 'y' })")).toHaveLength(2);
  });

  test('negates guards, with the import that this needs', () => {
    expect(made('guard negated', "({ guard: 'isReady' })")).toEqual([
      "import { not as negated } from 'xstate'; ({ guard: negated('isReady') })",
    ]);
  });

  test('drops actions, but not their implementations', () => {
    expect(made('action dropped', "({ actions: ['a', b], entry: 'c' })")).toEqual([
      "({ actions: [ b], entry: 'c' })",
      "({ actions: ['a', ], entry: 'c' })",
      "({ actions: ['a', b], entry: [] })",
    ]);
    expect(made('action dropped', "({ actions: { type: 'a' } })")).toHaveLength(1);
    expect(made('action dropped', '({ actions: { a: () => {}, b: () => {} } })')).toEqual([]);
  });

  test('drops calls whose result nobody uses', () => {
    expect(made('call dropped', 'void a(); await b?.(); const c = d(); e;')).toHaveLength(2);
    expect(made('call dropped', "assertEvent(event, 'a');")).toEqual([]);
    expect(made('call dropped', 'class A extends B { constructor() { super(); } }')).toEqual([]);
  });

  test('negates conditions, turns comparisons, and changes constants', () => {
    expect(made('condition negated', 'if (a) b = c ? d : e;')).toEqual([
      'if (!(a)) b = c ? d : e;',
      'if (a) b = !(c) ? d : e;',
    ]);
    expect(made('comparison turned', '(a) < b && c !== d;')).toEqual([
      '(a) <= b && c !== d;',
      '(a) < b || c !== d;',
      '(a) < b && c === d;',
    ]);
    expect(made('constant changed', "f(0, 5, true, 3n, 'x');")).toHaveLength(4);
  });

  test('leaves types, strings and imports alone', () => {
    expect(mutantsOf('source.ts', "import { a } from 'a'; type T = 1 | true; const b: 2 = c as 2; 'x';")).toEqual([]);
  });
});

test('whatever a mutant of ours changes, it is still a program', () => {
  for (const file of ['machines/merkle-walk.machine.ts', 'src/merkle/compare.ts', 'src/store/sqlite-store.ts']) {
    const source = readFileSync(join(checkout, file), 'utf8');
    const mutants = mutantsOf(file, source);
    expect(mutants.length).toBeGreaterThan(10);
    for (const mutant of mutants) expect(parseSync(file, mutated(source, mutant)).errors, `${mutant.line}`).toEqual([]);
  }
});

test('tests whose imports lead to a file can notice what changes in it; types lead nowhere', () => {
  const graph = new ImportGraph(checkout);
  const reached = graph.reachedFrom('test/unit/wire/name.test.ts');
  expect([...reached]).toEqual(['test/unit/wire/name.test.ts', 'src/wire/name.ts']);
  expect(graph.reachedFrom('test/machines/socket-seen.test.ts')).toContain('src/wire/decoded.ts');
  expect(graph.reachedFrom('machines/wishes.ts')).toEqual(new Set(['machines/wishes.ts']));
});

test('a mutant is what tests get instead of the file, and one that notices it kills it', async () => {
  using tester = new Tester(checkout);
  const file = 'src/wire/age.ts';
  const [mutant] = mutantsOf(file, readFileSync(join(checkout, file), 'utf8')).filter(
    ({ operator }) => operator === 'comparison turned',
  );
  const verdict = await tester.test(mutant as NonNullable<typeof mutant>, ['units']);
  expect(verdict).toMatchObject({ outcome: 'killed', by: expect.stringContaining('age.test.ts') });
});
