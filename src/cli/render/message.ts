/** A message for a person: a line about it, what it answers, then the text, indented so that no text can pass for another message. */
import { isMentioned } from '../../feed/mentions.ts';
import type { Message } from '../../feed/message.ts';
import type { Muting } from '../../store/muting.ts';
import type { Paint } from '../output/output.ts';
import { doubtMarks, marksOf, mutedMark, withMarks } from './message-marks.ts';
import type { NameDoubts } from './name-doubts.ts';
import { foldBlankLines, localDateTime, shortHash } from './text.ts';

export interface MessageStyle {
  /** Whose mentions stand out. */
  readonly names: readonly string[];
  /** Whose mentions are said. */
  readonly ownName: string;
  /** Why it is not shown where nobody asks for it. */
  readonly muting?: Muting;
  /** Of its author's name. */
  readonly doubts?: NameDoubts;
  /** Default: the first digits of a hash only. */
  readonly wholeHashes?: boolean;
}

/** Several lines, without a newline at the end. */
export function renderMessage(message: Message, paint: Paint, style: MessageStyle): string {
  const { names, ownName, wholeHashes, muting, doubts = {} } = style;
  const showHash = wholeHashes ? (hash: string) => hash : shortHash;
  const mentionsYou = message.author !== ownName && isMentioned(message.body, ownName);
  const marks = [
    ...doubtMarks(doubts),
    ...marksOf(message),
    ...(mentionsYou ? ['mentions you'] : []),
    ...(muting ? [mutedMark(muting)] : []),
  ];
  const head = [
    paint('bold', message.author),
    paint('dim', localDateTime(message.date ?? message.receivedAt)),
    paint('dim', showHash(message.hash)),
    ...marks.map((mark) => paint('yellow', `[${mark}]`)),
  ].join('  ');
  const answered =
    message.inReplyTo === null ? [] : [`    ${paint('dim', `↳ in reply to ${showHash(message.inReplyTo)}`)}`];
  const body = foldBlankLines(withMarks(message.body, names, ownName, paint), paint)
    .split('\n')
    .map((line) => `    ${line}`.trimEnd());
  return [head, ...answered, ...body].join('\n');
}
