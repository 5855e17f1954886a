/** Where a person is in a list of items, or in a text, and where a key leads from there. */
import { isDownKey, isUpKey, type KeypressEvent } from '@inquirer/core';
import type { Screen } from '../screen.ts';

export type Movement = 'up' | 'down' | 'page up' | 'page down' | 'top' | 'bottom';

export interface Position {
  /** The item that the cursor is on; undefined without items. */
  readonly item: string | undefined;
  /** Where that item was last: the cursor stays there if the item goes. -1 without items. */
  readonly index: number;
  /** In a list: lines scrolled past of an item taller than the page. In a text: lines above the page. */
  readonly scrolled: number;
}

export interface List {
  readonly ids: readonly string[];
  readonly linesOf: (index: number) => readonly string[];
  /** Lines. */
  readonly pageSize: number;
}

export function movementOf(key: KeypressEvent): Movement | undefined {
  if (key.ctrl) return undefined;
  if (isUpKey(key) || key.name === 'k') return 'up';
  if (isDownKey(key) || key.name === 'j') return 'down';
  if (key.name === 'pageup') return 'page up';
  if (key.name === 'pagedown' || key.name === 'space') return 'page down';
  if (key.name === 'home' || (key.name === 'g' && !key.shift)) return 'top';
  if (key.name === 'end' || key.name === 'g') return 'bottom';
  return undefined;
}

/** Where the person was, as far as that is still there; at first, where the screen says. */
export function startAt(
  last: Position | undefined,
  screen: Pick<Screen, 'cursor' | 'from' | 'isText'>,
  list: List,
): Position {
  const wanted = last?.item ?? screen.cursor;
  const found = list.ids.indexOf(wanted);
  const first = screen.from === 'bottom' ? list.ids.length - 1 : 0;
  const fallback = last === undefined || last.index === -1 ? first : last.index;
  const { item, index } = at(found === -1 ? fallback : found, list);
  const scrolled = last?.scrolled ?? (screen.isText && screen.from === 'bottom' ? Number.POSITIVE_INFINITY : 0);
  return { item, index, scrolled: screen.isText ? Math.min(scrolled, lastTop(list)) : scrolled };
}

export function moveTo(item: string, list: List): Position {
  return at(list.ids.indexOf(item), list);
}

export function moveInList({ index, scrolled }: Position, movement: Movement, list: List): Position {
  const hidden = Math.max(0, list.linesOf(index).length - list.pageSize);
  const step = Math.max(1, list.pageSize - 1);
  if (movement === 'down' && scrolled < hidden)
    return { ...at(index, list), scrolled: Math.min(hidden, scrolled + step) };
  if (movement === 'up' && scrolled > 0) return { ...at(index, list), scrolled: Math.max(0, scrolled - step) };
  return at(target(index, movement, list), list);
}

export function moveInText({ scrolled, ...position }: Position, movement: Movement, list: List): Position {
  const step = Math.max(1, list.pageSize - 1);
  const wanted = {
    up: scrolled - 1,
    down: scrolled + 1,
    'page up': scrolled - step,
    'page down': scrolled + step,
    top: 0,
    bottom: Number.POSITIVE_INFINITY,
  }[movement];
  return { ...position, scrolled: Math.max(0, Math.min(lastTop(list), wanted)) };
}

/** A page of a text. */
export function linesFrom(top: number, list: List): readonly string[] {
  return allLines(list).slice(top, top + list.pageSize);
}

function at(index: number, { ids }: List): Position {
  const bounded = Math.min(ids.length - 1, Math.max(0, index));
  return { item: ids[bounded], index: bounded, scrolled: 0 };
}

function target(index: number, movement: Movement, list: List): number {
  switch (movement) {
    case 'up':
      return index - 1;
    case 'down':
      return index + 1;
    case 'page up':
      return pageFrom(index, -1, list);
    case 'page down':
      return pageFrom(index, 1, list);
    case 'top':
      return 0;
    case 'bottom':
      return list.ids.length - 1;
  }
}

/** The item about a page away. */
function pageFrom(start: number, direction: 1 | -1, { ids, linesOf, pageSize }: List): number {
  let index = start;
  for (let passed = 0; passed < pageSize && ids[index + direction] !== undefined; index += direction) {
    passed += linesOf(index).length;
  }
  return index;
}

function lastTop(list: List): number {
  return Math.max(0, allLines(list).length - list.pageSize);
}

function allLines({ ids, linesOf }: List): string[] {
  return ids.flatMap((_, index) => linesOf(index));
}
