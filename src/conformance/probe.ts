/** A socket of ours that speaks by hand, so that it can also say what no program of ours would. */
import type { Random } from '../../machines/effects.ts';
import type { KeyPair } from '../identity/key-pair.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DatagramSocket, Network } from '../runtime/network.ts';
import {
  type Arrival,
  appendSignature,
  type Datagram,
  decodeDatagram,
  encodeDatagram,
  isRequest,
  typeCode,
} from '../wire/datagram.ts';
import { EMPTY_ROOT } from '../wire/hash.ts';
import { isIPv6, type SocketAddress, sameAddress } from '../wire/socket-address.ts';

export interface Heard {
  readonly datagram: Datagram;
  /** As it came. */
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | undefined;
  readonly signed: Uint8Array;
  readonly atMs: number;
}

export interface ProbeOptions {
  readonly target: SocketAddress;
  readonly name: string;
  readonly flags: number;
  readonly keyPair: KeyPair;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly bind?: string | undefined;
}

/** Without an id, which is drawn. */
type Question = Datagram extends infer D ? (D extends Datagram ? Omit<D, 'id'> : never) : never;

const SENDS = 2;
/** Known programs take three seconds for an answer, and do one thing at a time (protocol §11). */
const RESEND_MS = 8_000;
/** Datagrams may overtake one another: what is sent so much later comes later. */
const OVERTAKING_MS = 100;
/** For what an answer may be followed by. */
const SETTLE_MS = 400;
/** BOUNDED: what one probe keeps of what it is sent. */
const MOST_HEARD = 4_096;

export class Probe {
  readonly heard: Heard[] = [];
  /** Our answer to its Hello proves our address. */
  answersHello = true;
  bytesSent = 0;
  bytesHeard = 0;
  readonly #options: ProbeOptions;
  readonly #socket: DatagramSocket;
  #onHeard: () => void = () => {};

  private constructor(options: ProbeOptions, socket: DatagramSocket) {
    this.#options = options;
    this.#socket = socket;
  }

  static async open(options: ProbeOptions): Promise<Probe> {
    let take: (arrivals: readonly Arrival[]) => void = () => {};
    const ip = options.bind ?? (isIPv6(options.target) ? '::' : '0.0.0.0');
    const socket = await options.network.open(
      { ip, port: 0 },
      (arrivals) => take(arrivals),
      () => {},
    );
    const probe = new Probe(options, socket);
    take = (arrivals) => {
      for (const arrival of arrivals) probe.#hear(arrival);
    };
    return probe;
  }

  get address(): SocketAddress {
    return this.#socket.address;
  }

  close(): void {
    this.#socket.close();
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, ms));
  }

  sendBytes(bytes: Uint8Array): void {
    this.bytesSent += bytes.length;
    this.#socket.send(bytes, this.#options.target);
  }

  async sign(datagram: Datagram): Promise<Uint8Array> {
    const bytes = encodeDatagram(datagram);
    return appendSignature(bytes, await this.#options.keyPair.sign(bytes));
  }

  /** Signed: somebody who has a key signs. */
  async send(datagram: Datagram): Promise<void> {
    this.sendBytes(await this.sign(datagram));
  }

  hello(id = this.newId()): Datagram & { readonly type: 'Hello' } {
    return { type: 'Hello', id, flags: this.#options.flags, name: this.#options.name };
  }

  /** Never 0, and its last byte is not 0 either. */
  newId(): number {
    return (this.#options.random.uint32() | 0x01) >>> 0;
  }

  /** What answers it; undefined: nothing, though it was repeated. `bytes`: what is sent instead of the datagram, signed. */
  async ask(
    question: Question,
    { bytes }: { readonly bytes?: (datagram: Datagram) => Uint8Array } = {},
  ): Promise<Heard | undefined> {
    const datagram = { ...question, id: this.newId() } as Datagram;
    const wire = bytes?.(datagram) ?? (await this.sign(datagram));
    const isAnswer = ({ datagram: { id, ...rest } }: Heard) =>
      !isRequest(typeCode({ id, ...rest } as Datagram)) && matches(id, datagram.id);
    for (let sends = 0; sends < SENDS; sends++) {
      this.sendBytes(wire);
      await this.until(() => this.heard.some(isAnswer), RESEND_MS);
      const answer = this.heard.find(isAnswer);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  askHello(): Promise<Heard | undefined> {
    return this.ask(this.hello());
  }

  /** What it says because of `stimulus`, which may be nothing: a Hello after it shows that it had time to. Undefined: not even that was answered. */
  async provoked(stimulus: () => unknown): Promise<readonly Heard[] | undefined> {
    const before = this.heard.length;
    await stimulus();
    await this.wait(OVERTAKING_MS);
    const marker = await this.askHello();
    if (marker === undefined) return undefined;
    await this.wait(SETTLE_MS);
    return this.heard.slice(before).filter(({ datagram }) => isCaused(datagram) && datagram.id !== marker.datagram.id);
  }

  /** Resolves when it is so, or the time is over. */
  until(isSo: () => boolean, ms: number): Promise<void> {
    if (isSo()) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const end = () => {
        clock.clearTimeout(timer);
        this.#onHeard = () => {};
        resolve();
      };
      const timer = clock.setTimeout(end, ms);
      this.#onHeard = () => isSo() && end();
    });
  }

  #hear({ bytes, from }: Arrival): void {
    if (!sameAddress(from, this.#options.target)) return;
    this.bytesHeard += bytes.length;
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok || this.heard.length >= MOST_HEARD) return;
    const { datagram, signature, signed } = decoded.value;
    this.heard.push({ datagram, bytes, signature, signed, atMs: this.#options.clock.monotonicNow() });
    if (this.answersHello) void this.#answer(datagram);
    this.#onHeard();
  }

  /** A peer asks who reads from it for its own history before it gives its root (docs/adr/0016): we have none of it. */
  async #answer(datagram: Datagram): Promise<void> {
    const { id, type } = datagram;
    const { name, flags } = this.#options;
    if (type === 'Hello') await this.send({ type: 'HelloReply', id, flags, name });
    if (type === 'RootRequest') await this.send({ type: 'Root', id, hash: EMPTY_ROOT });
    if (type === 'GetDatum') await this.send({ type: 'NoDatum', id, hash: datagram.hash });
  }
}

/** One known program copies the first three bytes only: it is told so once, and its answers are understood. */
function matches(answered: number, asked: number): boolean {
  return answered === asked || answered === (asked & 0xffffff00) >>> 0;
}

/** Its own requests, and what it may say at any time, have other causes. */
function isCaused(datagram: Datagram): boolean {
  const { type, id } = datagram;
  return !isRequest(typeCode(datagram)) && !(id === 0 && (type === 'HelloReply' || type === 'Root'));
}
