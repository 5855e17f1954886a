/** The questions of the front end. A person answers them at a terminal; in tests a script does. */
import type { Screen, ScreenAnswer } from './screen.ts';

export interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** Says why an answer cannot be taken; undefined: it can. */
export type WhyInvalid = (text: string) => string | undefined;

export interface Writing {
  /** What is there already. */
  readonly draft: string;
  readonly whyInvalid: WhyInvalid;
  /** Bytes of UTF-8 that a text may have. */
  readonly maxBytes: number;
  /** Called with what is written so far, whenever that changes. */
  readonly onChange: (text: string) => void;
  /** Called when the text is given, with how long others are not to see it yet, in ms; 0: they see it at once. */
  readonly onDelay?: (ms: number) => void;
  /** Shown above, such as what is answered: lines of at most `columns`, safe to show. */
  readonly above: (columns: number) => readonly string[];
}

/** Every question rejects with `CancelledError` at Ctrl-C, and at Escape where that is a key. */
export interface Dialogue {
  /** Something to look at and to move in, with a key for each thing that can be done. */
  screen(screen: Screen): Promise<ScreenAnswer>;
  /** One of a few. */
  choose<T extends string>(question: string, options: readonly Option<T>[]): Promise<T>;
  /** One of many, found by typing. */
  pick(question: string, names: readonly string[]): Promise<string>;
  /** A message. */
  write(question: string, writing: Writing): Promise<string>;
  /** Any text, in the person's editor. */
  edit(text: string, ending: string): Promise<string>;
  /** A line of text; `suggestion` is what Enter alone answers. */
  line(question: string, whyInvalid: WhyInvalid, suggestion?: string): Promise<string>;
  /** A secret: it is not shown while it is typed. */
  secret(question: string): Promise<string>;
  /** `suggestion` is what Enter alone answers; default: yes. */
  confirm(question: string, suggestion?: boolean): Promise<boolean>;
  /** Something to read, above the next question; safe to show. */
  show(text: string): void;
  /** Takes the whole terminal until disposed of: each question then starts on an empty one. */
  fullScreen(): Disposable;
  /** Draws attention. */
  ring(): void;
}

/** The question was not answered: Escape, or what ends a program. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  /** It was Ctrl-C, Ctrl-D, or the end of the input. */
  readonly isExit: boolean;

  constructor({ isExit }: { readonly isExit: boolean }) {
    super('the question was not answered');
    this.isExit = isExit;
  }
}
