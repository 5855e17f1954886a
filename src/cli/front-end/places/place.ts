/** What each kind of place shows, and the keys that they share. */
import type { Action, Place } from '../../../../machines/front-end-context.ts';
import type { Item, Key, Screen } from '../screen.ts';
import type { Sources } from '../sources.ts';

/** A screen without what all of them have. `subject`: what an action is about if it is chosen on this item, a hash or a name; `''`: nothing. */
export interface PlaceScreen extends Omit<Screen, 'cursor' | 'status' | 'subscribe'> {
  subject(action: Action, item: string): string;
  /** What a key means on this item, where that depends on it; undefined: nothing. */
  meant?(action: Key['action'], item: string): Action | undefined;
}

export type MakePlace = (place: Place, sources: Sources) => PlaceScreen;

/** Keys that lead to the same wherever one is. */
export const everywhere: readonly Key[] = [
  { key: 'p', label: 'post', action: 'post' },
  { key: '/', label: 'search', action: 'search' },
  { key: 'w', label: 'peers', action: 'peers' },
  { key: '@', label: 'replies', action: 'notifications' },
  { key: 'B', label: '', action: 'bookmarks' },
  { key: 'y', label: '', action: 'peer', isOwn: true },
  { key: 'i', label: 'inspect', action: 'inspect' },
  { key: 'e', label: 'events', action: 'log' },
];

export const helpKey: Key = { key: '?', label: 'help', action: 'help' };

/** Keys of every screen but the first. */
export const wayBack: readonly Key[] = [
  { key: 'escape', label: 'back', action: 'back' },
  { key: 'q', label: '', action: 'back' },
  { key: 'backspace', label: '', action: 'back' },
  { key: 'left', label: '', action: 'back' },
  { key: 'h', label: '', action: 'back' },
];

/** Lines as items: to be moved through, not chosen from. */
export function textItems(
  lines: readonly string[],
  wrap: (line: string, columns: number) => readonly string[],
): Item[] {
  return lines.map((line, index) => ({ id: String(index), lines: (columns) => wrap(line, columns) }));
}
