/** Web addresses in a text. */

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** `href`: the whole address, its host in punycode. */
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/giu;
/** What ends a sentence or a parenthesis does not belong to the address before it. */
const TRAILING = /[.,;:!?…)\]}»”’]+$/u;

/** The text in pieces, in order. Only http and https, and only what can be parsed as a URL without a user or password in it. */
export function withLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(ADDRESS)) {
    const written = match.replace(TRAILING, '');
    const url = URL.parse(written);
    if (url === null || url.username !== '' || url.password !== '') continue;
    if (index > end) pieces.push({ kind: 'text', text: text.slice(end, index) });
    pieces.push({ kind: 'link', text: shown(written, url), href: url.href });
    end = index + written.length;
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}

/** As it was written, unless the host looks like one that it is not: then as it is. */
function shown(written: string, { host, href }: URL): string {
  return written.toLowerCase().includes(host) ? written : href;
}
