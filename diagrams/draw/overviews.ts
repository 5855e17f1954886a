/** The two pictures that show all machines at once: who spawns whom, and who tells whom what. */
import { messageTable } from '../../machines/messages.ts';
import { children, companions } from './actors.ts';
import type { MachineModel } from './model.ts';
import { color } from './palette.ts';
import { closely, drawArrow, graph } from './state-chart.ts';
import { airy, GAP, quote, row, span, table, wrap } from './text.ts';

const BOX_WIDTH = 28;

/** A tree from each machine that nobody spawns. */
export function supervisionTree(machines: readonly MachineModel[]): string {
  const byName = new Map(machines.map((machine) => [machine.name, machine]));
  const spawned = new Set(machines.flatMap((machine) => machine.children));
  const roots = machines.filter(({ name }) => !spawned.has(name));
  const branch = (machine: MachineModel, path: string): string[] => [
    actorBox(path, machine.name, treeRows(machine)),
    ...machine.children.flatMap((kind) => [
      ...branch(byName.get(kind) as MachineModel, `${path}/${kind}`),
      `${quote(path)} -> ${quote(`${path}/${kind}`)}`,
    ]),
  ];
  const talks = Object.entries(companions).map(
    ([from, to]) => `${quote(from)} -> ${quote(to)} [style=dashed, dir=both, constraint=false]`,
  );
  const title = titleLabel(
    'supervision tree',
    'Each actor is spawned and stopped by the one above it. Dashed: sends events to it, and hears what it emits.',
  );
  return graph('supervision', [title, ...roots.flatMap((root) => branch(root, root.name)), ...talks]);
}

export function messageOverview(machines: readonly MachineModel[]): string {
  const layers = Object.keys(messageTable);
  const names = machines.map(({ name }) => name).sort((a, b) => layers.indexOf(a) - layers.indexOf(b));
  const arrows = Object.entries(messageTable).flatMap(([from, receivers]) =>
    from === 'outside' ? [] : Object.entries(receivers).map(([to, events]) => messageArrow(from, to, events)),
  );
  const title = titleLabel(
    'messages between actors',
    'Arrows carry what one actor sends to another; the boxes list what comes in from outside.',
  );
  return graph('messages', [
    title,
    ...closely(names.map((name) => actorBox(name, name, outsideRows(name)))),
    ...arrows,
  ]);

  function messageArrow(from: string, to: string, events: readonly string[]): string {
    const rows = events.map((event) => row(span(event, { color: 'event' })));
    const label = `label=<${table(airy(rows), 'BORDER="0" CELLPADDING="1"')}>`;
    return drawArrow(from, to, label, layers.indexOf(from) > layers.indexOf(to));
  }
}

function treeRows({ name, root }: MachineModel): string[] {
  const child = children[name];
  const description = root.description === undefined ? [] : wrap(root.description, BOX_WIDTH);
  return [
    ...(child === undefined ? [] : [row(span(child.id, { color: 'child' }), { align: 'CENTER' })]),
    ...(child === undefined ? [] : [row(span(`one per ${child.per}`, { color: 'guard' }), { align: 'CENTER' })]),
    ...description.map((line) => row(span(line, { color: 'muted' }), { align: 'CENTER' })),
  ];
}

function outsideRows(name: string): string[] {
  const events = messageTable.outside?.[name] ?? [];
  if (events.length === 0) return [];
  const heading = row(span('from outside', { color: 'muted' }), { align: 'CENTER' });
  return [
    GAP,
    '<HR/>',
    GAP,
    heading,
    ...events.map((event) => row(span(event, { color: 'action' }), { align: 'CENTER' })),
  ];
}

function actorBox(id: string, name: string, rows: readonly string[]): string {
  const heading = row(span(name, { color: 'ink', bold: true, size: 15 }), { align: 'CENTER' });
  const frame = `BORDER="1" STYLE="ROUNDED" COLOR="${color('boxLine')}" BGCOLOR="${color('box')}" CELLPADDING="1"`;
  return `${quote(id)} [label=<${table(airy([heading, ...rows]), frame)}>]`;
}

function titleLabel(title: string, description: string): string {
  const rows = [
    row(span(title, { color: 'ink', bold: true, size: 21 })),
    ...wrap(description, 90).map((line) => row(span(line, { color: 'muted' }))),
  ];
  return `graph [label=<${table(rows, 'BORDER="0" CELLPADDING="2"')}>, labelloc=t, labeljust=l]`;
}
