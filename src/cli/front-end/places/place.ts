/** What each kind of screen is made of, and what it is made from. */
import type { Action, Place } from '../../../../machines/front-end-context.ts';
import type { Peer } from '../../../index.ts';
import type { Store } from '../../../store/store.ts';
import type { Paint } from '../../output/output.ts';
import type { SettingOrigin } from '../../settings/settings.ts';
import type { Live } from '../live.ts';
import type { Item } from '../screen.ts';

/** What is unread, and what of it mentions the person. */
export interface News {
  readonly unread: number;
  readonly isMoreUnread: boolean;
  readonly mentions: number;
}

/** What the screens show things of. */
export interface Desk {
  readonly peer: Peer;
  readonly store: Store;
  readonly live: Live;
  readonly paint: Paint;
  readonly settings: readonly SettingOrigin[];
  /** URL, `''` if it is not to be named. */
  readonly directory: string;
  news(): News;
  /** Unix ms. */
  now(): number;
}

export interface PlaceKey {
  readonly key: string;
  /** `''`: not worth a place in the line of keys. */
  readonly label: string;
  readonly action: Action | 'choose';
  /** The item it is about; default: the one that the cursor is on. */
  readonly item?: string;
}

/** A kind of screen. */
export interface PlaceView {
  readonly title: string;
  readonly from: 'top' | 'bottom';
  readonly isText: boolean;
  readonly keys: readonly PlaceKey[];
  /** What is said where there are no items. */
  readonly empty?: string;
  items(): readonly Item[];
  /** What the action is about if it is chosen on this item: a hash or a name, `''` for nothing. */
  subject(action: Action, item: string): string;
  /** What is chosen with this item, where items are things to do. */
  chosen?(item: string): Action | undefined;
  reachedTop?(): void;
  visited?(item: string): void;
}

export type MakePlace = (place: Place, desk: Desk) => PlaceView;

/** Keys that lead to the same wherever one is. */
export const everywhere: readonly PlaceKey[] = [
  { key: 'p', label: 'post', action: 'post' },
  { key: '/', label: 'search', action: 'search' },
  { key: 'w', label: 'peers', action: 'peers' },
  { key: 'i', label: 'inspect', action: 'inspect' },
  { key: 'e', label: 'events', action: 'log' },
];

export const helpKey: PlaceKey = { key: '?', label: 'help', action: 'help' };

/** Keys of every screen but the first. */
export const wayBack: readonly PlaceKey[] = [
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

/** Made anew when something has changed, not at every key that is pressed. */
export function cached<T>({ live }: Pick<Desk, 'live'>, make: () => T): () => T {
  let version = live.version;
  let value: T | undefined;
  return () => {
    if (value === undefined || version !== live.version) {
      version = live.version;
      value = make();
    }
    return value;
  };
}
