/** The streams of events of the local API: JSON Lines of what the peer tells, and every few seconds where it stands. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Peer, PeerFact } from '../peer/peer.ts';
import { MurmureError } from '../wire/murmure-error.ts';

/** Whoever hears nothing for a few of these takes the peer for gone. */
export const BEAT_MS = 5_000;
/** At once. */
const MAX_STREAMS = 32;
/** Bytes that wait for somebody who does not read: a first download tells of a thousand messages at once. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Facts after which the peer stands elsewhere than before. */
const TURNS: readonly PeerFact['type'][] = [
  'peer.listed',
  'directory.unreachable',
  'socket.bound',
  'root.published',
  'peer.silent',
  'peer.answers',
  'session.failed',
];

export class EventStreams {
  readonly #peer: Peer;
  /** BOUNDED by MAX_STREAMS, and each by MAX_WAITING. */
  readonly #open = new Set<ServerResponse>();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.#stopListening = peer.on('*', (fact) => this.#pass(fact));
    this.#timer = setInterval(() => this.#write(this.#beat()), BEAT_MS).unref();
  }

  /** Writes from now on, until either side ends it. @throws MurmureError `in-use` */
  open(reply: FastifyReply): void {
    if (this.#open.size >= MAX_STREAMS)
      throw new MurmureError('in-use', `${MAX_STREAMS} programs are already listening to events: stop one of them`);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    raw.write(line(this.#beat()));
    this.#open.add(raw);
    raw.on('close', () => this.#open.delete(raw));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    for (const raw of this.#open) raw.end();
    this.#open.clear();
  }

  #pass(fact: PeerFact): void {
    this.#write({ fact });
    // The actors are in the middle of a step.
    if (TURNS.includes(fact.type)) setImmediate(() => this.#write(this.#beat()));
  }

  #beat() {
    const { addresses, root, sessions, directory, silent, unlisted, unreachedReaders, traffic } = this.#peer;
    return { beat: { addresses, root, sessions, directory, silent, unlisted, unreachedReaders, traffic } };
  }

  #write(value: object): void {
    if (this.#open.size === 0) return;
    const text = line(value);
    for (const raw of this.#open) {
      raw.write(text);
      // It may ask again, and learns then where things stand.
      if (raw.writableLength > MAX_WAITING) raw.destroy();
    }
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
