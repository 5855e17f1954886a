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
}

/** What there is to see at an instant. */
export interface View {
  readonly title: string;
  readonly items: readonly Item[];
  /** Below the items: where things stand. */
  readonly status: string;
}

export interface Screen {
  readonly keys: readonly Key[];
  /** The item on which the cursor starts; default: the last one, or the first with `from: 'top'`. */
  readonly cursor: string | undefined;
  readonly from: 'top' | 'bottom';
  view(): View;
  /** Calls back whenever `view` may have changed; returns the way to stop that. */
  subscribe(changed: () => void): () => void;
}

export interface ScreenAnswer {
  /** That of the key that was pressed. */
  readonly action: string;
  /** The item that the cursor was on; undefined if there was none. */
  readonly item: string | undefined;
}
