/** A message for a person: a line about it, what it answers, then the text, indented so that no text can pass for another message. */
import type { Message } from '../../feed/message.ts';
import type { Paint } from '../output/output.ts';
import { isMentioned, marksOf, withMarks } from './message-marks.ts';
import { localDateTime, shortHash } from './text.ts';

export interface MessageStyle {
  /** Whose mentions stand out. */
  readonly names: readonly string[];
  /** Whose mentions are said. */
  readonly ownName: string;
  /** Default: the first digits of a hash only. */
  readonly wholeHashes?: boolean;
}

/** Several lines, without a newline at the end. */
export function renderMessage(message: Message, paint: Paint, { names, ownName, wholeHashes }: MessageStyle): string {
  const showHash = wholeHashes ? (hash: string) => hash : shortHash;
  const mentionsYou = message.author !== ownName && isMentioned(message.body, ownName);
  const marks = [...marksOf(message), ...(mentionsYou ? ['mentions you'] : [])];
  const head = [
    paint('bold', message.author),
    paint('dim', localDateTime(message.date ?? message.receivedAt)),
    paint('dim', showHash(message.hash)),
    ...marks.map((mark) => paint('yellow', `[${mark}]`)),
  ].join('  ');
  const answered =
    message.inReplyTo === null ? [] : [`    ${paint('dim', `↳ in reply to ${showHash(message.inReplyTo)}`)}`];
  const body = withMarks(message.body, names, ownName, paint)
    .split('\n')
    .map((line) => `    ${line}`.trimEnd());
  return [head, ...answered, ...body].join('\n');
}
