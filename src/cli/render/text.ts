/** Pieces of human output that several commands share. Everything that comes from strangers goes through `safeLine` or `safeText` here. */

import width from 'fast-string-width';
import type { Hash } from '../../wire/hash.ts';
import type { Paint } from '../output/output.ts';

/** Enough of a hash to tell messages apart, and for `murmure show`. */
export function shortHash(hash: Hash): string {
  return hash.slice(0, 12);
}

/** `1 message`, `2 messages`, `1,204 messages`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `940 B`, `1.2 kB`, `3.4 MB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** A sentence about somebody, who is named in front of it where it does not begin with the name itself. */
export function sentenceAbout(name: string, sentence: string): string {
  return sentence.startsWith(`${name} `) ? sentence : `${name}: ${sentence}`;
}

/** `42 ms`, `1.3 s`. */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** `42 s`, `3 min`, `7 h`, `12 d`: about how long something has gone on. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** `2026-01-31 12:05` in the local time zone, from an ISO date. */
export function localDateTime(iso: string): string {
  const date = new Date(iso);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** Rows as columns, each as wide as its widest cell, two spaces apart. `style` colours a cell after it is padded. */
export function columns(
  rows: readonly (readonly string[])[],
  style: (cell: string, column: number) => string = (cell) => cell,
): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell));
  }
  const pad = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - width(cell));
  return rows
    .map((row) =>
      row
        .map((cell, column) => style(pad(cell, column), column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Blank lines in a row, beyond which they are counted instead of shown: a message is not to push all others off the screen. */
const MOST_BLANK_LINES = 3;
const BLANK_LINES = new RegExp(`(?:\\n *){${MOST_BLANK_LINES + 2},}`, 'g');

/** Of a text that is safe to show. */
export function foldBlankLines(text: string, paint: Paint): string {
  return text.replace(BLANK_LINES, (run) => {
    const blank = run.split('\n').length - 2;
    return `\n${paint('dim', `[${counted(blank, 'blank line')}]`)}\n${run.slice(run.lastIndexOf('\n') + 1)}`;
  });
}
