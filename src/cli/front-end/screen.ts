/** What a screen of the front end consists of, whatever it is shown on. All text in it is safe to show, and coloured already. */

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
  readonly action: string;
  /** The item it is about; default: the one that the cursor is on. */
  readonly item?: string;
}

/** What there is to see at an instant. */
export interface View {
  /** Lines above the items. */
  readonly title: readonly string[];
  readonly items: readonly Item[];
  /** What is said where there are no items. */
  readonly empty: string;
  /** Lines below the items: where things stand. */
  readonly status: readonly string[];
}

export interface Screen {
  readonly keys: readonly Key[];
  /** The item on which the cursor starts; `''`: the last one, or the first with `from: 'top'`. */
  readonly cursor: string;
  readonly from: 'top' | 'bottom';
  /** Lines to read, among which nothing is to be chosen: the cursor is not shown. */
  readonly isText: boolean;
  view(columns: number): View;
  /** The cursor is on the first item: if there is more above it, it is time to get that. */
  reachedTop?(): void;
  /** The cursor has come to this item. */
  visited?(item: string): void;
  /** Calls back whenever `view` may have changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void;
}

export interface ScreenAnswer {
  /** That of the key that was pressed. */
  readonly action: string;
  /** The item of that key, or the one that the cursor was on; `''` if there was none. */
  readonly item: string;
}
