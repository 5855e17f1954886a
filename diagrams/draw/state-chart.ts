/** A machine as a Graphviz graph: states as boxes, groups of states as frames, transitions between states as arrows. */
import { arrowLabel, boxRows, everyStateRows, groupRows } from './labels.ts';
import { leaving, type MachineModel, type StateModel, statesOf } from './model.ts';
import { color } from './palette.ts';
import { airy, quote, table } from './text.ts';

export function stateChart(machine: MachineModel): string {
  const { root } = machine;
  const states = statesOf(root);
  const title = table(groupRows(root, machine), 'BORDER="0" CELLPADDING="2"');
  const lines = [
    `graph [label=<${title}>, labelloc=t, labeljust=l]`,
    ...closely(inside(root)),
    ...states.flatMap((state) => arrowsFrom(state, states)),
  ];
  return graph(machine.name, lines);
}

/** A group that is not to be seen: Graphviz lays it out more closely than what is in none. */
export function closely(lines: readonly string[]): string[] {
  return ['subgraph "cluster of all" {', 'graph [label="", peripheries=0, margin=0]', ...lines, '}'];
}

/** Graphviz puts an arrow's start above its end, so one that leads upwards is drawn from its end. */
export function drawArrow(from: string, to: string, attributes: string, isUpward: boolean): string {
  if (isUpward) return `${quote(to)} -> ${quote(from)} [${attributes} dir=back class=upward]`;
  return `${quote(from)} -> ${quote(to)} [${attributes}]`;
}

/** Every picture's common look. */
export function graph(name: string, lines: readonly string[]): string {
  const font = 'fontname="Helvetica", fontsize=13';
  return [
    `digraph ${quote(name)} {`,
    `graph [${font}, compound=true, nodesep=0.2, ranksep=0.4, pad=0.3, bgcolor="${color('page')}"]`,
    `node [${font}, shape=plain]`,
    `edge [${font}, color="${color('line')}", arrowsize=0.8, penwidth=1.2]`,
    ...lines,
    '}\n',
  ].join('\n');
}

function draw(state: StateModel): string {
  return state.states.length === 0 ? box(state) : group(state);
}

function box(state: StateModel): string {
  const [fill, line] = state.kind === 'final' ? (['final', 'finalLine'] as const) : (['box', 'boxLine'] as const);
  const frame = `BORDER="1" STYLE="ROUNDED" COLOR="${color(line)}" BGCOLOR="${color(fill)}"`;
  const inner = table(airy(boxRows(state)), `${frame} CELLPADDING="1"`);
  // A final state has two borders.
  const label = state.kind === 'final' ? table([`<TR><TD>${inner}</TD></TR>`], `${frame} CELLPADDING="2"`) : inner;
  return `${quote(state.path)} [label=<${label}>]`;
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
    ...(state.transitions.length === 0 ? [] : [everyStateBox(state)]),
    ...state.states.map(draw),
  ];
}

function initialDot(state: StateModel): string {
  const dot = `shape=circle, style=filled, label="", width=0.14, fixedsize=true, color="${color('ink')}", fillcolor="${color('ink')}"`;
  return `${quote(firstOf(state))} [${dot}]`;
}

/** What a group does in every state of it, and where the arrows start that lead from the group. */
function everyStateBox(state: StateModel): string {
  const frame = `BORDER="1" STYLE="ROUNDED,DASHED" COLOR="${color('line')}"`;
  return `${quote(everyStateOf(state))} [label=<${table(airy(everyStateRows(state)), `${frame} CELLPADDING="1"`)}>]`;
}

function everyStateOf({ path }: StateModel): string {
  return `every state of ${path}`;
}

function clusterOf({ path }: StateModel): string {
  return `cluster of ${path}`;
}

function arrowsFrom(state: StateModel, states: readonly StateModel[]): string[] {
  const at = (path: string) => states.findIndex((other) => other.path === path);
  const arrows = [...Map.groupBy(leaving(state), ({ target }) => target)].map(([target, transitions]) => {
    const from = state.states.length === 0 ? state.path : everyStateOf(state);
    const label = `label=<${arrowLabel(transitions)}>`;
    return arrow(from, states[at(target)] as StateModel, label, at(target) < at(state.path));
  });
  if (state.initial === undefined) return arrows;
  return [arrow(firstOf(state), states[at(state.initial)] as StateModel, '', false), ...arrows];
}

/** At a group the arrow stops at the frame. */
function arrow(from: string, to: StateModel, label: string, isUpward: boolean): string {
  if (to.states.length === 0) return drawArrow(from, to.path, label, isUpward);
  const frame = `${isUpward ? 'ltail' : 'lhead'}=${quote(clusterOf(to))}`;
  return drawArrow(from, firstOf(to), `${label} ${frame}`, isUpward);
}

function firstOf({ path }: StateModel): string {
  return `first of ${path}`;
}
