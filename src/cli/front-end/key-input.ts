/**
 * The keyboard, as one question after the other sees it. What is typed before a question is there waits for it: Inquirer would throw it
 * away, and a quick typist's letters with it.
 */
import { EventEmitter } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate } from 'node:timers/promises';

/** How long after Escape the rest of a key's sequence may come. Node's own half a second makes Escape slow. */
const ESCAPE_MS = 25;
/** Nobody types that far ahead. */
const MOST_WAITING = 100_000;

export interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
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
  #waiting = '';
  #isPumping = false;
  #readers = 0;

  constructor(terminal: NodeJS.ReadStream) {
    this.#terminal = terminal;
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
    this.#terminal.setRawMode?.(true);
    this.#terminal.on('data', this.#onData);
    this.#terminal.resume();
  }

  #stop(): void {
    this.#terminal.off('data', this.#onData);
    this.#terminal.pause();
    this.#terminal.setRawMode?.(false);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    this.#waiting = (this.#waiting + text).slice(0, MOST_WAITING);
    void this.#pump();
  };

  /** One character at a time: the one after may be for the next question. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    await setImmediate();
    while (this.#waiting !== '' && this.#isAsked()) {
      const [letter = ''] = this.#waiting;
      this.#waiting = this.#waiting.slice(letter.length);
      this.#stream.emit('data', letter);
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
