/** A message for a person: a line about it, what it answers, then the text, indented so that no text can pass for another message. */
import type { Message } from '../../feed/message.ts';
import type { Paint } from '../output.ts';
import { localDateTime, shortHash } from './text.ts';

export interface MessageStyle {
  /** Default: the first digits of a hash only. */
  readonly wholeHashes?: boolean;
}

/** Several lines, without a newline at the end. */
export function renderMessage(message: Message, paint: Paint, { wholeHashes = false }: MessageStyle = {}): string {
  const showHash = wholeHashes ? (hash: string) => hash : shortHash;
  const head = [
    paint('bold', message.author),
    paint('dim', localDateTime(message.date)),
    paint('dim', showHash(message.hash)),
    ...marks(message).map((mark) => paint('yellow', `[${mark}]`)),
  ].join('  ');
  const answered =
    message.inReplyTo === null ? [] : [`    ${paint('dim', `↳ in reply to ${showHash(message.inReplyTo)}`)}`];
  const body = message.body.split('\n').map((line) => `    ${line}`.trimEnd());
  return [head, ...answered, ...body].join('\n');
}

/** What a reader should know before believing a message. */
function marks({ authenticated, future }: Message): string[] {
  return [...(authenticated ? [] : ['not authenticated']), ...(future ? ['dated in the future'] : [])];
}
