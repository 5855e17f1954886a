/** A text that is being edited, wrapped, with a block where the cursor is. */
import { wrapAnsi } from 'fast-wrap-ansi';

/** The block is no colour: it is there without colours too. */
const BLOCK_ON = '\u001B[7m';
const BLOCK_OFF = '\u001B[27m';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface TextWithCursor {
  readonly lines: readonly string[];
  /** The line that the cursor is on. */
  readonly cursorRow: number;
}

/** The cursor is on the first character of `after`, or behind `before` if there is none. */
export function textWithCursor(before: string, after: string, columns: number): TextWithCursor {
  const [first] = graphemes.segment(after);
  const under = first === undefined || first.segment.startsWith('\n') ? ' ' : first.segment;
  const rest = after.slice(under === ' ' && !after.startsWith(' ') ? 0 : under.length);
  const marked = `${before}${BLOCK_ON}${under}${BLOCK_OFF}${rest}`;
  const lines = wrapAnsi(marked, columns, { hard: true, trim: false }).split('\n');
  const cursorRow = lines.findIndex((line) => line.includes(BLOCK_ON));
  return { lines, cursorRow: Math.max(0, cursorRow) };
}
