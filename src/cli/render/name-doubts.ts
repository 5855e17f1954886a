/**
 * Finds names that a reader could mistake for others: they look like a name that the reader trusts (Unicode UTS 39, confusables), or contain
 * invisible characters. Names are compared, never changed.
 */
import { createRequire } from 'node:module';
import { safeLine } from '../../feed/safe-text.ts';
import { followedNames } from '../../store/followed.ts';
import type { Store } from '../../store/store.ts';

export interface NameDoubts {
  /** The trusted name that it looks like. */
  readonly looksLike?: string;
  /** Invisible characters, such as `U+200B`. */
  readonly hidden?: readonly string[];
}

/** Doubts about a name, for a reader who trusts these names. The trusted names themselves are never doubted. */
export function nameDoubts(trusted: readonly string[]): (name: string) => NameDoubts {
  const own = new Set(trusted);
  let looks: ReadonlyMap<string, string> | undefined;
  return (name) => {
    if (own.has(name)) return {};
    looks ??= new Map(trusted.flatMap((known) => skeletons(known).map((skeleton) => [skeleton, known])));
    const looksLike = skeletons(name)
      .map((skeleton) => looks?.get(skeleton))
      .find((known) => known !== undefined);
    const hidden = hiddenIn(name);
    return { ...(looksLike !== undefined && { looksLike }), ...(hidden.length > 0 && { hidden }) };
  };
}

/** The same for the owner of a home, who trusts the followed peers. */
export function doubtsAmong(ownName: string, store: Pick<Store, 'peers'>): (name: string) => NameDoubts {
  return nameDoubts([ownName, ...followedNames(store, ownName)]);
}

const require = createRequire(import.meta.url);
/** Loaded when the first name is compared, because loading takes 25 ms. */
let unhomoglyph: ((text: string) => string) | undefined;

/** The skeletons of the name and of its lower-case form: names that look alike have the same. */
function skeletons(name: string): string[] {
  unhomoglyph ??= require('unhomoglyph') as (text: string) => string;
  const visible = safeLine(name).replace(/\s+/gu, ' ').trim();
  const skeleton = (text: string) => unhomoglyph?.(text.normalize('NFD')).normalize('NFD') ?? text;
  return [skeleton(visible), skeleton(visible.toLowerCase())];
}

function hiddenIn(name: string): string[] {
  const shown = safeLine(name).trim();
  if (shown === name) return [];
  const [first = '', last = ''] = [[...name].at(0), [...name].at(-1)];
  const isHidden = (character: string) =>
    !shown.includes(character) || ((character === first || character === last) && /^\s$/u.test(character));
  return [...new Set(name)].filter(isHidden).map(codePoint);
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
