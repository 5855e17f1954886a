/** What a reader should know of a message besides its text. */
import { withLinks } from '../../feed/links.ts';
import { mentionsIn } from '../../feed/mentions.ts';
import type { Message } from '../../feed/message.ts';
import { safeLine } from '../../feed/safe-text.ts';
import type { Muting } from '../../store/muting.ts';
import type { Paint } from '../output/output.ts';
import type { NameDoubts } from './name-doubts.ts';
import { localDateTime } from './text.ts';

/** Before believing it. `keyChanged`: its author turned up with another key. */
export function marksOf({ authenticated, date, future }: Message, keyChanged = false): string[] {
  return [
    ...(authenticated ? [] : ['not authenticated']),
    // The time that is shown is then the one of its arrival.
    ...(date === null ? ['undated'] : []),
    ...(future ? ['dated in the future'] : []),
    ...(keyChanged ? ['key changed'] : []),
  ];
}

/** Reasons to doubt that a name belongs to the person whom a reader thinks of. */
export function doubtMarks({ looksLike, hidden }: NameDoubts): string[] {
  return [
    ...(looksLike === undefined ? [] : [`looks like ${safeLine(looksLike)}`]),
    ...(hidden === undefined ? [] : [`not shown in the name: ${hidden.slice(0, MOST_HIDDEN).join(' ')}`]),
  ];
}
const MOST_HIDDEN = 8;

/** That it is muted, and by what. */
export function mutedMark({ by, subject, untilMs }: Muting): string {
  const what = by === 'word' ? `“${safeLine(subject)}”` : by === 'peer' ? safeLine(subject) : 'this conversation';
  return `muted: ${what}${untilText(untilMs)}`;
}

/** ` until 2026-01-31 12:05`; `''` for good. */
export function untilText(untilMs: number | undefined): string {
  return untilMs === undefined ? '' : ` until ${localDateTime(new Date(untilMs).toISOString())}`;
}

/** The text with the names in it that are mentioned made to stand out, one's own most, and web addresses as links. */
export function withMarks(body: string, names: readonly string[], ownName: string, paint: Paint): string {
  return withLinks(body)
    .map((piece) => {
      if (piece.kind === 'text') return withMentions(piece.text, names, ownName, paint);
      const text = paint('underline', piece.text);
      return paint.link?.(text, piece.href) ?? text;
    })
    .join('');
}

function withMentions(body: string, names: readonly string[], ownName: string, paint: Paint): string {
  let text = '';
  let shown = 0;
  for (const { start, end, name } of mentionsIn(body, names)) {
    const format: Parameters<Paint>[0] = name === ownName ? ['bold', 'inverse'] : 'bold';
    text += body.slice(shown, start) + paint(format, body.slice(start, end));
    shown = end;
  }
  return text + body.slice(shown);
}
