/** A message on a screen: a line about it, then its text, indented so that no text can pass for another message. */
import type { Message } from '../../feed/message.ts';
import type { Muting } from '../../store/muting.ts';
import type { Item } from '../front-end/screen.ts';
import type { Paint } from '../output/output.ts';
import { authorColour } from './author-colour.ts';
import { doubtMarks, marksOf, mutedMark, withMarks } from './message-marks.ts';
import type { NameDoubts } from './name-doubts.ts';
import { relativeTime } from './relative-time.ts';
import { foldBlankLines, localDateTime } from './text.ts';
import { truncate, wrapText } from './wrap.ts';

export interface MessageItemOptions {
  readonly paint: Paint;
  readonly nowMs: number;
  /** How many messages it stands below, in a conversation. */
  readonly depth: number;
  readonly ownName: string;
  /** Whose mentions stand out. */
  readonly names: readonly string[];
  readonly exactDate: boolean;
  readonly keyChanged: boolean;
  /** Of its author's name. */
  readonly doubts: NameDoubts;
  /** Why it is not shown where nobody asks for it. */
  readonly muting?: Muting | undefined;
  readonly isBookmarked?: boolean;
  /** It stands out as new; default: what was not read, of others. */
  readonly isNew?: boolean;
  /** Who wrote what it answers, if that does not stand above it, safe to show; undefined: nobody knows. */
  readonly answered?: string | undefined;
  /** Lines of text, the rest is left out; default: all. */
  readonly maxLines?: number;
}

const INDENT = 2;
const BODY_INDENT = 2;
/** However deep a conversation gets, so much of a line is left to its text. */
const LEAST_COLUMNS = 24;

export function messageItem(message: Message, options: MessageItemOptions): Item {
  let width = -1;
  let lines: readonly string[] = [];
  return {
    id: message.hash,
    lines: (columns) => {
      if (columns !== width) {
        width = columns;
        lines = render(message, options, columns);
      }
      return lines;
    },
  };
}

function render(message: Message, options: MessageItemOptions, columns: number): string[] {
  const { depth, paint, names, ownName, maxLines = Number.POSITIVE_INFINITY } = options;
  const indent = Math.min(depth * INDENT, Math.max(0, columns - LEAST_COLUMNS - BODY_INDENT));
  const margin = ' '.repeat(indent);
  const bodyMargin = ' '.repeat(indent + BODY_INDENT);
  const body = foldBlankLines(withMarks(message.body, names, ownName, paint), paint);
  const text = wrapText(body, Math.max(2, columns - bodyMargin.length));
  const shown = text.length > maxLines ? text.slice(0, maxLines - 1) : text;
  const rest = text.length - shown.length;
  return [
    truncate(margin + head(message, options), columns),
    ...shown.map((line) => bodyMargin + line),
    ...(rest === 0 ? [] : [bodyMargin + paint('dim', truncate(`… ${rest} more lines`, columns - bodyMargin.length))]),
  ];
}

function head(message: Message, options: MessageItemOptions): string {
  const { depth, paint, nowMs, ownName, exactDate, keyChanged, doubts, answered, muting, isBookmarked } = options;
  const { author, inReplyTo, read } = message;
  const date = message.date ?? message.receivedAt;
  const isOwn = author === ownName;
  const { isNew = !read && !isOwn } = options;
  const when = exactDate ? localDateTime(date) : relativeTime(Date.parse(date), nowMs);
  return [
    ...(isNew ? [paint(['bold', 'cyan'], '•')] : []),
    ...(depth > 0 ? [paint('dim', '↳')] : []),
    paint(authorColour(author), author) + (isOwn && author !== 'you' ? paint('dim', ' (you)') : ''),
    paint('dim', when),
    ...(inReplyTo !== null && depth === 0 ? [paint('dim', `↳ to ${answered ?? 'somebody'}`)] : []),
    ...(isBookmarked ? [paint('yellow', '★')] : []),
    ...[...doubtMarks(doubts), ...marksOf(message, keyChanged)].map((mark) => paint('yellow', `[${mark}]`)),
    ...(muting ? [paint('yellow', `[${mutedMark(muting)}]`)] : []),
  ].join(' ');
}
