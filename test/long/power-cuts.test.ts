/**
 * What was acknowledged is on the disk, whatever of the rest is not: five hundred power cuts of the store, and fifty of a directory. A library
 * that is preloaded, test/support/power-cuts/shim.c, stands for the disk.
 */
import { expect, test } from 'vitest';
import { surviveRegistrationCuts } from '../support/power-cuts/registrations.ts';
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

test.skipIf(whyNoPowerCuts !== undefined)(
  `a name that was bound stays bound, however often the power of the directory is cut${why}`,
  async () => {
    expect(await surviveRegistrationCuts(50, 1)).toBeGreaterThan(20);
  },
);
