/** The two pictures that show all machines at once: who spawns whom, and who tells whom what. */
import { messageTable } from '../../machines/messages.ts';
import { children, companions } from './actors.ts';
import type { MachineModel } from './model.ts';
import { color } from './palette.ts';
import type { Arrow, Picture } from './picture.ts';
import { closely } from './state-chart.ts';
import { airy, GAP, quote, row, span, table, wrap } from './text.ts';

const BOX_WIDTH = 28;

/** A tree from each machine that nobody spawns, from left to right. A kind that has children is drawn whole only once. */
export function supervisionTree(machines: readonly MachineModel[]): Picture {
  const byName = new Map(machines.map((machine) => [machine.name, machine]));
  const spawned = new Set(machines.flatMap((machine) => machine.children));
  const boxes = new Map<string, string>();
  const arrows: Arrow[] = [];
  const drawn = new Set<string>();
  const branch = (machine: MachineModel, path: string): void => {
    const { name } = machine;
    if (drawn.has(name)) {
      boxes.set(path, actorBox(name, [...idRows(name), note('described elsewhere here')]));
      return;
    }
    drawn.add(name);
    boxes.set(path, actorBox(name, treeRows(machine)));
    for (const kind of machine.children) {
      const child = `${path}/${kind}`;
      branch(byName.get(kind) as MachineModel, child);
      arrows.push({ from: path, to: child, attributes: 'tailport=e, headport=w' });
    }
  };
  for (const root of machines) if (!spawned.has(root.name)) branch(root, root.name);
  for (const [from, to] of Object.entries(companions)) {
    arrows.push({ from, to, attributes: 'style=dashed, dir=both, constraint=false' });
  }
  const title = titleLabel(
    'supervision tree',
    'Each actor is spawned and stopped by the one to its left. Dashed: sends events to it, and hears what it emits.',
  );
  return {
    name: 'supervision',
    direction: 'right',
    structure: [title, ...[...boxes.keys()].map(quote)],
    boxes,
    arrows,
  };
}

export function messageOverview(machines: readonly MachineModel[]): Picture {
  const layers = Object.keys(messageTable);
  const names = machines.map(({ name }) => name).sort((a, b) => layers.indexOf(a) - layers.indexOf(b));
  const arrows = Object.entries(messageTable).flatMap(([from, receivers]) =>
    from === 'outside' ? [] : Object.entries(receivers).map(([to, events]) => messageArrow(from, to, events)),
  );
  const title = titleLabel(
    'messages between actors',
    'Arrows carry what one actor sends to another; the boxes list what comes in from outside.',
  );
  const boxes = new Map(names.map((name) => [name, actorBox(name, outsideRows(name))]));
  return { name: 'messages', structure: [title, ...closely(names.map(quote))], boxes, arrows };

  function messageArrow(from: string, to: string, events: readonly string[]): Arrow {
    const rows = events.map((event) => row(span(event, { color: 'event' })));
    const label = table(airy(rows), 'BORDER="0" CELLPADDING="1"');
    return { from, to, label, isBackward: layers.indexOf(from) > layers.indexOf(to) };
  }
}

function treeRows({ name, root }: MachineModel): string[] {
  const description = root.description === undefined ? [] : wrap(root.description, BOX_WIDTH);
  return [...idRows(name), ...description.map(note)];
}

function idRows(name: string): string[] {
  const child = children[name];
  if (child === undefined) return [];
  return [
    row(span(child.id, { color: 'child' }), { align: 'CENTER' }),
    ...wrap(`one per ${child.per}`, BOX_WIDTH).map((line) => row(span(line, { color: 'guard' }), { align: 'CENTER' })),
  ];
}

function note(text: string): string {
  return row(span(text, { color: 'muted' }), { align: 'CENTER' });
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

function actorBox(name: string, rows: readonly string[]): string {
  const heading = row(span(name, { color: 'ink', bold: true, size: 15 }), { align: 'CENTER' });
  const frame = `BORDER="1" STYLE="ROUNDED" COLOR="${color('boxLine')}" BGCOLOR="${color('box')}" CELLPADDING="1"`;
  return table(airy([heading, ...rows]), frame);
}

export function titleLabel(title: string, description: string): string {
  const rows = [
    row(span(title, { color: 'ink', bold: true, size: 21 })),
    ...wrap(description, 90).map((line) => row(span(line, { color: 'muted' }))),
  ];
  return `graph [label=<${table(rows, 'BORDER="0" CELLPADDING="2"')}>, labelloc=t, labeljust=l]`;
}
