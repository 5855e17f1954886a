/** One message on an exported page. */
import { withLinks } from '../../feed/links.ts';
import type { Message } from '../../feed/message.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { type Markup, markup } from './markup.ts';

/** What is around a message. */
export interface Surrounding {
  /** Its page and its place there. */
  addressOf(message: Message): string;
  /** The message that it answers, if that is shown as well. */
  answered(message: Message): Message | undefined;
  repliesTo(message: Message): readonly Message[];
}

const EXCERPT = 60;

/** The same message of another author is another place. */
export function messageId({ author, hash }: Message): string {
  return `${hash}-${encodeURIComponent(author).replaceAll('%', '_')}`;
}

export function messageArticle(message: Message, surrounding: Surrounding): Markup {
  const { author, hash, authenticated, body } = message;
  const unsigned = markup` · <span class="mark">not signed with a known key</span>`;
  return markup`<article id="${messageId(message)}" tabindex="-1">
<header><bdi class="author">${author}</bdi> <a href="${surrounding.addressOf(message)}">${dateOf(message)}</a></header>
${answerLine(message, surrounding)}<div class="body" dir="auto">${withLinks(body).map(piece)}</div>
${replyLine(surrounding.repliesTo(message), surrounding)}<footer><code>${hash}</code>${authenticated ? '' : unsigned}</footer>
</article>
`;
}

function dateOf({ date, future }: Message): Markup {
  if (date === null) return markup`<span class="undated">undated</span>`;
  const mark = markup` <span class="mark">(in the future)</span>`;
  return markup`<time datetime="${date}">${date.slice(0, 16).replace('T', ' ')} UTC</time>${future === true ? mark : ''}`;
}

function answerLine(message: Message, { answered, addressOf }: Surrounding): Markup | '' {
  if (message.inReplyTo === null) return '';
  const before = answered(message);
  if (before === undefined) {
    return markup`<p class="answers">in reply to a message that is not here: <code>${message.inReplyTo}</code></p>\n`;
  }
  return markup`<p class="answers">in reply to <bdi>${before.author}</bdi>: <a href="${addressOf(before)}"><bdi>${excerpt(before)}</bdi></a></p>\n`;
}

function replyLine(replies: readonly Message[], { addressOf }: Surrounding): Markup | '' {
  if (replies.length === 0) return '';
  const links = replies.map(
    (reply, i) => markup`${i === 0 ? '' : ', '}<a href="${addressOf(reply)}"><bdi>${reply.author}</bdi></a>`,
  );
  return markup`<p class="replies">${replies.length === 1 ? '1 reply' : `${replies.length} replies`}: ${links}</p>\n`;
}

function excerpt({ body }: Message): string {
  const line = safeLine(body, EXCERPT).trim();
  return line === '' ? 'a message without text' : line;
}

function piece(part: ReturnType<typeof withLinks>[number]): Markup | string {
  return part.kind === 'text'
    ? part.text
    : markup`<a href="${part.href}" rel="nofollow noopener noreferrer ugc">${part.text}</a>`;
}
