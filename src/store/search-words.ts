/**
 * What a search compares: words without accents, letter case and compatibility forms ("Été" and "ete", "ﬁn" and "fin" are one word).
 * The store indexes these rather than the text itself.
 */
import { safeText } from '../feed/safe-text.ts';

/** Scripts that put no space between words: each character counts as a word, and a word of a query as a phrase. */
const UNSPACED = '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}';
const WORD = new RegExp(`[${UNSPACED}]|[[\\p{L}\\p{N}\\p{M}\\p{Co}]--[${UNSPACED}]]+`, 'gv');
/** Accents that letters of any script may carry. Marks of one script are letters of it, and so are the voicing marks of Japanese. */
const ACCENTS = /[[\p{M}&&\p{sc=Inherited}]--[\u3099\u309a]]/gv;

/** Most texts are plain ASCII, or nearly: what is not is looked at as a whole. */
const PLAIN = /^[ -~\n]*$/;
const PLAIN_WORD = /[a-z0-9]+/g;

/** The words of a text as it is shown, in order. */
export function searchWords(text: string): string[] {
  if (PLAIN.test(text)) return text.toLowerCase().match(PLAIN_WORD) ?? [];
  const plain = safeText(text).toLowerCase().normalize('NFKD').replace(ACCENTS, '').normalize('NFC').toLowerCase();
  return plain.match(WORD) ?? [];
}

/** Words that must follow each other. The last one may be the beginning of a word, if it has two characters or more. */
export type Phrase = readonly string[];

/** What has to occur, every phrase of it: words, and "several words in quotes". Empty if there is nothing to look for. */
export function parseSearch(query: string): Phrase[] {
  const parts = query.matchAll(/"([^"]*)"?|[^\s"]+/g);
  return [...parts.map(([part, quoted]) => searchWords(quoted ?? part))].filter((phrase) => phrase.length > 0);
}

/** Whether these words, those of a message, have all that is looked for. */
export function matches(words: readonly string[], phrases: readonly Phrase[]): boolean {
  return phrases.every((phrase) => words.some((_, start) => standsAt(words, start, phrase)));
}

/** One letter begins so many words that finding them says nothing. */
export function mayBeCutShort(word: string): boolean {
  return Array.from(word).length > 1;
}

function standsAt(words: readonly string[], start: number, phrase: Phrase): boolean {
  const last = phrase.length - 1;
  return phrase.every((word, i) => {
    const found = words[start + i];
    return i === last && mayBeCutShort(word) ? found?.startsWith(word) : found === word;
  });
}
