/** Where on a box each arrow begins and ends: side by side, in the order in which a first layout led them there. */
import { type Arrow, endsOf, type Picture, type Places } from './picture.ts';

const LINE = /<g id="edge(\d+)" .*?<path [^>]*? d="([^"]*)"/gs;

/** @param sketch a drawing of the picture, as Graphviz makes it: an SVG that numbers arrows from 1 */
export function placesIn({ arrows, direction = 'down' }: Picture, sketch: string): Places {
  // From left to right there is room enough.
  if (direction === 'right') return new Map();
  const middles = new Map(
    [...sketch.matchAll(LINE)].map(([, number, path]) => [Number(number) - 1, middle(path ?? '')]),
  );
  const spread = [...arrows.keys()].filter((i) => isSpread(arrows[i] as Arrow));
  const rankAt = (end: 'first' | 'second', i: number) => {
    const box = endsOf(arrows[i] as Arrow)[end];
    const beside = spread.filter((other) => endsOf(arrows[other] as Arrow)[end] === box);
    return beside.sort((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0)).indexOf(i);
  };
  return new Map(spread.map((i) => [i, { first: rankAt('first', i), second: rankAt('second', i) }]));
}

/** An arrow from a box to itself has the box's side for itself, and one that does not count for the layout goes straight. */
function isSpread({ from, to, attributes = '' }: Arrow): boolean {
  return from !== to && !attributes.includes('constraint=false');
}

/** How far to the right the middle of a line is. */
function middle(path: string): number {
  const points = path.match(/[-\d.]+,[-\d.]+/g) ?? [];
  return Number.parseFloat(points[points.length >> 1] ?? '0');
}
