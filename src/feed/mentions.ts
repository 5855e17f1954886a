/** Who is mentioned in a text: `@name`, of those whose names are known. */

export interface Mention {
  /** Where it stands in the text, from its `@` to behind the name: UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** A name may hold anything; what follows it must not go on as a word. */
const GOES_ON = /^[\p{L}\p{N}_]/u;
/** "a@b" is no mention of b. */
const WORD_BEFORE = /[\p{L}\p{N}_]$/u;

/** In the order of the text. Letter case does not count; of several names that fit, the longest is meant. */
export function mentionsIn(text: string, names: Iterable<string>): Mention[] {
  if (!text.includes('@')) return [];
  const byFirst = groupByFirstLetter(names);
  const mentions: Mention[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    if (WORD_BEFORE.test(text.slice(Math.max(0, at - 2), at))) continue;
    const name = nameAt(text, at + 1, byFirst);
    if (name !== undefined) mentions.push({ start: at, end: at + 1 + name.length, name });
  }
  return mentions;
}

export function isMentioned(text: string, name: string): boolean {
  return mentionsIn(text, [name]).length > 0;
}

const folded = (text: string) => text.normalize('NFC').toLowerCase();

/** The longest first. */
function groupByFirstLetter(names: Iterable<string>): Map<string, string[]> {
  const sorted = [...names].filter((name) => name !== '').sort((a, b) => b.length - a.length);
  return Map.groupBy(sorted, (name) => folded(name).charAt(0));
}

function nameAt(text: string, start: number, byFirst: Map<string, string[]>): string | undefined {
  const candidates = byFirst.get(folded(text.slice(start, start + 2)).charAt(0)) ?? [];
  return candidates.find(
    (name) =>
      folded(text.slice(start, start + name.length)) === folded(name) &&
      !GOES_ON.test(text.slice(start + name.length, start + name.length + 2)),
  );
}
