/** What a screen of the front end consists of, whatever it is shown on. All text in it is safe to show, and coloured already. */
import type { Action } from '../../../machines/front-end-context.ts';

/** Something on a screen that the cursor can be on. */
export interface Item {
  /** Tells it from the others while the screen changes. */
  readonly id: string;
  /** Fits into `width` columns. */
  lines(width: number): readonly string[];
  /** What stands for it where the rest stands beside the list. Default: its lines. */
  short?(width: number): readonly string[];
}

export interface Key {
  /** As Inquirer names it: `r`, `enter`, `escape`, `?`. */
  readonly key: string;
  /** What it does, in a word or two; left out of the line of keys if empty. */
  readonly label: string;
  /** `choose`: what the item stands for. */
  readonly action: Action | 'choose';
  /** The item it is about; default: the one that the cursor is on. */
  readonly item?: string;
  /** It is about the person. */
  readonly isOwn?: boolean;
}

export interface Screen {
  title(): string;
  /** Less important than the title, behind it. */
  aside?(): string;
  readonly keys: readonly Key[];
  readonly from: 'top' | 'bottom';
  /** Lines to read, among which nothing is to be chosen: the cursor is not shown. */
  readonly isText: boolean;
  /** The item on which the cursor starts; `''`: the last one, or the first with `from: 'top'`. */
  readonly cursor: string;
  /** What is said where there are no items. */
  readonly empty: string;
  items(): readonly Item[];
  /** Lines below the items: what came of the last thing done, and the state of things. */
  status(columns: number): readonly string[];
  /** The cursor is on the first item: if there is more above it, it is time to get that. */
  reachedTop?(): void;
  /** The cursor has come to this item. */
  visited?(item: string): void;
  /** The person has not seen this item yet: below the cursor, it is counted. */
  isUnseen?(item: string): boolean;
  /** Where the person was before they jumped; `''`: they have not. Default: it is remembered as long as the screen is shown. */
  readonly returning?: { backTo: string };
  /** More about an item, at most so many lines, beside the list where the terminal is wide. */
  beside?(item: string, size: { readonly columns: number; readonly rows: number }): readonly string[];
  /** Calls back whenever something may have changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void;
}

export interface ScreenAnswer {
  /** That of the key that was pressed. */
  readonly action: Key['action'];
  /** The item of that key, or the one that the cursor was on; `''` if there was none. */
  readonly item: string;
  readonly isOwn?: boolean;
}

/** What a key answers that was pressed while the cursor was on this item. */
export function answerOf({ action, item, isOwn }: Key, current: string): ScreenAnswer {
  return { action, item: item ?? current, ...(isOwn && { isOwn }) };
}
