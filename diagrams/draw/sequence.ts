/** A sequence as SVG: a line for each actor, from top to bottom in the order of time. Each arrow has a row of its own. */
import { type ColorName, color, pictureStyle } from './palette.ts';
import { FONTS } from './svg.ts';
import { escapeXml, wrap } from './text.ts';

export interface Lane {
  readonly id: string;
  readonly name: string;
}

export interface Row {
  /** Ids of lanes. */
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** Between two machines. */
  readonly isDatagram: boolean;
  /** To which it led. */
  readonly state?: string;
}

export interface Band {
  readonly says: string;
  readonly rows: readonly Row[];
}

export interface Sequence {
  readonly title: string;
  readonly description: string;
  readonly groups: readonly { readonly name: string; readonly lanes: readonly Lane[] }[];
  readonly bands: readonly Band[];
}

const MARGIN = 24;
const LANE = 122;
const GAP = 60;
const ROW = 30;
const BAND = 46;
const HEAD = 150;

export function drawSequence({ title, description, groups, bands }: Sequence): string {
  const places = new Map<string, number>();
  const frames: string[] = [];
  let right = MARGIN;
  const height = HEAD + bands.reduce((sum, { rows }) => sum + BAND + rows.length * ROW, 0) + 2 * MARGIN;
  for (const { name, lanes } of groups) {
    const width = lanes.length * LANE;
    frames.push(frame(right, width, height, name));
    lanes.forEach(({ id }, i) => {
      places.set(id, right + (i + 0.5) * LANE);
    });
    right += width + GAP;
  }
  const width = right - GAP + MARGIN;
  const heads = groups.flatMap(({ lanes }) => lanes.map((lane) => head(lane, places.get(lane.id) ?? 0, height)));
  const below: string[] = [];
  let y = HEAD + 8;
  for (const { says, rows } of bands) {
    below.push(rect(MARGIN, y, width - 2 * MARGIN, 26, 'box'), text(says, MARGIN + 10, y + 18, 'ink', 'start', true));
    y += BAND;
    for (const row of rows) {
      below.push(arrow(row, places, y));
      y += ROW;
    }
  }
  const lines = wrap(description, 190).map((line, i) => text(line, MARGIN, 62 + i * 18, 'muted'));
  return [
    `<svg role="img" aria-label="${escapeXml(description)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg" font-family="${FONTS}" font-size="13">`,
    `<style>${pictureStyle()}</style>`,
    rect(0, 0, width, height, 'page'),
    `<text x="${MARGIN}" y="38" font-weight="bold" font-size="21" fill="${color('ink')}">${escapeXml(title)}</text>`,
    ...lines,
    ...frames,
    ...heads,
    ...below,
    '</svg>\n',
  ].join('\n');
}

function frame(x: number, width: number, height: number, name: string): string {
  const top = HEAD - 44;
  const box = `<rect x="${x}" y="${top}" width="${width}" height="${height - top - MARGIN / 2}" rx="8" fill="none" stroke="${color('groupLine')}"/>`;
  return `${box}\n${text(name, x + 10, top - 6, 'ink', 'start', true)}`;
}

function head({ name }: Lane, x: number, height: number): string {
  const line = `<path fill="none" stroke="${color('groupLine')}" d="M${x},${HEAD - 6}V${height - MARGIN}"/>`;
  const width = LANE - 10;
  const box = `<rect x="${x - width / 2}" y="${HEAD - 32}" width="${width}" height="26" rx="5" fill="${color('box')}" stroke="${color('boxLine')}"/>`;
  return [line, box, text(name, x, HEAD - 14, 'ink', 'middle')].join('\n');
}

function arrow({ from, to, label, isDatagram, state }: Row, places: ReadonlyMap<string, number>, y: number): string {
  const [start, end] = [placeOf(from, places), placeOf(to, places)];
  const line = color(isDatagram ? 'arrow9' : 'line');
  const side = end >= start ? 1 : -1;
  const tip = `<polygon fill="${line}" stroke="${line}" points="${end},${y} ${end - side * 9},${y - 4} ${end - side * 9},${y + 4}"/>`;
  const way = `<path fill="none" stroke="${line}" stroke-width="${isDatagram ? 2.2 : 1.2}" d="M${start},${y}H${end - side * 8}"/>`;
  const says = text(label, (start + end) / 2, y - 5, 'event', 'middle', isDatagram);
  const led = state === undefined ? '' : text(state, end + side * 6, y + 4, 'ink', side > 0 ? 'start' : 'end', true);
  return `<g class="arrow">\n<title>${escapeXml(`${from} → ${to}: ${label}`)}</title>\n${way}\n${tip}\n<g class="labels">${says}${led}</g>\n</g>`;
}

function placeOf(lane: string, places: ReadonlyMap<string, number>): number {
  const place = places.get(lane);
  if (place === undefined) throw new Error(`the drawing has no line for ${lane}`);
  return place;
}

function rect(x: number, y: number, width: number, height: number, fill: ColorName): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${color(fill)}" stroke="none"/>`;
}

function text(content: string, x: number, y: number, name: ColorName, anchor = 'start', isBold = false): string {
  const weight = isBold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${weight} fill="${color(name)}">${escapeXml(content)}</text>`;
}
