/** Where the page stands: every pane shows the run at one position, and is drawn anew when one of these changes. */
import { computed, signal } from '@preact/signals';
import type { Reference } from '../inspector/reference.ts';
import { Crossings, type Row } from './crossings.ts';
import { type Actor, countWhile, type Moment, Run } from './run.ts';
import { plain } from './text.ts';

export const runs = signal<readonly Run[]>([]);
export const runIndex = signal(0);
/** Counts what has come in: a run grows in place. */
export const grown = signal(0);
export const problem = signal('');

/** The moment at which every pane stands; -1 before the first. */
export const position = signal(-1);
/** A system that runs: stay with what happens. */
export const isFollowing = signal(true);
export const chosen = signal<number | undefined>(undefined);
export const filter = signal('');
export const showsEnded = signal(true);
/** Kinds whose lines are folded into those of their parents. */
export const folded = signal<ReadonlySet<string>>(new Set(['request', 'address-proof']));
export const reference = signal<Reference>({ charts: {}, states: {}, sections: {} });
const LAYOUTS = ['both', 'chart', 'messages'] as const;
/** What is in the middle. */
export const layout = signal<(typeof LAYOUTS)[number]>('both');
export const helpIsOpen = signal(false);
/** Of the protocol, the number of the section that is shown. */
export const section = signal<string | undefined>(undefined);

export const VIEWS = ['network', 'machines', 'reading'] as const;
export type View = (typeof VIEWS)[number];
/** Several systems: what goes between them, or what is in one: its machines, or the messages that it holds. */
export const view = signal<View>('machines');
export const LISTS = ['timeline', 'thread', 'author'] as const;
/** Of the messages that are read: all, the conversation of the chosen one, or those of its author. */
export const list = signal<(typeof LISTS)[number]>('timeline');
/** The hash of the chosen message. */
export const message = signal<string | undefined>(undefined);
/** The chosen author. */
export const author = signal<string | undefined>(undefined);
/** Runs on one time axis. The lab has its own. */
export const crossings = signal(new Crossings());
/** More than one system is there. */
export const isNetwork = computed(() => {
  grown.value;
  return crossings.value.lanes.length > 1;
});

const nothing = new Run();
export const run = computed(() => runs.value[runIndex.value] ?? nothing);
export const length = computed(() => {
  grown.value;
  return run.value.moments.length;
});

export const moment = computed<Moment | undefined>(() => {
  grown.value;
  return run.value.moments[position.value];
});

/** The chosen actor, else the one whose moment it is. */
export const actor = computed<Actor | undefined>(() => {
  grown.value;
  const { actors } = run.value;
  return chosen.value === undefined ? (moment.value?.actor ?? actors[0]) : actors[chosen.value];
});

/** The last step of that actor. */
export const lastStep = computed<Moment | undefined>(() => {
  grown.value;
  return actor.value && run.value.lastStep(actor.value, position.value);
});

export function go(to: number): void {
  picked.value = undefined;
  const last = run.value.moments.length - 1;
  position.value = Math.max(-1, Math.min(last, to));
  isFollowing.value = position.value === last;
}

/** More has come, and of the run that is shown the oldest moments may be gone. Whoever looks at an earlier moment stays there. */
export function growBy(gone: number): void {
  grown.value += 1;
  if (run.value.header.isLive && isFollowing.value) go(length.value);
  else position.value = Math.max(-1, position.value - gone);
}

export function choose(of: Actor | undefined): void {
  chosen.value = of?.number;
}

export function goOfActor(direction: 1 | -1): void {
  const of = actor.value;
  if (of === undefined) return;
  chosen.value = of.number;
  const until = run.value.stepsUntil(of, position.value);
  const isAt = of.steps[until - 1] === position.value;
  const to = direction === 1 ? of.steps[until] : of.steps[until - (isAt ? 2 : 1)];
  if (to !== undefined) go(to);
}

export function goToMatch(direction: 1 | -1): void {
  const { moments } = run.value;
  const matches = matcher(filter.value);
  for (let at = position.value + direction; at >= 0 && at < moments.length; at += direction) {
    if (!matches(moments[at] as Moment)) continue;
    go(at);
    return;
  }
}

/** The first moment at which two runs are not alike: what leaving out an entry has led to. */
export function goToDifference(): void {
  const [one, other] = runs.value;
  if (one === undefined || other === undefined) return;
  // Until that entry they are. Only timers that fired late when it was recorded fire in time in the other.
  const { drop = 0 } = other.header;
  const start = startOfEntry(one, drop);
  const rest = other.moments.slice(startOfEntry(other, drop));
  const at = one.moments.findIndex((it, i) => i >= start && describe(it) !== describe(rest[i - start]));
  if (at !== -1) go(at);
}

function startOfEntry({ moments }: Run, seq: number): number {
  const at = moments.findIndex((it) => it.seq >= seq);
  return at === -1 ? moments.length : at;
}

function describe(of: Moment | undefined): string {
  return of === undefined ? '' : `${of.actor.path} ${of.message?.type} ${of.step?.to}`;
}

/** Words that all have to be in what a line of the list says. */
export function matcher(text: string): (of: Moment) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (of) => {
    const says = `${of.actor.path} ${of.message?.type ?? ''} ${of.step?.event ?? 'lost'} ${of.step?.to ?? ''} #${of.seq} `;
    const low = says.toLowerCase();
    return words.every((word) => low.includes(word));
  };
}

/** Another run, at the same time: of an author and a reader, say. */
export function showRun(index: number): void {
  const atMs = moment.value?.atMs ?? 0;
  const stays = isFollowing.value;
  runIndex.value = index;
  chosen.value = undefined;
  go(stays ? length.value : run.value.momentAt(atMs));
}

/** Where somebody has gone to: two rows may have one moment. */
const picked = signal<Row | undefined>(undefined);

/** Its run, at its moment. */
export function goToRow(to: Row): void {
  const { run: of, moment: absolute, atMs } = to;
  const index = runs.value.indexOf(of);
  if (index === -1) return;
  chosen.value = undefined;
  runIndex.value = index;
  go(absolute === -1 ? of.momentAt(atMs) : absolute - of.forgotten);
  picked.value = to;
  // The last moment of one run may be an early one of all.
  isFollowing.value = crossings.value.rows.at(-1) === to;
}

/** The row at which the panes stand: that of the moment, else the last one before it. */
export const row = computed<Row | undefined>(() => {
  grown.value;
  if (picked.value !== undefined && !isFollowing.value) return picked.value;
  const { rows } = crossings.value;
  const at = moment.value;
  if (at === undefined) return undefined;
  if (isFollowing.value && run.value.header.isLive) return rows.at(-1);
  const last = countWhile(rows, ({ atMs }) => atMs <= at.atMs) - 1;
  const absolute = position.value + run.value.forgotten;
  for (let i = last; i >= 0 && rows[i]?.atMs === at.atMs; i--) {
    if (rows[i]?.run === run.value && rows[i]?.moment === absolute) return rows[i];
  }
  return rows[last];
});

/** To the next datagrams that were sent or came, or to those before. */
export function goByRow(direction: 1 | -1): void {
  const { rows } = crossings.value;
  const next = rows[(row.value?.index ?? -1) + direction];
  if (next !== undefined) goToRow(next);
}

export function nextLayout(): void {
  layout.value = LAYOUTS[(LAYOUTS.indexOf(layout.value) + 1) % LAYOUTS.length] ?? 'both';
}

export function nameOf(of: Actor | undefined): string {
  if (of === undefined) return 'outside';
  return plain(of.key === '' ? of.kind : `${of.kind}.${of.key}`);
}
