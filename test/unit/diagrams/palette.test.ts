/** Text can be read in light and in dark: contrast of at least 4.5, as WCAG 2.2 §1.4.3 asks for. */
import { describe, expect, test } from 'vitest';
import { type ColorName, colors, pictureStyle } from '../../../diagrams/draw/palette.ts';

const TEXT: readonly ColorName[] = ['ink', 'muted', 'event', 'guard', 'action', 'child'];
const GROUND: readonly ColorName[] = ['page', 'box', 'final', 'fetched'];

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.for([
  ['light', 0],
  ['dark', 1],
] as const)('%s', ([, scheme]) => {
  test.for(TEXT)('%s can be read', (name) => {
    for (const ground of GROUND) expect(contrast(colors[name][scheme], colors[ground][scheme])).toBeGreaterThan(4.5);
  });

  test('lines and arrows can be seen', () => {
    const arrows = (Object.keys(colors) as ColorName[]).filter((name) => name.startsWith('arrow'));
    for (const name of ['line', 'boxLine', 'finalLine', 'fetchedLine', ...arrows] as const) {
      expect(contrast(colors[name][scheme], colors.page[scheme])).toBeGreaterThan(2);
    }
  });
});

test('no two colours are the same, or one would turn into the other in the dark', () => {
  const light = Object.values(colors).map(([value]) => value);
  expect(new Set(light).size).toBe(light.length);
  for (const [from, to] of Object.values(colors)) expect(pictureStyle()).toContain(`[fill="${from}"]{fill:${to}}`);
});
