/**
 * Runs the command that the person has chosen (`notify` in config.toml) for replies and mentions: without a shell, one process at a time,
 * and six a minute at most; what comes meanwhile is summed up. What strangers wrote reaches it on stdin and in its environment, never as an
 * argument, where it could pass for an option.
 */
import { spawn } from 'node:child_process';
import type { Message } from '../../feed/message.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { NotificationKind } from '../../store/notifications.ts';
import { counted } from '../render/text.ts';

const MINUTE_MS = 60_000;
const MOST_A_MINUTE = 6;
/** A command that takes longer is ended: others wait for it. */
const LONGEST_MS = 30_000;
/** BOUNDED: of what waits to be told, as much is remembered; the rest is counted. */
const MOST_WAITING = 100;

export interface News {
  readonly kind: NotificationKind;
  /** Safe to show. */
  readonly message: Message;
}

/** Runs a program until it ends, and says why if it did not end well. */
export type RunProgram = (
  command: readonly string[],
  input: { readonly text: string; readonly variables: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<string | undefined>;

export interface NotifierOptions {
  readonly clock: Pick<Clock, 'monotonicNow' | 'setTimeout' | 'clearTimeout'>;
  /** Told why the command did not work, once for each reason. */
  readonly warn: (text: string) => void;
  readonly run?: RunProgram;
}

export class Notifier implements Disposable {
  readonly #options: NotifierOptions;
  readonly #closing = new AbortController();
  readonly #waiting: News[] = [];
  /** Of those that wait, so many were not remembered. */
  #uncounted = 0;
  /** The program, and its arguments, as they were chosen when something was added last. */
  #command: readonly string[] = [];
  /** When commands were started within the last minute, monotonic. BOUNDED by MOST_A_MINUTE. */
  #started: readonly number[] = [];
  #isRunning = false;
  #timer: unknown;
  #lastWarning = '';

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  add(news: News, command: readonly string[]): void {
    this.#command = command;
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(news);
    else this.#uncounted += 1;
    this.#next();
  }

  /** What waits is not told any more. */
  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#waiting.length = 0;
    this.#options.clock.clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#isRunning || this.#waiting.length === 0 || this.#closing.signal.aborted) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonicNow();
    this.#started = this.#started.filter((ms) => nowMs - ms < MINUTE_MS);
    const left = MOST_A_MINUTE - this.#started.length;
    if (left === 0) {
      clock.clearTimeout(this.#timer);
      this.#timer = clock.setTimeout(() => this.#next(), MINUTE_MS - (nowMs - (this.#started[0] ?? nowMs)));
      return;
    }
    this.#started = [...this.#started, nowMs];
    // The last one of a minute tells all that there is to tell.
    const told = this.#waiting.splice(0, left === 1 ? this.#waiting.length : 1);
    const uncounted = left === 1 ? this.#uncounted : 0;
    this.#uncounted -= uncounted;
    void this.#run(told, told.length + uncounted);
  }

  async #run(told: readonly News[], count: number): Promise<void> {
    this.#isRunning = true;
    const { warn } = this.#options;
    const { signal } = this.#closing;
    const why = await tellNews(told, count, { ...this.#options, command: this.#command, signal });
    this.#isRunning = false;
    if (why !== undefined && why !== this.#lastWarning && !signal.aborted) warn(why);
    this.#lastWarning = why ?? '';
    this.#next();
  }
}

interface Telling extends Pick<NotifierOptions, 'run'> {
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

/** Runs the command once, for one notification or for a summary. Returns why it failed, if it did. */
export async function tellNews(
  told: readonly News[],
  count: number,
  { command, run = runProgram, signal }: Telling,
): Promise<string | undefined> {
  const [only] = told;
  const given = count === 1 && only !== undefined ? aboutOne(only) : aboutMany(told, count);
  const why = await run(command, { ...given, signal }).catch((error: unknown) => (error as Error).message);
  return why === undefined ? undefined : `notify: ${command[0]} ${why}`;
}

function aboutOne({ kind, message }: News) {
  const { author, hash, body } = message;
  return {
    text: `${author} ${kind === 'reply' ? 'replied to you' : 'mentioned you'}:\n${body}\n`,
    variables: {
      MURMURE_COUNT: '1',
      MURMURE_KIND: kind,
      MURMURE_AUTHOR: author,
      MURMURE_HASH: hash,
      MURMURE_TEXT: body,
    },
  };
}

/** Names that a sum names. */
const NAMED = 5;

function aboutMany(told: readonly News[], count: number) {
  const authors = [...new Set(told.map(({ message }) => message.author))];
  const others = authors.length > NAMED ? ' and others' : '';
  const text = `${counted(count, 'new notification')}, from ${authors.slice(0, NAMED).join(', ')}${others}`;
  return { text: `${text}\n`, variables: { MURMURE_COUNT: String(count), MURMURE_KIND: 'sum', MURMURE_TEXT: text } };
}

const runProgram: RunProgram = ([program = '', ...args], { text, variables, signal }) => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = spawn(program, args, {
    shell: false,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, ...variables },
    windowsHide: true,
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS).unref();
  child.on('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'ENOENT' ? 'was not found: check "notify" in config.toml' : error.message),
  );
  child.on('exit', (code, ended) => {
    if (code === 0) resolve(undefined);
    else resolve(ended === null ? `ended with ${code}` : `was ended by ${ended}`);
  });
  // Whoever does not read it need not.
  child.stdin.on('error', () => {});
  child.stdin.end(text);
  // One that still runs when murmure ends is left alone.
  const leave = () => {
    child.unref();
    child.stdin.destroy();
  };
  signal.addEventListener('abort', leave, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  });
};
