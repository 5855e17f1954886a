/** Terminal screens, one after the other, as an SVG that moves by itself. */
import width from 'fast-string-width';

export interface Frame {
  /** Lines with escape sequences that colour them. */
  readonly screen: string;
  readonly seconds: number;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Run {
  readonly column: number;
  readonly text: string;
  readonly style: string;
}

const CELL = { width: 8.4, height: 18 };
const MARGIN = 12;
const BACKGROUND = '#1b1f27';
const FOREGROUND = '#d7dce4';
/** By the SGR number of the foreground. */
const COLOURS: Readonly<Record<number, string>> = {
  31: '#f7768e',
  32: '#9ece6a',
  33: '#e0af68',
  34: '#7aa2f7',
  35: '#bb9af7',
  36: '#7dcfff',
};

export function movingPicture(title: string, frames: readonly Frame[], { columns, rows }: Size): string {
  const total = Number(frames.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1));
  const [w, h] = [columns * CELL.width + 2 * MARGIN, rows * CELL.height + 2 * MARGIN];
  let start = 0;
  const shown = frames.map(({ screen, seconds }, index) => {
    const [from, to] = [start, start + seconds].map((at) => ((at / total) * 100).toFixed(3));
    start += seconds;
    const rule = `@keyframes f${index}{0%{visibility:hidden}${from}%{visibility:visible}${to}%,100%{visibility:hidden}}`;
    const on = new Map<string, string>();
    const lines = screen.split('\n').map((line, row) => lineOf(line, row, on));
    const group = `<g style="animation:f${index} ${total}s step-end infinite">${lines.join('')}</g>`;
    return { rule, group };
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${FOREGROUND};white-space:pre}g~g{visibility:hidden}`,
    ...shown.map(({ rule }) => rule),
    '</style>',
    `<rect width="${w}" height="${h}" rx="8" fill="${BACKGROUND}"/>`,
    ...shown.map(({ group }) => group),
    '</svg>',
    '',
  ].join('\n');
}

/** `on` is what is switched on at the start of the line, and then at its end. */
function lineOf(line: string, row: number, on: Map<string, string>): string {
  const y = MARGIN + row * CELL.height;
  return runsOf(line, on)
    .filter(({ text, style }) => text.trim() !== '' || style.includes('inverse'))
    .map(({ column, text, style }) => {
      const [x, length] = [MARGIN + column * CELL.width, width(text) * CELL.width].map((value) => value.toFixed(1));
      const isInverse = style.includes('inverse');
      const block = isInverse
        ? `<rect x="${x}" y="${y + 1}" width="${length}" height="${CELL.height}" fill="${FOREGROUND}"/>`
        : '';
      const css = isInverse ? `fill:${BACKGROUND}` : style;
      const attributes = `x="${x}" y="${y + 14}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
      return `${block}<text ${attributes}${css === '' ? '' : ` style="${css}"`}>${escaped(text)}</text>`;
    })
    .join('');
}

/** What has one style, cut where there is more than a space, so that columns stay where they were. */
function runsOf(line: string, on: Map<string, string>): Run[] {
  const runs: Run[] = [];
  let column = 0;
  for (const [index, part] of line.split('\u001B[').entries()) {
    const end = index === 0 ? -1 : part.indexOf('m');
    if (end !== -1) for (const code of part.slice(0, end).split(';').map(Number)) apply(code, on);
    for (const piece of part.slice(end + 1).split(/(?<=\s\s)(?=\S)/u)) {
      const text = on.has('inverse') ? piece : piece.trimEnd();
      runs.push({ column: column + leading(text), text: text.trimStart() || text, style: [...on.values()].join(';') });
      column += width(piece);
    }
  }
  return runs;
}

const leading = (text: string) => (text.trim() === '' ? 0 : text.length - text.trimStart().length);

function apply(code: number, on: Map<string, string>): void {
  const colour = COLOURS[code];
  if (code === 0) on.clear();
  else if (code === 1) on.set('weight', 'font-weight:bold');
  else if (code === 2) on.set('weight', 'opacity:.6');
  else if (code === 22) on.delete('weight');
  else if (code === 7) on.set('inverse', '--inverse:1');
  else if (code === 27) on.delete('inverse');
  else if (code === 39) on.delete('colour');
  else if (colour !== undefined) on.set('colour', `fill:${colour}`);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
