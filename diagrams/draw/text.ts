/** Text in pictures: wrapped at words, and escaped for Graphviz, whatever it holds. */
import { type ColorName, color } from './palette.ts';

/** Lines of at most `width` characters where words allow, all about as long. */
export function wrap(text: string, width: number): string[] {
  const lines = wrapGreedily(text, width);
  for (let narrower = width - 1; ; narrower--) {
    const candidate = wrapGreedily(text, narrower);
    if (narrower === 0 || candidate.length > lines.length) return wrapGreedily(text, narrower + 1);
  }
}

function wrapGreedily(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** For XML, which has no control characters. */
export function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A name in a DOT file. */
export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export interface Look {
  readonly color: ColorName;
  readonly bold?: boolean;
  readonly size?: number;
}

/** A piece of a Graphviz label, where a backslash would mean something. */
export function span(text: string, { color: name, bold = false, size }: Look): string {
  const escaped = escapeXml(text).replaceAll('\\', '\\\\');
  const points = size === undefined ? '' : ` POINT-SIZE="${size}"`;
  return `<FONT COLOR="${color(name)}"${points}>${bold ? `<B>${escaped}</B>` : escaped}</FONT>`;
}

/** A row of a Graphviz table; `indent` in spaces. */
export function row(content: string, { align = 'LEFT', indent = 0 } = {}): string {
  return `<TR><TD ALIGN="${align}">${'\u00a0'.repeat(indent)}${content}</TD></TR>`;
}

export const GAP = '<TR><TD HEIGHT="4"></TD></TR>';

/** The same rows with air around them. */
export function airy(rows: readonly string[]): string[] {
  const side = '<TD WIDTH="7"></TD>';
  return [GAP, ...rows.map((line) => line.replace(/^<TR>(.*)<\/TR>$/s, `<TR>${side}$1${side}</TR>`)), GAP];
}

export function table(rows: readonly string[], attributes: string): string {
  return `<TABLE CELLBORDER="0" CELLSPACING="0" ${attributes}>${rows.join('')}</TABLE>`;
}
