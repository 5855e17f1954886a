/** Web addresses in texts. */
import { expect, test } from 'vitest';
import { withLinks } from '../../../src/feed/links.ts';

const links = (text: string) => withLinks(text).flatMap((piece) => (piece.kind === 'link' ? [piece.text] : []));

test('pieces put together are the text', () => {
  const text = 'a https://x.org/?q=1, b (http://y.org) c';
  expect(
    withLinks(text)
      .map((piece) => piece.text)
      .join(''),
  ).toBe(text);
});

test('what ends a sentence is not part of an address', () => {
  expect(links('Look: https://x.org/a. Or http://y.org!)')).toEqual(['https://x.org/a', 'http://y.org']);
});

test('nothing but http and https is a link, and nothing with a password in it', () => {
  expect(links('javascript:alert(1) ftp://x.org data:text/html,x https://user:secret@x.org https://')).toEqual([]);
});

test('a host that only looks like another one is shown as it is', () => {
  expect(links('https://аpple.com/login')).toEqual(['https://xn--pple-43d.com/login']);
});

test('an address in an address is one address', () => {
  expect(links('https://'.repeat(20_000))).toHaveLength(1);
});
