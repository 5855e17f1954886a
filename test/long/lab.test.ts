/** What the sentences of the lab's scenarios promise. */
import { expect, test } from 'vitest';
import { Lab } from '../../src/web/lab/lab.ts';
import { scenarios } from '../../src/web/lab/scenarios.ts';

const outcomes: Readonly<Record<string, readonly (readonly [host: string, note: string | RegExp])[]>> = {
  'first-download': [['bob', 'has 40 new from alice']],
  'lost-hello': [['bob', 'has 3 new from alice']],
  'one-more': [['bob', 'has 1 new from alice']],
  'five-readers': ['bob', 'carol', 'dave', 'erin', 'frank'].map((name) => [name, 'has 1 new from alice'] as const),
  twice: [['bob', 'has 40 new from alice']],
  'author-moves': [['bob', 'has 1 new from alice']],
  'lying-tree': [['bob', /^could not read alice: .*something else/]],
  'two-nats': [['bob', 'has 5 new from alice']],
  'reader-sleeps': [['bob', 'has 2 new from alice']],
  'cut-in-two': [
    ['bob', 'has 1 new from alice'],
    ['bob', 'has 1 new from carol'],
    ['dave', 'has 1 new from carol'],
    ['dave', 'has 1 new from alice'],
  ],
  'directory-away': [['bob', 'has 1 new from alice']],
  free: [['carol', 'has 3 new from bob']],
};

test.each(scenarios.map((scenario) => ({ scenario, id: scenario.id })))('$id ends as it says', async ({ scenario }) => {
  const lab = new Lab(scenario, () => {});
  await lab.begin();
  await lab.world.clock.advance(120_000);
  lab.crossings.follow(lab.world.runs);
  const notes = lab.crossings.rows.flatMap(({ lane, note }) => (note ? [[lab.crossings.lanes[lane], note]] : []));
  for (const [host, note] of outcomes[scenario.id] ?? []) {
    const expected = typeof note === 'string' ? note : expect.stringMatching(note);
    expect(notes).toContainEqual([host, expected]);
  }
  expect(outcomes).toHaveProperty(scenario.id);
  await lab.world.close();
});
