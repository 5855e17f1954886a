/**
 * The keyboard, as one question after the other sees it. What is typed before a question is there waits for it: Inquirer would throw it
 * away, and a quick typist's letters with it.
 */
import { EventEmitter } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate } from 'node:timers/promises';
import { type Input, type Paste, PasteFinder } from './pastes.ts';

/** How long after Escape the rest of a key's sequence may come. Node's own half a second makes Escape slow. */
const ESCAPE_MS = 25;
/** Characters. Nobody types that far ahead. */
const MOST_WAITING = 100_000;
/** Within this time after it went on, a process hears that it did. */
const SIGNAL_MS = 200;
const CTRL_Z = '\u001A';

export interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** How a question hears of a paste: as of one key, whatever is in it. */
export interface PasteKey extends Key {
  readonly name: typeof PASTE;
  readonly paste: Paste;
}
const PASTE = 'paste';

export function isPaste(key: Key): key is PasteKey {
  return key.name === PASTE;
}

/**
 * Who draws on the terminal. It is handed back before the process stops at Ctrl-Z, or the shell would find it as it is needed here; and
 * taken again when the process goes on, also after a SIGSTOP, of which nobody hears beforehand.
 */
export interface TerminalOwner {
  /** Makes the terminal what it was. */
  leave(): void;
  /** Makes it what is needed, and draws anew. */
  enter(): void;
  /** Whether what comes too fast to be typed is taken for a paste: where a key by itself does something. */
  guessesPastes(): boolean;
}

/** As much of a readable stream as readline needs; it is never one that holds back data. */
class KeyStream extends EventEmitter {
  resume(): this {
    return this;
  }
  pause(): this {
    return this;
  }
}

export class KeyInput {
  readonly #terminal: NodeJS.ReadStream;
  readonly #stream = new KeyStream();
  #decoder = new StringDecoder('utf8');
  readonly #pastes = new PasteFinder();
  /** BOUNDED by MOST_WAITING characters. */
  #waiting: Input[] = [];
  #isPumping = false;
  #readers = 0;
  #isTaken = false;
  #wentOnMs = Number.NEGATIVE_INFINITY;
  readonly #owner: TerminalOwner;

  constructor(terminal: NodeJS.ReadStream, owner: TerminalOwner) {
    this.#terminal = terminal;
    this.#owner = owner;
    // The first to call this decides how long Escape takes.
    emitKeypressEvents(this.stream, { escapeCodeTimeout: ESCAPE_MS } as never);
    this.#stream.on('newListener', (event) => {
      if (event === 'keypress') void this.#pump();
    });
  }

  /** For a prompt to read from. */
  get stream(): NodeJS.ReadStream {
    return this.#stream as unknown as NodeJS.ReadStream;
  }

  /** Calls back for each key, before the prompt sees it. */
  watch(onKey: (key: Key) => void): Disposable {
    const listener = (_text: unknown, key: Key | undefined) => onKey(key ?? {});
    this.#stream.prependListener('keypress', listener);
    return { [Symbol.dispose]: () => void this.#stream.off('keypress', listener) };
  }

  /** As if it had been typed, at once: readline inserts it, and the question is drawn once. */
  insert(text: string): void {
    this.#stream.emit('keypress', text, { sequence: text });
  }

  /** The terminal is read, key by key, until the last of those who asked for that disposes of it. */
  read(): Disposable {
    if (this.#readers === 0) this.#start();
    this.#readers += 1;
    return {
      [Symbol.dispose]: () => {
        this.#readers -= 1;
        if (this.#readers === 0) this.#stop();
      },
    };
  }

  /** While another program has the terminal. */
  async suspended<T>(work: () => Promise<T>): Promise<T> {
    this.#stop();
    try {
      return await work();
    } finally {
      if (this.#readers > 0) this.#start();
    }
  }

  #start(): void {
    this.#isTaken = true;
    this.#terminal.setRawMode?.(true);
    this.#terminal.on('data', this.#onData);
    this.#terminal.resume();
    process.on('SIGCONT', this.#onContinue);
  }

  #stop(): void {
    this.#isTaken = false;
    process.off('SIGCONT', this.#onContinue);
    this.#terminal.off('data', this.#onData);
    this.#terminal.pause();
    this.#terminal.setRawMode?.(false);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const piece = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    const inputs = this.#pastes.split(piece, { guesses: this.#owner.guessesPastes(), nowMs: performance.now() });
    for (const input of inputs) this.#add(typeof input === 'string' ? input.replaceAll(CTRL_Z, '') : input);
    if (inputs.some((input) => typeof input === 'string' && input.includes(CTRL_Z))) this.#suspend();
    void this.#pump();
  };

  #add(input: Input): void {
    const characters = [...this.#waiting, input].reduce((sum, each) => sum + lengthOf(each), 0);
    if (input !== '' && characters <= MOST_WAITING) this.#waiting.push(input);
  }

  #suspend(): void {
    if (process.platform === 'win32') return;
    this.#terminal.setRawMode?.(false);
    this.#owner.leave();
    // The whole job, as a terminal does it: npm, say, would go on waiting for a process that has stopped.
    process.kill(0, 'SIGTSTP');
    // Here it goes on, before anything else is drawn; at once where there is no shell to go back to.
    this.#goOn();
  }

  /** After a Ctrl-Z the signal comes once more, when all is done: a question would be put twice. */
  readonly #onContinue = (): void => {
    if (performance.now() - this.#wentOnMs > SIGNAL_MS) this.#goOn();
  };

  #goOn(): void {
    if (!this.#isTaken) return;
    this.#wentOnMs = performance.now();
    // The terminal may have become anything meanwhile, whatever mode Node thinks it is in.
    this.#terminal.setRawMode?.(false);
    this.#terminal.setRawMode?.(true);
    this.#owner.enter();
  }

  /** One character at a time, and a paste as one: what comes after may be for the next question. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    await setImmediate();
    while (this.#waiting.length > 0 && this.#isAsked()) {
      const [input = '', ...later] = this.#waiting;
      if (typeof input === 'string') {
        const [letter = ''] = input;
        const rest = input.slice(letter.length);
        this.#waiting = rest === '' ? later : [rest, ...later];
        this.#stream.emit('data', letter);
      } else {
        this.#waiting = later;
        this.#stream.emit('keypress', undefined, { name: PASTE, paste: input } satisfies PasteKey);
      }
      // By then a question that was answered has let go of the stream.
      await setImmediate();
    }
    this.#isPumping = false;
  }

  /** Readline listens for as long as its question is open. */
  #isAsked(): boolean {
    return this.#stream.listenerCount('keypress') > 1;
  }
}

function lengthOf(input: Input): number {
  return typeof input === 'string' ? input.length : input.text.length;
}
