/** A figure with bars or lines as SVG, readable in light and dark, drawn with the colours of our other pictures. */
import { color, pictureStyle } from '../../../diagrams/draw/palette.ts';

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Figure {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** What stands at these places of the horizontal axis. */
  readonly xTicks: readonly { readonly x: number; readonly label: string }[];
  readonly yTicks: readonly { readonly y: number; readonly label: string }[];
  /** A line across: what is promised. */
  readonly mark?: number;
  readonly kind: 'bars' | 'lines';
}

const WIDTH = 860;
const HEIGHT = 380;
const LEFT = 70;
const RIGHT = 20;
const TOP = 70;
const BOTTOM = 60;
const COLORS = [color('event'), color('action'), color('guard')];

export function drawFigure(figure: Figure): string {
  const xs = figure.xTicks.map(({ x }) => x);
  const ys = figure.yTicks.map(({ y }) => y);
  const pad = figure.kind === 'bars' ? 0.5 : 0;
  const [fromX, toX] = [Math.min(...xs) - pad, Math.max(...xs) + pad];
  const toY = Math.max(...ys);
  const atX = (x: number) => round(LEFT + ((x - fromX) / (toX - fromX)) * (WIDTH - LEFT - RIGHT));
  const atY = (y: number) => round(HEIGHT - BOTTOM - (Math.min(y, toY) / toY) * (HEIGHT - TOP - BOTTOM));

  const drawn = figure.series.flatMap(({ points }, index) => {
    const paint = COLORS[index % COLORS.length] as string;
    if (figure.kind === 'lines') {
      const path = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${atX(x)} ${atY(y)}`).join('');
      return [`<path d="${path}" fill="none" stroke="${paint}" stroke-width="2"/>`];
    }
    const width = 0.8 / figure.series.length;
    return points.map(({ x, y }) => {
      const left = atX(x - 0.4 + index * width);
      const right = atX(x - 0.4 + (index + 1) * width - 0.02);
      const height = round(atY(0) - atY(y));
      return `<rect x="${left}" y="${atY(y)}" width="${round(right - left)}" height="${height}" fill="${paint}"/>`;
    });
  });
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${color('page')}"/>`,
    text(LEFT, 28, figure.title, { size: 16, weight: 600 }),
    ...figure.series.map(({ name }, index) => legend(LEFT + 190 * index, 50, name, COLORS[index] as string)),
    ...figure.yTicks.flatMap(({ y, label }) => [
      line(LEFT, atY(y), WIDTH - RIGHT, atY(y), color('groupLine')),
      text(LEFT - 8, atY(y) + 4, label, { anchor: 'end', fill: color('muted') }),
    ]),
    ...figure.xTicks.map(({ x, label }) =>
      text(atX(x), HEIGHT - BOTTOM + 18, label, { anchor: 'middle', fill: color('muted') }),
    ),
    ...drawn,
    ...(figure.mark === undefined
      ? []
      : [line(LEFT, atY(figure.mark), WIDTH - RIGHT, atY(figure.mark), color('ink'), '5 4')]),
    line(LEFT, atY(0), WIDTH - RIGHT, atY(0), color('line')),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, figure.xLabel, { anchor: 'middle', fill: color('muted') }),
    `<g transform="rotate(-90 16 ${HEIGHT / 2})">${text(16, HEIGHT / 2, figure.yLabel, { anchor: 'middle', fill: color('muted') })}</g>`,
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" role="img">`;
  const described = `<title>${figure.title}</title><style>${pictureStyle()}</style>`;
  return `${head}${described}\n${parts.join('\n')}\n</svg>\n`;
}

interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
}

function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', fill = color('ink'), size = 12, weight = 400 } = options;
  const style = `text-anchor="${anchor}" font-size="${size}" font-weight="${weight}"`;
  return `<text x="${round(x)}" y="${round(y)}" ${style} fill="${fill}">${content}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, dashes = 'none'): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" stroke-dasharray="${dashes}"/>`;
}

function legend(x: number, y: number, name: string, fill: string): string {
  return `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${fill}"/>${text(x + 18, y, name)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
