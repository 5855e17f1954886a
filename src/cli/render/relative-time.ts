/** How long ago something was, in as few letters as a timeline has room for. In the local time zone. */

import { span } from './text.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockWithSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** `now`, `3 min`, `2 h`, `yesterday 14:05`, `Tue 14:05`, `12 Nov`, `12 Nov 2024`; both in Unix ms. What is yet to come gets its date. */
export function relativeTime(atMs: number, nowMs: number): string {
  const ageMs = nowMs - atMs;
  const at = new Date(atMs);
  if (ageMs < -MINUTE_MS) return `${dayAndYear.format(at)} ${clock.format(at)}`;
  if (ageMs < MINUTE_MS) return 'now';
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min`;
  const days = daysBetween(at, new Date(nowMs));
  if (days === 0) return `${Math.floor(ageMs / HOUR_MS)} h`;
  if (days === 1) return `yesterday ${clock.format(at)}`;
  if (days < 7) return `${weekday.format(at)} ${clock.format(at)}`;
  return (at.getFullYear() === new Date(nowMs).getFullYear() ? day : dayAndYear).format(at);
}

/** `14 s ago`, `3 min ago`, `2 h ago`, `yesterday 14:05`, `on Tue 14:05`, `on 12 Nov`: when something was, within a sentence. */
export function timeAgo(atMs: number, nowMs: number): string {
  const days = daysBetween(new Date(atMs), new Date(nowMs));
  if (days === 0 || nowMs - atMs < HOUR_MS) return `${span(nowMs - atMs)} ago`;
  const when = relativeTime(atMs, nowMs);
  return days === 1 ? when : `on ${when}`;
}

/** `at 14:05:30`, `at 14:05 tomorrow`, `on 12 Nov 14:05`: when something will be. */
export function timeAhead(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const days = daysBetween(new Date(nowMs), at);
  if (days === 0) return `at ${(atMs - nowMs < HOUR_MS ? clockWithSeconds : clock).format(at)}`;
  if (days === 1) return `at ${clock.format(at)} tomorrow`;
  return `on ${dayAndYear.format(at)}, ${clock.format(at)}`;
}

/** Midnights between the two. */
function daysBetween(earlier: Date, later: Date): number {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(later) - midnight(earlier)) / DAY_MS);
}
