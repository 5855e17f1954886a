/** What was acknowledged is on the disk, whatever of the rest is not: five hundred power cuts of the store, by a shim (test/support/power-cuts). */
import { expect, test } from 'vitest';
import { whyNoPowerCuts } from '../support/power-cuts/shim.ts';
import { survivePowerCuts } from '../support/power-cuts/survive.ts';

const why = whyNoPowerCuts === undefined ? '' : ` (${whyNoPowerCuts})`;

test.skipIf(whyNoPowerCuts !== undefined).each([
  ['nothing', 1],
  ['nothing', 2],
  ['some', 3],
  ['some', 4],
  ['everything', 5],
] as const)(
  `nothing acknowledged is lost, and nothing damaged, in a hundred power cuts that leave %s of what was not synced (seed %i)${why}`,
  async (keeps, seed) => {
    const cuts = await survivePowerCuts(100, seed, keeps);
    for (const job of ['post', 'adopt', 'withdraw', 'collect', 'migrate'] as const)
      expect(cuts[job] ?? 0, job).toBeGreaterThan(3);
  },
);
