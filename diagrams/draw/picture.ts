/** A picture as boxes and arrows, and as a Graphviz graph in which each arrow has a place of its own on the boxes' edges. */
import { color } from './palette.ts';
import { quote, table } from './text.ts';

const HUES = [
  'line',
  'arrow1',
  'arrow2',
  'arrow3',
  'arrow4',
  'arrow5',
  'arrow6',
  'arrow7',
  'arrow8',
  'arrow9',
] as const;
type Hue = (typeof HUES)[number];

export interface Picture {
  readonly name: string;
  /** From which side to which boxes follow each other. */
  readonly direction?: 'down' | 'right';
  /** Title, groups, and which box is in which: everything but the looks of boxes and the arrows. */
  readonly structure: readonly string[];
  /** The Graphviz table of each box. */
  readonly boxes: ReadonlyMap<string, string>;
  readonly arrows: readonly Arrow[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** A Graphviz table. */
  readonly label?: string;
  /** Further Graphviz attributes. */
  readonly attributes?: string;
  /** Graphviz puts an arrow's start before its end, so one that leads back is drawn from its end. */
  readonly isBackward?: boolean;
}

/** For an arrow by its index, the places at its two ends, counted along the edge of each box. */
export type Places = ReadonlyMap<number, { readonly first: number; readonly second: number }>;

/** The two boxes in the order in which Graphviz puts them. */
export function endsOf({ from, to, isBackward = false }: Arrow): { first: string; second: string } {
  return isBackward ? { first: to, second: from } : { first: from, second: to };
}

/** @param places without them all arrows of a box lead to its middle, and some lie over each other */
export function toDot(picture: Picture, places: Places = new Map()): string {
  const { name, direction = 'down', structure, boxes, arrows } = picture;
  const font = 'fontname="Helvetica", fontsize=13';
  const rankdir = direction === 'down' ? 'TB' : 'LR';
  // Where many arrows meet they need height to part.
  const busiest = Math.max(0, ...[...places.values()].flatMap(({ first, second }) => [first, second]));
  const ranksep = (0.4 + 0.06 * busiest).toFixed(2);
  const hues = huesOf(arrows);
  const drawn = arrows.map((arrow, i) => toEdge(arrow, hues[i] as Hue, places.get(i), boxes));
  const labels = [...boxes].map(([id, box]) => {
    const count = (end: 'first' | 'second') =>
      arrows.filter((arrow, i) => places.has(i) && endsOf(arrow)[end] === id).length;
    return `${quote(id)} [label=<${withPlaces(box, count('second'), count('first'))}>]`;
  });
  return [
    `digraph ${quote(name)} {`,
    `graph [${font}, rankdir=${rankdir}, compound=true, nodesep=0.2, ranksep=${ranksep}, pad=0.3, bgcolor="${color('page')}"]`,
    `node [${font}, shape=plain]`,
    `edge [${font}, arrowsize=0.8, penwidth=1.2]`,
    ...structure,
    ...labels,
    ...drawn,
    '}\n',
  ].join('\n');
}

function toEdge(
  arrow: Arrow,
  hue: Hue,
  places: { first: number; second: number } | undefined,
  boxes: Picture['boxes'],
) {
  const { first, second } = endsOf(arrow);
  const { label, attributes = '', isBackward = false } = arrow;
  const parts = [
    `color="${color(hue)}"`,
    ...(label === undefined ? [] : [`label=<${barred(label, hue)}>`]),
    ...(isBackward ? ['dir=back', 'class=backward'] : []),
    ...(places !== undefined && boxes.has(first) ? [`tailport=${quote(`below${places.first}:s`)}`] : []),
    ...(places !== undefined && boxes.has(second) ? [`headport=${quote(`above${places.second}:n`)}`] : []),
    attributes,
  ];
  return `${quote(first)} -> ${quote(second)} [${parts.join(' ')}]`;
}

/** A label has a bar in the colour of its arrow. */
function barred(label: string, hue: Hue): string {
  return table([`<TR><TD>${label}</TD></TR>`], `BORDER="2" SIDES="L" COLOR="${color(hue)}" CELLPADDING="0"`);
}

/** For each arrow with a label a colour that no other has which shares a box with it, as far as there are colours enough. */
function huesOf(arrows: readonly Arrow[]): Hue[] {
  const chosen: Hue[] = [];
  for (const arrow of arrows) {
    const ends = new Set(Object.values(endsOf(arrow)));
    const beside = chosen.filter((_, i) => Object.values(endsOf(arrows[i] as Arrow)).some((end) => ends.has(end)));
    const uses = (hue: Hue) => beside.filter((other) => other === hue).length;
    const best = HUES.reduce((one, other) => (uses(other) < uses(one) ? other : one));
    chosen.push(arrow.label === undefined ? 'line' : best);
  }
  return chosen;
}

/** Cells without height above and below a box, at which arrows end. */
function withPlaces(box: string, above: number, below: number): string {
  if (above + below === 0) return box;
  const side = (name: string, count: number) => {
    if (count === 0) return [];
    const cells = Array.from({ length: count }, (_, i) => `<TD PORT="${name}${i}" WIDTH="18" HEIGHT="0"></TD>`);
    return [`<TR><TD>${table([`<TR>${cells.join('')}</TR>`], 'BORDER="0" CELLPADDING="0"')}</TD></TR>`];
  };
  const rows = [...side('above', above), `<TR><TD>${box}</TD></TR>`, ...side('below', below)];
  return table(rows, 'BORDER="0" CELLPADDING="0"');
}
