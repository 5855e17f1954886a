/**
 * Messages as pages to read in a browser. A message stays on its page when others come: pages are counted from the oldest message on,
 * and `index.html` shows the newest ones again.
 */
import type { Message } from '../../feed/message.ts';
import type { Hash } from '../../wire/hash.ts';
import { feed } from './atom.ts';
import { Markup, markup } from './markup.ts';
import { messageArticle, messageId, type Surrounding } from './message-article.ts';
import { CONTENT_POLICY, STYLE } from './style.ts';

const MESSAGES_A_PAGE = 100;

export interface SiteOptions {
  readonly authors: readonly string[];
  /** Newest last. */
  readonly messages: readonly Message[];
  /** With an Atom feed. */
  readonly atom: boolean;
}

/** How many files so many messages give. */
export function countFiles(messages: number, atom: boolean): number {
  return 1 + Math.ceil(messages / MESSAGES_A_PAGE) + Number(atom);
}

/** The files, name and content, one after the other: the same for the same messages. */
export function* siteFiles({ authors, messages, atom }: SiteOptions): Generator<[name: string, content: string]> {
  const pages = Math.ceil(messages.length / MESSAGES_A_PAGE);
  const surrounding = surroundingOf(messages);
  const title = authors.join(', ');
  const page = (heading: Markup, shown: readonly Message[], navigation: Markup) =>
    document(title, atom, [heading, articles(shown, surrounding), navigation]);

  const newest = messages.slice(-MESSAGES_A_PAGE);
  yield ['index.html', page(indexHeading(title, messages.length, atom), newest, archive(pages))];
  for (let number = 1; number <= pages; number++) {
    const shown = messages.slice((number - 1) * MESSAGES_A_PAGE, number * MESSAGES_A_PAGE);
    const heading = markup`<h1>${title}</h1><p class="about">Page ${number} of ${pages}, counted from the oldest message.</p>`;
    yield [pageName(number), page(heading, shown, neighbours(number, pages))];
  }
  if (atom) yield ['atom.xml', feed(title, authors, newest, surrounding.addressOf)];
}

/** Whether some export, of any number of messages, may write a file of this name. */
export function isSiteFile(name: string): boolean {
  return /^(?:index|page-[1-9]\d*)\.html$|^atom\.xml$/.test(name);
}

function pageName(number: number): string {
  return `page-${number}.html`;
}

function surroundingOf(messages: readonly Message[]): Surrounding {
  const addresses = new Map<Message, string>();
  const first = new Map<Hash, Message>();
  const replies = new Map<Hash, Message[]>();
  for (const [index, message] of messages.entries()) {
    addresses.set(message, `${pageName(Math.floor(index / MESSAGES_A_PAGE) + 1)}#${messageId(message)}`);
    if (!first.has(message.hash)) first.set(message.hash, message);
    if (message.inReplyTo === null) continue;
    const others = replies.get(message.inReplyTo);
    if (others === undefined) replies.set(message.inReplyTo, [message]);
    else others.push(message);
  }
  return {
    addressOf: (message) => addresses.get(message) ?? '',
    answered: ({ inReplyTo }) => (inReplyTo === null ? undefined : first.get(inReplyTo)),
    repliesTo: ({ hash }) => replies.get(hash) ?? [],
  };
}

function document(title: string, atom: boolean, content: readonly Markup[]): string {
  const feedLink = markup`<link rel="alternate" type="application/atom+xml" title="${title}" href="atom.xml">\n`;
  return markup`<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="murmure">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
${atom ? feedLink : ''}<style>${style()}</style>
</head>
<body>
${content}
</body>
</html>
`.text;
}

function style(): Markup {
  return new Markup(STYLE);
}

function indexHeading(title: string, count: number, atom: boolean): Markup {
  const newest = Math.min(count, MESSAGES_A_PAGE);
  const shown =
    count > newest ? `The ${newest} newest of ${count} messages` : count === 1 ? '1 message' : `${count} messages`;
  const subscribe = markup` · <a href="atom.xml">Atom feed</a>`;
  return markup`<h1>${title}</h1><p class="about">${shown}, newest first.${atom ? subscribe : ''}</p>`;
}

/** Newest first. */
function articles(messages: readonly Message[], surrounding: Surrounding): Markup {
  return markup`<main>\n${messages.toReversed().map((message) => messageArticle(message, surrounding))}</main>`;
}

function archive(pages: number): Markup {
  const links = Array.from({ length: pages }, (_, i) => markup`<a href="${pageName(i + 1)}">${i + 1}</a>\n`);
  return markup`<nav aria-label="All pages">All messages, from the oldest: ${links}</nav>`;
}

function neighbours(number: number, pages: number): Markup {
  const older = markup`<a href="${pageName(number - 1)}" rel="prev">Older</a>`;
  const newer = markup`<a href="${pageName(number + 1)}" rel="next">Newer</a>`;
  return markup`<nav aria-label="Pages">${number > 1 ? older : ''} <a href="index.html">Newest</a> ${number < pages ? newer : ''}</nav>`;
}
