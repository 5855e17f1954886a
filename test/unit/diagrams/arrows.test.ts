/** Each arrow of a drawing can be followed from end to end. */
import { expect, test } from 'vitest';
import { colors } from '../../../diagrams/draw/palette.ts';
import { generateDiagrams } from '../../../diagrams/draw/write-diagrams.ts';

/** A sequence has a row for each arrow: life-of-a-post.test.ts. */
const OTHERS = ['supervision.svg', 'life-of-a-post.svg'];
const drawings = [...(await generateDiagrams())].filter(([name]) => name.endsWith('.svg') && !OTHERS.includes(name));
const ARROW = /class="edge">\n<title>([^<]*)<\/title>\n<path .*?stroke="(#\w+)".*? d="([^"]*)"/g;

interface Arrow {
  readonly boxes: string[];
  readonly color: string;
  readonly ends: string[];
}

function arrowsOf(svg: string): Arrow[] {
  return [...svg.matchAll(ARROW)].map(([, title = '', color = '', path = '']) => {
    const points = path.match(/[-\d.]+,[-\d.]+/g) ?? [];
    return { boxes: title.split('&#45;&gt;'), color, ends: [points.at(0) ?? '', points.at(-1) ?? ''] };
  });
}

test.for(drawings)('no two arrows of %s begin or end at the same point', ([, svg]) => {
  const arrows = arrowsOf(svg);
  expect(arrows.length).toBeGreaterThan(0);
  const ends = arrows.flatMap((arrow) => arrow.ends);
  expect(ends.filter((end, i) => ends.indexOf(end) !== i)).toEqual([]);
});

test.for(drawings)('arrows of %s that share a box differ in colour, unless more than ten meet', ([, svg]) => {
  const arrows = arrowsOf(svg).filter(({ color }) => color !== colors.line[0]);
  const besides = (arrow: Arrow) => arrows.filter((other) => arrow.boxes.some((box) => other.boxes.includes(box)));
  for (const arrow of arrows) {
    const beside = besides(arrow).filter((other) => besides(other).length <= 10);
    if (besides(arrow).length > 10) continue;
    expect(beside.filter(({ color }) => color === arrow.color)).toEqual([arrow]);
  }
});
