/** What the page shows of others' text. It is put into text nodes only; this makes sure that it does not reorder or hide what is around it. */
import { safeLine, safeText } from '../feed/safe-text.ts';

export function plain(text: string, limit = 400): string {
  return safeLine(text, limit);
}

/** Of any number of lines. */
export function plainText(text: string): string {
  return safeText(text);
}

/** For a style: numbers alone mean nothing there. */
export function px(length: number): string {
  return `${length}px`;
}

export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(11, 23);
}

/** "+40.244 s" */
export function sinceText(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const seconds = Math.abs(ms) / 1_000;
  return seconds < 600 ? `${sign}${seconds.toFixed(3)} s` : `${sign}${(seconds / 60).toFixed(1)} min`;
}

export function countText(count: number): string {
  return count.toLocaleString('en');
}
