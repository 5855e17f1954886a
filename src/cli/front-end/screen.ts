/** What a screen of the front end consists of, whatever it is shown on. All text in it is safe to show, and coloured already. */
import type { Action } from '../../../machines/front-end-context.ts';

/** Something on a screen that the cursor can be on. */
export interface Item {
  /** Tells it from the others while the screen changes. */
  readonly id: string;
  /** Fits into `width` columns. */
  lines(width: number): readonly string[];
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
}

export interface Screen {
  title(): string;
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
  /** Calls back whenever something may have changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void;
}

export interface ScreenAnswer {
  /** That of the key that was pressed. */
  readonly action: Key['action'];
  /** The item of that key, or the one that the cursor was on; `''` if there was none. */
  readonly item: string;
}
