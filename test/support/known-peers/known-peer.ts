/**
 * A small program with the habits of a known peer, on the virtual network: it registers, answers, posts, and reads others. It is written
 * apart from our machines on purpose: it shares the encoding of datagrams with them, and nothing else.
 */
import type { KeyPair } from '../../../src/identity/key-pair.ts';
import type { DatagramSocket } from '../../../src/runtime/network.ts';
import type { VirtualHost } from '../../../src/simulation/virtual-host.ts';
import {
  appendSignature,
  type Datagram,
  decodeDatagram,
  encodeDatagram,
  isRequest,
  typeCode,
} from '../../../src/wire/datagram.ts';
import { EMPTY_ROOT, type Hash, hashOf } from '../../../src/wire/hash.ts';
import { decodeNode, encodeInternal, encodeMessage } from '../../../src/wire/node.ts';
import { type SocketAddress, sameAddress } from '../../../src/wire/socket-address.ts';
import type { World } from '../world.ts';
import type { Habits } from './habits.ts';

const FIXED_PORT = 8_090;
const SENDS = 4;
const TIMEOUT_MS = 4_000;
/** BOUNDED: what waits to be answered, as in its system's buffer. */
const MOST_WAITING = 16;

interface Waiting {
  readonly ids: Set<number>;
  readonly to: SocketAddress;
  readonly resolve: (answer: Datagram) => void;
}

export class KnownPeer {
  name: string;
  /** It stopped for good. */
  hasPanicked = false;
  /** What it posted, oldest first. */
  readonly posted: string[] = [];
  /** Types of what it was sent, in order. */
  readonly heard: Datagram['type'][] = [];
  readonly #world: World;
  readonly #habits: Habits;
  readonly #host: VirtualHost;
  readonly #nodes = new Map<Hash, Uint8Array>();
  readonly #leaves: Hash[] = [];
  readonly #requests: { readonly datagram: Datagram; readonly from: SocketAddress }[] = [];
  #keyPair: KeyPair | undefined;
  #sign: ((message: Uint8Array) => Promise<Uint8Array>) | undefined;
  #socket: DatagramSocket | undefined;
  #root: Hash = EMPTY_ROOT;
  #waiting: Waiting | undefined;
  #isAnswering = false;
  #lastId = 0;
  #starts = 0;

  constructor(world: World, name: string, habits: Habits, host: VirtualHost) {
    this.#world = world;
    this.#habits = habits;
    this.#host = host;
    this.name = name;
  }

  /** Opens its socket, and registers as every peer does (protocol §5). */
  async start(name = this.name): Promise<void> {
    this.#starts += 1;
    const { port, afterRestart } = this.#habits;
    this.name = this.#starts > 1 && afterRestart === 'new name and key' ? `${name} ${this.#starts}` : name;
    if (this.#habits.signs.length > 0) {
      const { keyPair, sign } = await this.#world.identity(this.name);
      this.#keyPair = keyPair;
      this.#sign = sign;
    }
    this.#host.firstPort += 1;
    const bind = { ip: '0.0.0.0', port: port === 'any' ? 0 : FIXED_PORT };
    this.#socket = await this.#host.open(bind, (arrivals) => {
      for (const { bytes, from } of arrivals) this.#hear(bytes, from);
    });
    this.#postOften(this.#starts);
    await this.register();
  }

  /** Where it listens; it has been started. */
  get address(): SocketAddress {
    if (this.#socket === undefined) throw new Error(`${this.name} does not run`);
    const { port } = this.#socket.address;
    return { ip: this.#host.addresses[0]?.ip ?? '', port };
  }

  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#waiting = undefined;
    this.#requests.length = 0;
  }

  /** Starts anew with the same posts; under another name, if one is given. */
  async restart(name?: string): Promise<void> {
    this.stop();
    await this.start(name);
  }

  /** POST /register, Hello to the directory; answering its Hello is done by `#answer`. */
  async register(): Promise<void> {
    const { directoryHost, registry } = this.#world;
    registry.register(this.name, this.#keyPair?.publicKey, directoryHost.clock.now());
    await this.#ask(this.#world.directoryAddress, { type: 'Hello', id: 0, flags: this.#habits.flags, name: this.name });
  }

  post(body: string): void {
    const { padsMessagesTo, date, tree } = this.#habits;
    const message = encodeMessage({ date: date(Math.floor(this.#host.clock.now() / 1_000)), inReplyTo: null, body });
    const leaf = this.#keep(padded(message, padsMessagesTo));
    this.#leaves.push(leaf);
    this.posted.push(body);
    const isFirst = this.#leaves.length === 1;
    if (isFirst) this.#root = leaf;
    else this.#root = this.#keep(encodeInternal(tree === 'flat' ? this.#leaves : [this.#root, leaf]));
  }

  /** Reads a peer's whole feed, one request at a time. @throws Error if something was not answered */
  async read(address: SocketAddress): Promise<string[]> {
    const { flags } = this.#habits;
    await this.#askFor('HelloReply', address, { type: 'Hello', id: 0, flags, name: this.name });
    const { hash } = await this.#askFor('Root', address, { type: 'RootRequest', id: 0 });
    const bodies: string[] = [];
    const wanted = [hash];
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const { value } = await this.#askFor('Datum', address, { type: 'GetDatum', id: 0, hash: next });
      const node = decodeNode(value);
      if (!node.ok) throw new Error(`${this.name} got a node that is none: ${node.why}`);
      if (node.value.kind === 'message') bodies.push(node.value.body);
      if (node.value.kind === 'internal') wanted.push(...node.value.children.toReversed());
    }
    return bodies;
  }

  async #askFor<T extends Datagram['type']>(type: T, to: SocketAddress, request: Datagram) {
    const answer = await this.#ask(to, request);
    if (answer?.type !== type) throw new Error(`${this.name} got ${answer?.type ?? 'no answer'} to ${request.type}`);
    return answer as Extract<Datagram, { readonly type: T }>;
  }

  async #ask(to: SocketAddress, request: Datagram): Promise<Datagram | undefined> {
    const { promise, resolve } = Promise.withResolvers<Datagram | undefined>();
    const waiting: Waiting = { ids: new Set(), to, resolve };
    this.#waiting = waiting;
    const sends = this.#habits.repeats === 'never' ? 1 : SENDS;
    let id = this.#newId();
    const send = (sent: number) => {
      if (this.#waiting !== waiting) return;
      if (sent === sends) resolve(undefined);
      else {
        if (sent > 0 && this.#habits.repeats === 'under a new id') id = this.#newId();
        waiting.ids.add(id);
        void this.#send(to, { ...request, id });
        this.#host.clock.setTimeout(() => send(sent + 1), TIMEOUT_MS);
      }
    };
    send(0);
    const answer = await promise;
    this.#waiting = undefined;
    return answer;
  }

  #newId(): number {
    this.#lastId = this.#habits.hasOneId ? 7 : this.#lastId + 0x01020304;
    return this.#lastId;
  }

  #hear(bytes: Uint8Array, from: SocketAddress): void {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok || this.hasPanicked) return;
    const { datagram, signature } = decoded.value;
    this.heard.push(datagram.type);
    if (isRequest(typeCode(datagram))) this.#take(datagram, from);
    else if (this.#habits.panicsUnsigned && signature === undefined && isAnswer(datagram)) this.#panic();
    else if (datagram.type === 'NatTraversalServer') this.#traverse(datagram.address, from);
    else if (this.#isAwaited(datagram, from)) this.#waiting?.resolve(datagram);
  }

  #panic(): void {
    this.hasPanicked = true;
    this.stop();
  }

  #isAwaited({ id }: Datagram, from: SocketAddress): boolean {
    const waiting = this.#waiting;
    return waiting?.ids.has(id) === true && sameAddress(waiting.to, from);
  }

  #take(datagram: Datagram, from: SocketAddress): void {
    if (this.#requests.length >= MOST_WAITING) return;
    this.#requests.push({ datagram, from });
    if (!this.#isAnswering) this.#answerNext();
  }

  #answerNext(): void {
    const next = this.#requests.shift();
    this.#isAnswering = next !== undefined;
    if (next === undefined) return;
    const { msPerAnswer } = this.#habits;
    const answer = () => {
      void this.#answer(next.datagram, next.from);
      this.#answerNext();
    };
    if (msPerAnswer === 0) answer();
    else this.#host.clock.setTimeout(answer, msPerAnswer);
  }

  #answer(datagram: Datagram, from: SocketAddress): Promise<void> {
    const { copiesBytesOfId, copiesFlags, flags } = this.#habits;
    const id = copiesBytesOfId === 4 ? datagram.id : (datagram.id & 0xffffff00) >>> 0;
    switch (datagram.type) {
      case 'Hello':
        return this.#send(from, {
          type: 'HelloReply',
          id,
          flags: copiesFlags ? datagram.flags : flags,
          name: this.name,
        });
      case 'RootRequest':
        return this.#send(from, { type: 'Root', id, hash: this.#root });
      case 'GetDatum': {
        const { hash } = datagram;
        const value = this.#nodes.get(hash);
        return this.#send(
          from,
          value === undefined ? { type: 'NoDatum', id, hash } : { type: 'Datum', id, hash, value },
        );
      }
      default:
        return this.#send(from, { type: 'Error', id, text: 'unknown request' });
    }
  }

  /** Opens its own NAT; A takes that for a mistake (protocol §11). */
  #traverse(address: SocketAddress, from: SocketAddress): void {
    const { flags, panicsUnsigned } = this.#habits;
    if (panicsUnsigned) void this.#send(from, { type: 'Error', id: 0, text: 'what is that?' });
    else void this.#send(address, { type: 'HelloReply', id: 0, flags, name: this.name });
  }

  async #send(to: SocketAddress, datagram: Datagram): Promise<void> {
    const { signs, zerosAfterGetDatum, padsDatagramsTo } = this.#habits;
    const bytes = encodeDatagram(datagram);
    const sign = signs.includes(datagram.type) ? this.#sign : undefined;
    const whole = sign === undefined ? bytes : appendSignature(bytes, await sign(bytes));
    const zeros = datagram.type === 'GetDatum' ? zerosAfterGetDatum : 0;
    this.#socket?.send(padded(whole, Math.max(whole.length + zeros, padsDatagramsTo)), to);
  }

  #postOften(start: number): void {
    const { postsEveryMs } = this.#habits;
    if (postsEveryMs === undefined) return;
    this.#host.clock.setTimeout(() => {
      if (this.#socket === undefined || this.#starts !== start) return;
      this.post(`post ${this.posted.length + 1}`);
      this.#postOften(start);
    }, postsEveryMs);
  }

  #keep(node: Uint8Array): Hash {
    const hash = hashOf(node);
    this.#nodes.set(hash, node);
    return hash;
  }
}

/** What it believes somebody who signs would sign. Errors are for people. */
function isAnswer({ type }: Datagram): boolean {
  return type === 'HelloReply' || type === 'Root' || type === 'Datum' || type === 'NoDatum';
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length >= length) return bytes;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}
