/** What a program has heard from one address and said to it, as far as the rules ask: the state of the session in both directions. */
import { type Datagram, isRequest, typeCode } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';

export interface Heard {
  readonly datagram: Datagram;
  count: number;
  answered: number;
}

export interface Asked {
  readonly datagram: Datagram;
  readonly signed: Uint8Array;
  sends: number;
  isAnswered: boolean;
}

/** BOUNDED: of each kind the latest are remembered. */
const REMEMBERED = 8_192;
/** Within so long one Hello is repeated, under other ids as well (protocol §6). */
const GREETING_MS = 30_000;

function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value as K);
}

export class Remote {
  readonly address: SocketAddress;
  /** Their requests, by type and id. */
  readonly heard = new Map<string, Heard>();
  /** Ours, by id. */
  readonly asked = new Map<number, Asked>();
  /** Their Hellos: their ids are the proofs that our GetNodes may carry. */
  readonly theirHellos = new Set<number>();
  /** Ids of our Hellos that they answered: they are where they say. An answer is one to all ids under which that Hello went out. */
  readonly proofs = new Set<number>();
  /** Ids under which Hello has gone out since they answered one, and when. */
  readonly #greetedWith = new Map<number, number>();
  theirFlags = 0;
  /** When we last answered a Hello of theirs; -Infinity: never. */
  admittedAtMs = Number.NEGATIVE_INFINITY;
  /** When they last answered a Hello of ours. */
  reachedAtMs = Number.NEGATIVE_INFINITY;
  bytesHeard = 0;
  /** Of answers only: our own requests have reasons of their own. */
  bytesAnswered = 0;
  readonly errorsAtMs: number[] = [];
  helloReplies = 0;

  constructor(address: SocketAddress) {
    this.address = address;
  }

  get isProven(): boolean {
    return this.proofs.size > 0;
  }

  /** One known program asks for everything under the same id: then the hash tells what is answered. */
  requestOf(answer: Datagram): Heard | undefined {
    const types = REQUESTS[answer.type] ?? [];
    const found = types.flatMap((type) => this.heard.get(`${type} ${answer.id}`) ?? []);
    const exact = 'hash' in answer ? this.heard.get(`GetDatum ${answer.id} ${answer.hash}`) : undefined;
    return exact ?? found[0];
  }

  /** They sent this. */
  hear(datagram: Datagram, bytes: number, atMs: number): void {
    this.bytesHeard += bytes;
    const { id } = datagram;
    if (isRequest(typeCode(datagram))) this.#note(datagram);
    if (datagram.type === 'Hello') {
      this.theirHellos.add(id);
      this.theirFlags |= datagram.flags;
    }
    const question = this.asked.get(id);
    if (question === undefined) return;
    if (datagram.type === 'HelloReply' && question.datagram.type === 'Hello') {
      this.proofs.add(id);
      for (const [other, saidAtMs] of this.#greetedWith) if (atMs - saidAtMs <= GREETING_MS) this.proofs.add(other);
      this.#greetedWith.clear();
      this.reachedAtMs = atMs;
    }
    if (datagram.type === 'Datum' && question.datagram.type === 'GetDatum') {
      question.isAnswered ||= datagram.hash === question.datagram.hash && hashOf(datagram.value) === datagram.hash;
    }
  }

  #note(datagram: Datagram): void {
    const { type, id } = datagram;
    const keys = [`${type} ${id}`, ...(type === 'GetDatum' ? [`${type} ${id} ${datagram.hash}`] : [])];
    for (const key of keys) {
      const { count = 0, answered = 0 } = this.heard.get(key) ?? {};
      keep(this.heard, key, { datagram, count: count + 1, answered });
    }
  }

  /** We sent this; the rules have seen it before. */
  say(datagram: Datagram, signed: Uint8Array, bytes: number, atMs: number): void {
    const { type, id } = datagram;
    if (isRequest(typeCode(datagram))) {
      if (type === 'Hello') this.#greetedWith.set(id, atMs);
      const known = this.asked.get(id);
      if (known === undefined || known.datagram.type !== type)
        keep(this.asked, id, { datagram, signed, sends: 1, isAnswered: false });
      else known.sends += 1;
      return;
    }
    if (type === 'Error') this.errorsAtMs.push(atMs);
    const request = this.requestOf(datagram);
    if (request !== undefined) request.answered += 1;
    if (type === 'HelloReply' && id !== 0) {
      this.helloReplies += 1;
      this.admittedAtMs = atMs;
    }
    // The first HelloReply is owed, whatever it costs; and with id 0 nobody is answered.
    if (id !== 0 && !(type === 'HelloReply' && this.helloReplies === 1)) this.bytesAnswered += bytes;
  }
}

/** What each type answers. */
const REQUESTS: Partial<Record<Datagram['type'], readonly Datagram['type'][]>> = {
  HelloReply: ['Hello'],
  Root: ['RootRequest'],
  Datum: ['GetDatum'],
  NoDatum: ['GetDatum'],
  Nodes: ['GetNodes'],
  Error: ['RootRequest', 'GetDatum', 'GetNodes', 'Unknown', 'Hello'],
};
