/** The front end's questions at a terminal. What asks is loaded with the first question. */

import { EditorFailedError, NoEditorError } from '../errors.ts';
import { editText } from '../input/editor.ts';
import type { Paint } from '../output/output.ts';
import { wrapText } from '../render/wrap.ts';
import { CancelledError, type Dialogue } from './dialogue.ts';
import { isPaste, KeyInput } from './key-input.ts';
import type { Paste } from './pastes.ts';
import { choice, line, nameChoice, secret, yesOrNo } from './prompts/questions.ts';
import type { Screen } from './screen.ts';

/** As much of the process's terminal as is used. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

export interface TerminalDialogueOptions extends Terminal {
  readonly paint: Paint;
  /** Aborted when the run has to end. */
  readonly signal: AbortSignal;
}

/** A screen of its own, pastes that say so, and no wrapping: terminals do not agree how wide some emoji are, and a line too many ruins a page. */
const FULL_SCREEN_ON = '\u001B[?1049h\u001B[?2004h\u001B[?7l';
const FULL_SCREEN_OFF = '\u001B[?7h\u001B[?2004l\u001B[?1049l';
const SHOWN_CURSOR = '\u001B[?25h';
const CLEAR = '\u001B[2J\u001B[H';

/** Seven names to choose from, what is asked, the keys, and the rule above. */
const ROWS_OF_A_QUESTION = 11;

interface AskOptions {
  /** Default: true. */
  readonly escapeCancels?: boolean;
  /** One of Inquirer's own prompts, below what of the screen has room. */
  readonly isOrdinary?: boolean;
  /** What becomes of what is pasted, unless the prompt sees to that itself. */
  readonly onPaste?: (paste: Paste) => void;
}

type Prompts = typeof import('@inquirer/prompts');

interface PromptContext extends Terminal {
  readonly signal: AbortSignal;
}

export function terminalDialogue({ input, output, paint, signal }: TerminalDialogueOptions): Dialogue {
  let isFullScreen = false;
  let shown = '';
  let current: Screen | undefined;
  const redraws = new Set<() => void>();
  const keys = new KeyInput(input, {
    leave: () => void output.write((isFullScreen ? FULL_SCREEN_OFF : '\n') + SHOWN_CURSOR),
    enter: () => {
      if (isFullScreen) output.write(FULL_SCREEN_ON);
      for (const redraw of [...redraws]) redraw();
    },
    guessesPastes: () => isFullScreen,
  });
  const size = () => ({ columns: output.columns || 80, rows: output.rows || 24 });

  /** Of the screen that a question interrupts, as much as leaves room for the question. */
  const pageAbove = (): string => {
    const { columns, rows } = size();
    const free = rows - ROWS_OF_A_QUESTION - shown.split('\n').length;
    if (current === undefined || free < 1) return '';
    const rule = paint('dim', '─'.repeat(columns));
    return `${[...pageOf(current, columns, free), rule].join('\n')}\n`;
  };

  const ask = async <T>(question: (terminal: PromptContext) => Promise<T>, options: AskOptions = {}): Promise<T> => {
    const { escapeCancels = true, isOrdinary = false, onPaste } = options;
    if (isFullScreen) output.write(CLEAR + (isOrdinary ? pageAbove() : '') + shown);
    const shownAbove = shown;
    shown = '';
    const cancelling = new AbortController();
    const cancel = (why: 'escape' | 'exit' | 'redraw') => cancelling.abort(why);
    using _reading = keys.read();
    // Inquirer knows neither: Ctrl-D would leave its question open for ever.
    using _watching = keys.watch((key) => {
      const { name, ctrl } = key;
      if (isPaste(key)) onPaste?.(key.paste);
      if (name === 'd' && ctrl) cancel('exit');
      if (name === 'escape' && escapeCancels) cancel('escape');
    });
    // Its own questions cannot be drawn anew: they are put again.
    const redraw = () => cancel('redraw');
    if (isOrdinary) redraws.add(redraw);
    try {
      const anySignal = AbortSignal.any([signal, cancelling.signal]);
      return await question({ input: keys.stream, output, signal: anySignal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const isExit = error instanceof Error && error.name === 'ExitPromptError';
      if (!isExit && !cancelling.signal.aborted) throw error;
      const { reason } = cancelling.signal as { reason: unknown };
      if (reason !== 'redraw') throw new CancelledError({ isExit: reason !== 'escape' });
    } finally {
      redraws.delete(redraw);
    }
    shown = shownAbove;
    return ask(question, options);
  };
  const ring = () => void output.write('\u0007');
  /** Where nothing is to be typed, a paste is a mistake. */
  const askWith = <T>(
    question: (prompts: Prompts, terminal: PromptContext) => Promise<T>,
    onPaste: (paste: Paste) => void = ring,
  ): Promise<T> =>
    ask(async (terminal) => question(await import('@inquirer/prompts'), terminal), { isOrdinary: true, onPaste });
  const pasteLine = ({ text, cut }: Paste) => (cut > 0 ? ring() : keys.insert(onOneLine(text)));

  /** Calls back when everything has to be drawn anew: the size has changed, or the terminal was somebody else's meanwhile. */
  const onRedraw = (changed: () => void) => {
    const clearAndChange = () => {
      if (isFullScreen) output.write(CLEAR);
      changed();
    };
    output.on('resize', clearAndChange);
    redraws.add(clearAndChange);
    return () => {
      output.off('resize', clearAndChange);
      redraws.delete(clearAndChange);
    };
  };

  /** The editor has the terminal to itself, as it would be without us. */
  const edit = async (text: string, ending: string): Promise<string> => {
    if (isFullScreen) output.write(FULL_SCREEN_OFF);
    try {
      return await keys.suspended(() => editText(text, ending, { signal }));
    } finally {
      if (isFullScreen) output.write(FULL_SCREEN_ON);
    }
  };

  return {
    edit,
    screen: (screen) => {
      current = screen;
      return ask(
        async (terminal) => {
          const { screenPrompt } = await import('./prompts/screen-prompt.ts');
          return screenPrompt({ screen, paint, size, onRedraw }, terminal);
        },
        { escapeCancels: false },
      );
    },
    write: async (message, writing) => {
      const { composePrompt } = await import('./prompts/compose-prompt.ts');
      const news = () => current?.status(size().columns).at(-1) ?? '';
      const behind = (columns: number, rows: number) => (current === undefined ? [] : pageOf(current, columns, rows));
      const onNews = (changed: () => void) => current?.subscribe(changed) ?? (() => {});
      let draft = writing.draft;
      let problem = '';
      let delayMs = 0;
      for (;;) {
        const config = { ...writing, draft, problem, delayMs, message, paint, size, onRedraw, news, onNews, behind };
        const composed = await ask((terminal) => composePrompt(config, terminal));
        const { text } = composed;
        delayMs = composed.delayMs;
        if (!composed.wantsEditor) {
          writing.onDelay?.(delayMs);
          return text;
        }
        problem = '';
        draft = text;
        try {
          draft = (await edit(text, '.txt')).trimEnd();
          writing.onChange(draft);
        } catch (error) {
          // Whatever is wrong with the editor, one can go on here.
          if (!(error instanceof NoEditorError || error instanceof EditorFailedError)) throw error;
          problem = error.message;
        }
      }
    },
    choose: (message, options) => askWith(({ select }, terminal) => select(choice(message, options), terminal)),
    pick: (message, names) => {
      const typed = { text: '' };
      return askWith(({ search }, terminal) => search(nameChoice(message, names, typed), terminal), pasteLine);
    },
    line: (message, whyInvalid, suggestion) => {
      const typed = { text: '' };
      const question = ({ input: prompt }: Prompts, terminal: PromptContext) =>
        prompt(line({ message, whyInvalid, suggestion, typed }), terminal);
      return askWith(question, pasteLine);
    },
    secret: (message) => askWith(({ password }, terminal) => password(secret(message), terminal), pasteLine),
    confirm: (message, suggestion = true) =>
      askWith(({ confirm }, terminal) => confirm(yesOrNo(message, suggestion), terminal)),
    show: (text) => {
      const wrapped = wrapText(text, size().columns).join('\n');
      if (isFullScreen) shown += wrapped;
      else output.write(wrapped);
    },
    fullScreen: () => {
      isFullScreen = true;
      const reading = keys.read();
      output.write(FULL_SCREEN_ON);
      const leave = () => {
        if (isFullScreen) output.write(FULL_SCREEN_OFF);
        isFullScreen = false;
      };
      // However the process ends, the terminal is the person's again.
      process.once('exit', leave);
      return {
        [Symbol.dispose]: () => {
          process.off('exit', leave);
          leave();
          reading[Symbol.dispose]();
        },
      };
    },
    ring,
  };
}

/** For a question that takes one line. */
function onOneLine(text: string): string {
  return text.replace(/^\n+|\n+$/g, '').replace(/\n+/g, ' ');
}

/** As much of a screen as has room: it stays in view, and goes on, while something is written below. */
function pageOf(screen: Screen, columns: number, rows: number): string[] {
  const items = screen.items();
  const isFromBottom = screen.from === 'bottom';
  // Each has a line at least.
  const nearest = isFromBottom ? items.slice(-rows) : items.slice(0, rows);
  const lines = nearest.flatMap((item) => item.lines(columns - 2).map((line) => `  ${line}`));
  const padding = Array.from({ length: Math.max(0, rows - lines.length) }, () => '');
  return isFromBottom ? [...padding, ...lines.slice(-rows)] : [...lines.slice(0, rows), ...padding];
}
