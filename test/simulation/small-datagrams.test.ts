/** What floods of small datagrams from strangers cost a peer, counted: transitions, look-ups and signatures. */
import { expect, test } from 'vitest';
import { KINDS, type Kind } from '../bench/floods/kinds.ts';
import { addressOf, worldWithReader } from '../support/scenarios.ts';

const PER_SECOND = 8_000;
/** In this time, what strangers get at once is used up. */
const BEFORE_S = 3;
const SECONDS = 2;

test.each(Object.keys(KINDS) as Kind[])(
  'of 8,000 a second of %s, most are dropped before any actor hears of them',
  async (kind) => {
    let transitions = 0;
    const { world, reader } = await worldWithReader(
      { inspect: ({ type }) => void (type === '@xstate.microstep' && transitions++) },
      { signatures: 'seals' },
    );
    const make = KINDS[kind];
    let i = 0;
    for (let second = 0; second < BEFORE_S + SECONDS; second++) {
      if (second === BEFORE_S) transitions = 0;
      for (let part = 0; part < 20; part++) {
        for (const end = i + PER_SECOND / 20; i < end; i++) {
          world.network.forge({ ip: `10.64.0.${i & 255}`, port: 9 }, addressOf(reader), make(i));
        }
        await world.clock.advance(50);
      }
    }
    expect(transitions / SECONDS).toBeLessThan(PER_SECOND / 4);
    await world.close();
  },
);
