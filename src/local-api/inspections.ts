/** The streams of the local API that tell each step of each actor. Nothing is paid while there is none. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { LineStream } from '../inspector/line-stream.ts';
import type { Peer } from '../peer/peer.ts';
import { MurmureError } from '../wire/murmure-error.ts';

/** At once: each makes the peer slower. */
const MAX_STREAMS = 4;

export class Inspections {
  readonly #peer: Pick<Peer, 'watch'>;
  /** BOUNDED by MAX_STREAMS, and each by what a LineStream lets wait. */
  readonly #open = new Set<ServerResponse>();

  constructor(peer: Pick<Peer, 'watch'>) {
    this.#peer = peer;
  }

  /** Until either side ends it. @throws MurmureError `in-use` */
  open(reply: FastifyReply): void {
    if (this.#open.size >= MAX_STREAMS)
      throw new MurmureError('in-use', `${MAX_STREAMS} programs are already inspecting: stop one of them`);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    const stop = this.#peer.watch(new LineStream(raw).write);
    this.#open.add(raw);
    raw.on('close', () => {
      stop();
      this.#open.delete(raw);
    });
  }

  close(): void {
    for (const raw of this.#open) raw.end();
  }
}
