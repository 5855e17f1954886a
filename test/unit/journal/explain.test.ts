/** `why`, from a journal: sentences that say where a session or a download stands, and why. */
import { beforeAll, expect, test } from 'vitest';
import { Explainer, type Explanation } from '../../../src/journal/explain.ts';
import { parseJournal } from '../../../src/journal/format.ts';
import { replay } from '../../../src/journal/replay.ts';
import { record, type Scenario, scenarios } from '../../replay/scenarios.ts';

let lossy: readonly string[];
let calm: readonly string[];

beforeAll(async () => {
  lossy = await record(scenarios.loss as Scenario);
  calm = await record(scenarios['first-sync'] as Scenario);
});

/** At the first entry from which on it fits. */
async function explainWhere(
  lines: readonly string[],
  fits: (explanations: readonly Explanation[]) => boolean,
): Promise<readonly Explanation[]> {
  const explainer = new Explainer();
  let found: readonly Explanation[] = [];
  await replay(parseJournal('x', lines), {
    inspect: explainer.inspect,
    after: (entry, root) => {
      const explanations = explainer.explain(root, 'alice', entry.atMs);
      if (found.length === 0 && fits(explanations)) found = explanations;
    },
  });
  return found;
}

const sentencesOf = (explanations: readonly Explanation[]) => explanations.flatMap(({ sentences }) => sentences);

test('a session says what it is in, since when, and how it came there', async () => {
  const explanations = await explainWhere(calm, (all) => all.some(({ state }) => state === 'established.answering'));
  const session = explanations.find(({ actor }) => actor === 'peer/outgoing-session.alice');
  expect(session?.sentences[0]).toMatch(
    /^peer\/outgoing-session\.alice is established\.answering for \d+\.\d s: The path in use answers\.$/,
  );
  expect(session?.sentences.at(-1)).toBe(
    'It went from greeting.racing to established.answering when a request ended, because its Hello was answered.',
  );
  expect(session?.transitions.map(({ to }) => to)).toEqual(['locating', 'greeting.racing', 'established.answering']);
});

test('a request that is repeated says how often, how long, and what comes next', async () => {
  const repeated =
    /GetDatum to [\d.:]+ was sent \d+ times, and got no answer for \d+\.\d s; retrying in \d+\.\d s; \d+ more tr(y|ies)\./;
  const explanations = await explainWhere(lossy, (all) => sentencesOf(all).some((sentence) => repeated.test(sentence)));
  expect(sentencesOf(explanations).some((sentence) => repeated.test(sentence))).toBe(true);
});

test('a download that has ended is still explained', async () => {
  const explanations = await explainWhere(lossy, (all) => all.some(({ state }) => state === 'ended'));
  const walk = explanations.find(({ actor }) => actor === 'peer/merkle-walk.alice');
  expect(walk?.sentences[0]).toBe('peer/merkle-walk.alice has ended as finished.');
  expect(walk?.transitions.at(-1)).toMatchObject({ from: 'concluding', to: 'finished' });
});

test('of somebody who was never met there is nothing to say', async () => {
  const explainer = new Explainer();
  let explanations: readonly Explanation[] | undefined;
  await replay(parseJournal('x', calm), {
    inspect: explainer.inspect,
    after: (entry, root) => {
      explanations = explainer.explain(root, 'nobody', entry.atMs);
    },
  });
  expect(explanations).toEqual([]);
});
