/** A machine as a Graphviz graph: states as boxes, groups of states as frames, transitions between states as arrows. */
import { arrowLabel, boxRows, everyStateRows, groupRows } from './labels.ts';
import { leaving, type MachineModel, type StateModel, statesOf } from './model.ts';
import { color } from './palette.ts';
import type { Arrow, Picture } from './picture.ts';
import { airy, quote, table } from './text.ts';

export function stateChart(machine: MachineModel): Picture {
  const { name, root } = machine;
  const states = statesOf(root);
  const title = table(groupRows(root, machine), 'BORDER="0" CELLPADDING="2"');
  const structure = [`graph [label=<${title}>, labelloc=t, labeljust=l]`, ...closely(inside(root))];
  const boxes = new Map(states.flatMap(boxesOf));
  return { name, structure, boxes, arrows: states.flatMap((state) => arrowsFrom(state, states)) };
}

/** A group that is not to be seen: Graphviz lays it out more closely than what is in none. */
export function closely(lines: readonly string[]): string[] {
  return ['subgraph "cluster of all" {', 'graph [label="", peripheries=0, margin=0]', ...lines, '}'];
}

function draw(state: StateModel): string {
  return state.states.length === 0 ? quote(state.path) : group(state);
}

/** The box of a state, or, of a group, what happens in every state of it: there the arrows start that lead from the group. */
function boxesOf(state: StateModel): [string, string][] {
  if (state.states.length === 0) return [[state.path, box(state)]];
  if (state.transitions.length === 0) return [];
  const frame = `BORDER="1" STYLE="ROUNDED,DASHED" COLOR="${color('line')}" CELLPADDING="1"`;
  return [[everyStateOf(state), table(airy(everyStateRows(state)), frame)]];
}

function box(state: StateModel): string {
  const [fill, line] = state.kind === 'final' ? (['final', 'finalLine'] as const) : (['box', 'boxLine'] as const);
  const frame = `BORDER="1" STYLE="ROUNDED" COLOR="${color(line)}" BGCOLOR="${color(fill)}"`;
  const inner = table(airy(boxRows(state)), `${frame} CELLPADDING="1"`);
  // A final state has two borders.
  return state.kind === 'final' ? table([`<TR><TD>${inner}</TD></TR>`], `${frame} CELLPADDING="2"`) : inner;
}

function group(state: StateModel): string {
  const label = table(groupRows(state), 'BORDER="0" CELLPADDING="2"');
  const frame = `color="${color('groupLine')}", penwidth=1.2, peripheries=1, margin=16`;
  return [
    `subgraph ${quote(clusterOf(state))} {`,
    `graph [label=<${label}>, labeljust=l, style=rounded, ${frame}]`,
    ...inside(state),
    '}',
  ].join('\n');
}

function inside(state: StateModel): string[] {
  return [
    ...(state.initial === undefined ? [] : [initialDot(state)]),
    ...(state.transitions.length === 0 ? [] : [quote(everyStateOf(state))]),
    ...state.states.map(draw),
  ];
}

function initialDot(state: StateModel): string {
  const dot = `shape=circle, style=filled, label="", width=0.14, fixedsize=true, color="${color('ink')}", fillcolor="${color('ink')}"`;
  return `${quote(firstOf(state))} [${dot}]`;
}

function everyStateOf({ path }: StateModel): string {
  return `every state of ${path}`;
}

function clusterOf({ path }: StateModel): string {
  return `cluster of ${path}`;
}

function arrowsFrom(state: StateModel, states: readonly StateModel[]): Arrow[] {
  const at = (path: string) => states.findIndex((other) => other.path === path);
  const arrows = [...Map.groupBy(leaving(state), ({ target }) => target)].map(([target, transitions]) => {
    const from = state.states.length === 0 ? state.path : everyStateOf(state);
    return arrow(from, states[at(target)] as StateModel, arrowLabel(transitions), at(target) < at(state.path));
  });
  if (state.initial === undefined) return arrows;
  return [arrow(firstOf(state), states[at(state.initial)] as StateModel, undefined, false), ...arrows];
}

/** At a group the arrow stops at the frame. */
function arrow(from: string, to: StateModel, label: string | undefined, isBackward: boolean): Arrow {
  const common = { from, isBackward, ...(label === undefined ? {} : { label }) };
  if (to.states.length === 0) return { ...common, to: to.path };
  return { ...common, to: firstOf(to), attributes: `${isBackward ? 'ltail' : 'lhead'}=${quote(clusterOf(to))}` };
}

function firstOf({ path }: StateModel): string {
  return `first of ${path}`;
}
