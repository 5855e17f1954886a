/** A colour for each author, always the same one: it helps to tell them apart, and proves nothing. */
import type { Paint } from '../output/output.ts';

/** All can be read on dark and on light backgrounds; yellow and red are for warnings. */
const COLOURS: readonly Parameters<Paint>[0][] = [
  'blue',
  'magenta',
  'cyan',
  'green',
  ['bold', 'blue'],
  ['bold', 'magenta'],
  ['bold', 'cyan'],
  ['bold', 'green'],
];

export function authorColour(name: string): Parameters<Paint>[0] {
  let sum = 0;
  for (const letter of name) sum = (sum * 33 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return COLOURS[sum % COLOURS.length] ?? 'bold';
}
