/** The newest messages as an Atom feed (RFC 4287). */
import { createHash } from 'node:crypto';
import type { Message } from '../../feed/message.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { markup } from './markup.ts';

const TITLE_LENGTH = 80;

/** Messages are named by their hashes (RFC 6920), so that a reader knows them again wherever the feed lies. */
export function feed(
  title: string,
  authors: readonly string[],
  messages: readonly Message[],
  addressOf: (message: Message) => string,
): string {
  const updated = messages.map(instantOf).reduce((latest, instant) => (instant > latest ? instant : latest), EPOCH);
  const entries = messages.toReversed().map((message) => {
    const instant = instantOf(message);
    return markup`<entry>
<id>${nameOf(Buffer.from(message.hash, 'hex'))}?author=${encodeURIComponent(message.author)}</id>
<title>${safeLine(message.body, TITLE_LENGTH).trim() || 'A message without text'}</title>
<author><name>${message.author}</name></author>
<published>${instant}</published>
<updated>${instant}</updated>
<link rel="alternate" type="text/html" href="${addressOf(message)}"/>
<content type="text">${message.body}</content>
</entry>
`;
  });
  return markup`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>${nameOf(createHash('sha256').update(JSON.stringify(authors)).digest())}</id>
<title>${title}</title>
<updated>${updated}</updated>
<generator>murmure</generator>
<link rel="alternate" type="text/html" href="index.html"/>
${entries}</feed>
`.text;
}

const EPOCH = '2022-01-01T00:00:00.000Z';

/** Of a message without a date, when it came. */
function instantOf({ date, receivedAt }: Message): string {
  return date ?? receivedAt;
}

function nameOf(sha256: Buffer): string {
  return `ni:///sha-256;${sha256.toString('base64url')}`;
}
