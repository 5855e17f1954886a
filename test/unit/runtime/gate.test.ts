/** The gate: each answer is known by the run of the effect that it answers, and nothing comes while the actors are busy but that. */
import { describe, expect, test } from 'vitest';
import { type AnyActorRef, type AnyEventObject, createActor, sendTo, setup } from 'xstate';
import { effect } from '../../../machines/effects.ts';
import { pathOf } from '../../../src/runtime/actor-tree.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Answering, type Call, Gate, type GateObserver } from '../../../src/runtime/gate.ts';

/** "→ b got.1 (ask#2 of a, nested)": as a journal would have it. */
class Log implements GateObserver {
  readonly entered: string[] = [];

  entering(actor: AnyActorRef, event: AnyEventObject, answering: Answering | undefined): void {
    this.entered.push(`${event.type} → ${pathOf(actor)}${answering === undefined ? '' : this.#nameOf(answering)}`);
  }

  firing(): void {}
  sending(): void {}

  #nameOf({ run: { actor, effect, number }, isNested }: Answering): string {
    return ` (${effect}#${number} of ${pathOf(actor)}${isNested ? ', nested' : ''})`;
  }
}

/** Calls for effects on demand, passes demands on to its neighbour, and remembers in which order it heard what. */
const asker = setup({
  types: {
    context: {} as { heard: readonly string[]; neighbour: AnyActorRef | undefined },
    events: {} as AnyEventObject,
  },
  actions: { ask: effect<undefined>('ask'), tell: effect<undefined>('tell') },
});
const machine = asker.createMachine({
  id: 'asker',
  context: { heard: [], neighbour: undefined },
  on: {
    know: { actions: asker.assign({ neighbour: ({ event }) => event.neighbour as AnyActorRef }) },
    ask: { actions: ['ask'] },
    askTwice: { actions: ['ask', 'ask'] },
    tell: { actions: ['tell', 'ask'] },
    pass: { actions: sendTo(({ context }) => context.neighbour as AnyActorRef, { type: 'ask' }) },
    '*': { actions: asker.assign({ heard: ({ context, event }) => [...context.heard, event.type] }) },
  },
});

type Effects = Partial<Record<'ask' | 'tell', (call: Call, gate: Gate) => unknown>>;

function run(effects: Effects) {
  const log = new Log();
  const gate = new Gate(systemClock, log);
  const provided = machine.provide({
    actions: gate.effects({
      ask: (call: Call) => effects.ask?.(call, gate),
      tell: (call: Call) => effects.tell?.(call, gate),
    }),
  });
  const start = (id: string) => {
    const actor = createActor(provided, { id });
    actor.start();
    return actor;
  };
  const submit = (actor: AnyActorRef, type: string) => gate.submit(actor, { type });
  return { log: log.entered, gate, start, submit };
}

describe('an answer', () => {
  test('of two runs that end in the same turn names the one that it belongs to, whichever ends first', async () => {
    const ends: (() => void)[] = [];
    const { log, start, submit } = run({
      ask: async ({ self, enter }) => {
        const number = ends.length + 1;
        await new Promise<void>((resolve) => ends.push(resolve));
        enter(self, { type: `answered.${number}` });
      },
    });
    submit(start('a'), 'askTwice');
    for (const end of ends.toReversed()) end();
    await new Promise(setImmediate);
    expect(log).toEqual(['askTwice → a', 'answered.2 → a (ask#2 of a)', 'answered.1 → a (ask#1 of a)']);
  });

  test('that comes at once is nested in its run', () => {
    const { log, start, submit } = run({ ask: ({ self, enter }) => enter(self, { type: 'answered' }) });
    submit(start('a'), 'askTwice');
    expect(log).toEqual(['askTwice → a', 'answered → a (ask#1 of a, nested)', 'answered → a (ask#2 of a, nested)']);
  });

  test('to another actor names the one that called for it, and what that calls for is nested once more', () => {
    const { log, start, submit } = run({
      tell: ({ enter }) => enter(b, { type: 'ask' }),
      ask: ({ self, enter }) => enter(self, { type: 'answered' }),
    });
    const [a, b] = [start('a'), start('b')];
    submit(a, 'tell');
    expect(log).toEqual([
      'tell → a',
      'ask → b (tell#1 of a, nested)',
      'answered → b (ask#1 of b, nested)',
      'answered → a (ask#1 of a, nested)',
    ]);
  });

  test('is numbered for each actor and each effect', () => {
    const answer = ({ self, enter }: Call) => enter(self, { type: 'answered' });
    const { log, start, submit } = run({ ask: answer, tell: answer });
    for (const actor of [start('a'), start('b')]) for (const type of ['tell', 'tell']) submit(actor, type);
    expect(log.filter((line) => line.startsWith('answered'))).toEqual([
      'answered → a (tell#1 of a, nested)',
      'answered → a (ask#1 of a, nested)',
      'answered → a (tell#2 of a, nested)',
      'answered → a (ask#2 of a, nested)',
      'answered → b (tell#1 of b, nested)',
      'answered → b (ask#1 of b, nested)',
      'answered → b (tell#2 of b, nested)',
      'answered → b (ask#2 of b, nested)',
    ]);
  });

  test('of a run that is over, while another one is carried out, waits until the actors are at rest', async () => {
    let late = () => {};
    const { log, start, submit } = run({
      ask: ({ self, enter }) => {
        late = () => enter(self, { type: 'late' });
      },
      tell: () => late(),
    });
    const a = start('a');
    submit(a, 'ask');
    submit(a, 'tell');
    expect(log).toEqual(['ask → a', 'tell → a']);
    await null;
    expect(log.slice(2)).toEqual(['late → a (ask#1 of a)']);
  });

  test('for an actor that has ended is dropped', () => {
    const { log, start, submit } = run({ ask: ({ enter }) => enter(b, { type: 'answered' }) });
    const [a, b] = [start('a'), start('b')];
    b.stop();
    submit(a, 'ask');
    expect(log).toEqual(['ask → a']);
  });
});

test('what nobody called for names no run, and waits while the actors are busy', async () => {
  const { log, start, submit } = run({
    ask: ({ self }, gate) => gate.submit(self, { type: 'trouble' }),
  });
  const [a, b] = [start('a'), start('b')];
  b.send({ type: 'know', neighbour: a });
  submit(b, 'pass');
  expect(log).toEqual(['pass → b']);
  await null;
  expect(log.slice(1)).toEqual(['trouble → a']);
  expect(a.getSnapshot().context.heard).toEqual(['trouble']);
});

test('what comes behind something that waits, does not overtake it', async () => {
  const { log, gate, start, submit } = run({
    ask: ({ self }, gate) => gate.submit(self, { type: 'trouble' }),
  });
  const a = start('a');
  submit(a, 'ask');
  gate.submit(a, { type: 'answered' });
  expect(log).toEqual(['ask → a']);
  await null;
  await null;
  expect(log).toEqual(['ask → a', 'trouble → a', 'answered → a']);
});

test('an effect that throws leaves the gate as it was', () => {
  const { log, gate, start, submit } = run({
    tell: ({ self, enter }) => enter(self, { type: 'answered' }),
    ask: () => {
      throw new Error('broken');
    },
  });
  const [a, b] = [start('a'), start('b')];
  a.subscribe({ error: () => {} });
  submit(a, 'ask');
  gate.submit(b, { type: 'heard at once' });
  expect(log).toEqual(['ask → a', 'heard at once → b']);
});
