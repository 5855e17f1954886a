/** The tree of actors at this instant: each kind below its parent with its count, the living and, if wanted, the ended. */
import { computed, signal } from '@preact/signals';
import type { Actor, Run } from './run.ts';
import { actor, choose, chosen, grown, nameOf, position, run, showsEnded } from './state.ts';
import { countText, plain, px } from './text.ts';
import { Virtual } from './virtual.tsx';

export const search = signal('');
/** Groups that a person has opened or closed, by "parent/kind". BOUNDED by clicks. */
const turned = signal<ReadonlyMap<string, boolean>>(new Map());
/** A larger group is closed at first. */
const OPEN_UP_TO = 8;

type Row =
  | { readonly actor: Actor; readonly depth: number; readonly name: string }
  | {
      readonly group: string;
      readonly kind: string;
      readonly depth: number;
      readonly living: number;
      readonly all: number;
      readonly isOpen: boolean;
    };

const rows = computed<readonly Row[]>(() => {
  grown.value;
  const all: Row[] = [];
  for (const root of run.value.actors) if (root.parent === undefined) addActor(all, root, 0);
  return all;
});

const counts = computed(() => {
  grown.value;
  const { actors } = run.value;
  const begun = actors.filter((it) => run.value.hasBegun(it, position.value));
  return { living: begun.filter((it) => it.endedAt > position.value).length, all: begun.length };
});

export function Tree() {
  const shown = rows.value;
  return (
    <section class="pane tree" aria-label="Actors">
      <header>
        <h2>Actors</h2>
        <span class="quiet">
          {countText(counts.value.living)} living, {countText(counts.value.all - counts.value.living)} ended
        </span>
      </header>
      <div class="bar">
        <input
          type="search"
          placeholder="search actors"
          aria-label="Search actors"
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        <button type="button" aria-pressed={showsEnded.value} title="Show ended actors (e)" onClick={toggleEnded}>
          ended
        </button>
      </div>
      <Virtual
        class="actors"
        label="Tree of actors"
        count={shown.length}
        rowHeight={24}
        draw={(first, last) => shown.slice(first, last).map((row) => <TreeRow key={keyOf(row)} row={row} />)}
      />
    </section>
  );
}

export function toggleEnded(): void {
  showsEnded.value = !showsEnded.value;
}

function TreeRow({ row }: { row: Row }) {
  const indent = { paddingLeft: px(8 + row.depth * 14) };
  if ('group' in row) {
    return (
      <button type="button" class="row group" style={indent} aria-expanded={row.isOpen} onClick={() => turn(row)}>
        <span class="name">{row.kind}</span>
        <span class="count">
          {row.living === row.all ? countText(row.all) : `${countText(row.living)} of ${countText(row.all)}`}
        </span>
      </button>
    );
  }
  const { actor: of } = row;
  const at = run.value.lastStep(of, position.value);
  const isLiving = run.value.isLiving(of, position.value);
  return (
    <button
      type="button"
      class={`row${isLiving ? '' : ' ended'}${of === actor.value ? ' chosen' : ''}`}
      style={indent}
      aria-pressed={chosen.value === of.number}
      title={plain(of.path)}
      onClick={() => choose(chosen.value === of.number ? undefined : of)}
    >
      <span class="name">{row.name}</span>
      <span class="state">{isLiving ? at?.step?.to : 'ended'}</span>
    </button>
  );
}

function addActor(rows: Row[], of: Actor, depth: number, name = nameOf(of)): void {
  if (!isShown(run.value, of)) return;
  rows.push({ actor: of, depth, name });
  for (const [kind, children] of Map.groupBy(of.children, (child) => child.kind))
    addKind(rows, of, kind, children, depth + 1);
}

function addKind(rows: Row[], of: Actor, kind: string, children: readonly Actor[], depth: number): void {
  const shown = children.filter((child) => isShown(run.value, child));
  if (shown.length < 2) {
    for (const child of shown) addActor(rows, child, depth);
    return;
  }
  const group = `${of.path}/${kind}`;
  const living = shown.filter((child) => run.value.isLiving(child, position.value)).length;
  const isOpen = turned.value.get(group) ?? (search.value !== '' || shown.length <= OPEN_UP_TO);
  rows.push({ group, kind, depth, living, all: shown.length, isOpen });
  if (isOpen) for (const child of shown) addActor(rows, child, depth + 1, plain(child.key));
}

/** Those that have begun, and are found; above what is found there are its parents. */
function isShown(of: Run, which: Actor): boolean {
  const isThere = showsEnded.value ? of.hasBegun(which, position.value) : of.isLiving(which, position.value);
  if (!isThere) return false;
  const text = search.value.trim().toLowerCase();
  if (text === '' || `${which.path} ${of.lastStep(which, position.value)?.step?.to}`.toLowerCase().includes(text))
    return true;
  return which.children.some((child) => isShown(of, child));
}

function turn(row: Row): void {
  if ('group' in row) turned.value = new Map(turned.value).set(row.group, !row.isOpen);
}

function keyOf(row: Row): string {
  return 'group' in row ? row.group : `${row.actor.number}`;
}
