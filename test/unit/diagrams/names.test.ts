/** Foreign names are shown as they are, and mean nothing to Graphviz, XML or Mermaid; what has no name is refused. */
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, assign, createMachine, setup } from 'xstate';
import { delayText, durationText } from '../../../diagrams/draw/delays.ts';
import { mermaidChart } from '../../../diagrams/draw/mermaid.ts';
import { type MachineModel, readMachine } from '../../../diagrams/draw/model.ts';
import { stateChart } from '../../../diagrams/draw/state-chart.ts';
import { drawSvg } from '../../../diagrams/draw/svg.ts';
import { wrap } from '../../../diagrams/draw/text.ts';
import { arrowsOf, assertWellFormed, mermaidLinesOf, textsOf } from './pictures.ts';

const read = (machine: unknown, name = 'sample'): MachineModel =>
  readMachine(name, machine as AnyStateMachine, { machines: {}, delays: {} });

const hostile = [
  '<script>alert(1)</script>',
  '</text></svg>',
  '"]; evil [label="',
  '\\"; }',
  '<B>&lt;&#60;</B>',
  "it's > 1 & < 2; --> [*]: {no} %% #59;",
  '$& $1 $` \\l \\N \\G',
];

describe('hostile names', () => {
  test.for(hostile)('%s', async (text) => {
    const machine = createMachine({
      description: text,
      initial: 'one',
      states: {
        one: {
          description: text,
          on: { [text]: { guard: { type: text }, target: 'two', actions: { type: text } }, stay: { actions: [] } },
        },
        two: { initial: text, states: { [text]: { description: text } } },
      },
    });
    const model = read(machine, text);
    const svg = await drawSvg(stateChart(model), text);
    assertWellFormed(svg);
    const shown = textsOf(svg).join(' ');
    expect(shown.split(text).length - 1).toBeGreaterThanOrEqual(5);
    expect(arrowsOf(svg)).toHaveLength(3);
    const lines = mermaidChart(model).trimEnd().split('\n').slice(4);
    expect(lines.join('\n').replaceAll(/#\d+;|<br\/>|-->|\[\*\]|^\s*state ".*" as \w+ \{$/gm, '')).not.toMatch(
      /[;<>{"&#%]/,
    );
    expect(mermaidLinesOf(lines.join('\n')).filter((line) => line.includes(text)).length).toBeGreaterThanOrEqual(4);
  });

  test('control characters are replaced', async () => {
    const svg = await drawSvg(stateChart(read(createMachine({ description: 'a\u0000b\u001b[31mc\ud800' }))), 'sample');
    assertWellFormed(svg);
    expect(textsOf(svg).join(' ')).toContain('a\ufffdb\ufffd[31mc\ufffd');
  });
});

describe('what cannot be shown', () => {
  test('a guard that is a function is refused', () => {
    const machine = createMachine({ on: { go: { guard: () => true, actions: 'act' } } });
    expect(() => read(machine)).toThrow(/guard of sample has no name/);
  });

  test('so is an action that is one', () => {
    expect(() => read(createMachine({ entry: (() => () => {})() }))).toThrow(/action of sample has no name/);
  });

  test("so is one of XState's own; where it is, is said", () => {
    const machine = createMachine({
      initial: 'one',
      states: { one: { on: { go: { actions: ['act', assign({ sent: 1 })] } } } },
    });
    expect(() => read(machine)).toThrow(/action of sample\.one has no name/);
  });

  test('a computed delay without a range is refused', () => {
    const machine = setup({ delays: { pause: () => 5, fixed: 90_000 } }).createMachine({});
    expect(() => delayText(machine, 'sample', 'pause', {})).toThrow(/delay pause of sample/);
    expect(delayText(machine, 'sample', 'fixed', {})).toBe('fixed (1.5 min)');
    expect(
      delayText(machine, 'sample', 'pause', { 'sample.pause': { fromMs: 5, toMs: 3_600_000, how: 'random' } }),
    ).toBe('pause (5 ms to 1 h, random)');
  });

  test('parallel states are refused', () => {
    expect(() => read(createMachine({ type: 'parallel', states: { one: {} } }))).toThrow(/sample is parallel/);
  });

  test('a child that is not in the list is refused', () => {
    const machine = setup({ actors: { child: createMachine({}) } }).createMachine({});
    expect(() => read(machine)).toThrow(/child "child"/);
  });
});

test('durations are given in the largest unit that they fill', () => {
  expect([1, 999, 1_000, 59_500, 60_000, 5_400_000].map(durationText)).toEqual([
    '1 ms',
    '999 ms',
    '1 s',
    '59.5 s',
    '1 min',
    '1.5 h',
  ]);
});

test('lines break at words, and are about as long as each other', () => {
  expect(wrap('one two three four five', 18)).toEqual(['one two three', 'four five']);
  expect(wrap('short', 10)).toEqual(['short']);
  expect(wrap('incomprehensibilities do happen', 10)).toEqual(['incomprehensibilities', 'do happen']);
});
