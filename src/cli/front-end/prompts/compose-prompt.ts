/** A prompt for a message: it wraps while it is written, has room for several lines, and counts the bytes that are left. */
import { createPrompt, isEnterKey, type KeypressEvent, useEffect, useKeypress, useRef, useState } from '@inquirer/core';
import { safeText } from '../../../feed/safe-text.ts';
import type { Paint } from '../../output/output.ts';
import { counted } from '../../render/text.ts';
import { wrapText } from '../../render/wrap.ts';
import type { Writing } from '../dialogue.ts';
import { isPaste } from '../key-input.ts';
import { keyLines } from '../key-lines.ts';
import { cutAt, type Paste } from '../pastes.ts';
import { textWithCursor } from './text-with-cursor.ts';

export interface ComposePromptConfig extends Writing {
  readonly message: string;
  /** What went wrong before, such as with the editor; `''`: nothing. */
  readonly problem: string;
  /** How long others are not to see it yet, as it was chosen before: ms. */
  readonly delayMs?: number;
  readonly paint: Paint;
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly onRedraw: (changed: () => void) => () => void;
  /** What the person has to know meanwhile, such as what has arrived: one line, safe to show. */
  readonly news: () => string;
  /** What of the screen that one came from is still to be seen above: at most so many lines, safe to show. */
  readonly behind: (columns: number, rows: number) => readonly string[];
  readonly onNews: (changed: () => void) => () => void;
}

/** What was answered: a text, or that the rest is to be written in the editor. */
export interface Composed {
  readonly text: string;
  readonly wantsEditor: boolean;
  /** How long others are not to see it yet, ms. */
  readonly delayMs: number;
}

/** What a person has typed, as readline holds it; a newline in it was not the end of the line. */
interface Line {
  readonly text: string;
  readonly cursor: number;
}

/** As much of Node's readline as is needed; `line` and `cursor` may be set (nodejs.org/api/readline.html#rlline). */
interface Readline {
  line: string;
  cursor: number;
}

type Key = KeypressEvent & { readonly meta?: boolean };

const KEYS = [
  { key: 'Enter', label: 'send' },
  { key: 'Alt-Enter', label: 'new line' },
  { key: 'Ctrl-T', label: 'later' },
  { key: 'Ctrl-O', label: 'editor' },
  { key: 'Esc', label: 'back' },
];

/** What is too long can be cut down, or be sent in parts: so many times as much as a message has room for can be pasted. */
const MOST_TEXTS = 4;

/** How long a message can be taken back before others see it. */
const DELAYS: readonly (readonly [ms: number, inWords: string])[] = [
  [0, 'no time'],
  [30_000, '30 seconds'],
  [5 * 60_000, '5 minutes'],
  [60 * 60_000, '1 hour'],
];

export const composePrompt = createPrompt<Composed, ComposePromptConfig>((config, done) => {
  const { message, paint, draft, whyInvalid, maxBytes, onChange, above } = config;
  const [line, setLine] = useState<Line>({ text: draft, cursor: draft.length });
  const [delay, setDelay] = useState(
    Math.max(
      0,
      DELAYS.findIndex(([ms]) => ms === config.delayMs),
    ),
  );
  const [complaint, setComplaint] = useState(config.problem);
  const [delayMs, afterwards] = DELAYS[delay] as (typeof DELAYS)[number];
  const [, setRenders] = useState(0);
  const kept = useRef<Line>(line);

  useEffect((rl) => {
    put(rl as unknown as Readline, kept.current);
    let renders = 0;
    const again = () => {
      renders += 1;
      setRenders(renders);
    };
    const stops = [config.onNews(again), config.onRedraw(again)];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);

  useKeypress((key: Key, rl) => {
    const typed = rl as unknown as Readline;
    const keep = (next: Line) => {
      if (next.text !== kept.current.text) onChange(next.text);
      kept.current = next;
      setLine(next);
    };
    if (isPaste(key)) {
      const { text, cut } = fittingPaste(key.paste, MOST_TEXTS * maxBytes - kept.current.text.length);
      const next = inserted(kept.current, text);
      put(typed, next);
      keep(next);
      setComplaint(cut === 0 ? '' : `${counted(cut, 'character')} of what was pasted did not fit, and are left out`);
    } else if (isEnterKey(key) && key.meta) {
      // Readline took it for the end of the line.
      const next = inserted(kept.current, '\n');
      put(typed, next);
      keep(next);
    } else if (isEnterKey(key)) {
      const wrong = whyInvalid(kept.current.text);
      if (wrong === undefined) done({ text: kept.current.text, wantsEditor: false, delayMs });
      else {
        put(typed, kept.current);
        setComplaint(wrong);
      }
    } else if (key.ctrl && key.name === 'o') done({ text: kept.current.text, wantsEditor: true, delayMs });
    else if (key.ctrl && key.name === 't') {
      put(typed, kept.current);
      setDelay((delay + 1) % DELAYS.length);
    } else {
      setComplaint('');
      keep({ text: typed.line, cursor: typed.cursor });
    }
  });

  const { columns, rows } = config.size();
  const left = maxBytes - Buffer.byteLength(line.text);
  const text = textWithCursor(
    safeText(line.text.slice(0, line.cursor)),
    safeText(line.text.slice(line.cursor)),
    columns - 2,
  );
  const said = complaint === '' ? [''] : wrapText(paint('red', complaint), columns);
  const below = [...said, ...counterAndKeys(left, columns, paint), config.news()];
  const asked = above(columns);
  const later = delayMs === 0 ? '' : paint('yellow', ` · seen after ${afterwards}`);
  const rule = paint('dim', '─'.repeat(columns));
  const head = [rule, ...asked, ...(asked.length === 0 ? [] : ['']), paint('bold', message) + later];
  const page = fitted(head, text.lines, below, { rows: rows - 1, cursorRow: text.cursorRow });
  const free = rows - 1 - page.length;
  if (free > 0) page.unshift(...config.behind(columns, free));
  return `${page.join('\n')}${HIDDEN_CURSOR}`;
});

const HIDDEN_CURSOR = '\u001B[?25l';

/** On one line, if they fit. */
function counterAndKeys(left: number, columns: number, paint: Paint): string[] {
  const text = left < 0 ? `${counted(-left, 'byte')} too many` : `${counted(left, 'byte')} left`;
  const counter = paint(left < 0 ? 'red' : left < 100 ? 'yellow' : 'dim', text);
  const [keys = '', ...more] = keyLines(KEYS, columns - text.length - 2, paint);
  return more.length === 0 ? [`${counter}  ${keys}`] : [counter, ...keyLines(KEYS, columns, paint)];
}

function inserted({ text, cursor }: Line, added: string): Line {
  return { text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length };
}

function fittingPaste({ text, cut }: Paste, room: number): Paste {
  const fitting = cutAt(text, room);
  return { text: fitting, cut: cut + text.length - fitting.length };
}

function put(rl: Readline, { text, cursor }: Line): void {
  rl.line = text;
  rl.cursor = cursor;
}

/** What does not fit goes: first of what is above, then of the text, but never the line with the cursor. */
function fitted(
  head: readonly string[],
  text: readonly string[],
  below: readonly string[],
  { rows, cursorRow }: { rows: number; cursorRow: number },
): string[] {
  const roomForText = Math.max(1, rows - below.length - 1);
  const first = Math.max(0, Math.min(cursorRow - roomForText + 1, text.length - roomForText));
  const shown = text.slice(first, first + roomForText).map((line) => `  ${line}`);
  const roomAbove = Math.max(1, rows - below.length - shown.length);
  return [...head.slice(-roomAbove), ...shown, ...below];
}
