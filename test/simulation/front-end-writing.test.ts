/** What a person at the front end writes: published now or later, kept as a draft, withdrawn. */
import { expect, test } from 'vitest';
import { dialogue } from '../support/front-end.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { LATER, press } from '../support/scripted-dialogue.ts';

test('what others do not see yet is shown with its time, taken back with Z, and gone on with', async () => {
  const { world, bob, seen, drafts } = await dialogue([
    press('Z'),
    press('p'),
    `Not yet.${LATER}`,
    press('Z'),
    'Not yet, but soon.…',
    press('q'),
  ]);
  expect(seen[1]).not.toContain('To be published');
  expect(seen[3]).toMatch(/To be published at \d\d:\d\d:\d\d: “Not yet\.” {2}Z takes it back/);
  expect(seen[4]).toBe('Your message: Not yet.');
  expect(seen[5]).not.toContain('To be published');
  expect(drafts).toEqual({ '': 'Not yet, but soon.' });
  await world.clock.advance(60_000);
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  await world.close();
});

test('a message that cannot be published stays a draft', async () => {
  const { world, bob, seen, drafts } = await dialogue([press('p'), 'x'.repeat(986), press('q')]);
  expect(seen.at(-1)).toMatch(/985.* 1 draft/s);
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  expect(drafts).toEqual({ '': 'x'.repeat(986) });
  await world.close();
});

test('half-written is kept, and there when one goes on; a blank text is none', async () => {
  const { world, bob, seen, drafts } = await dialogue([press('p'), 'I was about to…', press('p'), '  ', press('q')]);
  expect(seen).toContain('Your message: I was about to');
  expect(seen).toContainEqual(expect.stringContaining('Your draft is saved'));
  expect(drafts).toEqual({});
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  await world.close();
});

test("a message of one's own is withdrawn, once it was said what that cannot do; one of others is not", async () => {
  const { world, bob, seen } = await dialogue([
    press('p'),
    'Too early.',
    press('x', 'Too early.'),
    false,
    press('x', 'Too early.'),
    true,
    press('f'),
    'alice',
    press('x', 'Is anybody there?'),
    press('q'),
  ]);
  expect(seen.filter((text) => text === 'Withdraw it?')).toHaveLength(2);
  expect(seen).toContainEqual(expect.stringContaining('cannot be made to forget it'));
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  expect(seen.at(-1)).toContain('you can withdraw only messages that you wrote yourself');
  await world.close();
});
