/** Where an inspector has its runs from: a peer of this process, the peer that runs on the home, or a journal. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Peer } from '../../index.ts';
import { LineStream } from '../../inspector/line-stream.ts';
import type { RunSource } from '../../inspector/server.ts';
import type { CommandContext } from '../context.ts';
import { NotServingError } from '../errors.ts';
import { reachRunningPeer } from '../peer/running-peer.ts';

/** Each page watches it for itself, from when it is opened. */
export function peerSource(peer: Pick<Peer, 'watch'>): RunSource {
  return async (response) => {
    const stop = peer.watch(new LineStream(response).write);
    await once(response, 'close');
    stop();
  };
}

/** Whichever process runs it when a page is opened: also this one, with a journal. What was asked of the command was compared before. */
export function runningPeerSource(context: CommandContext): RunSource {
  return async (response) => {
    const api = await reachRunningPeer(context, { mayDiffer: true });
    if (api === undefined) throw new NotServingError(context.settings.home.folder);
    const ended = new AbortController();
    response.on('close', () => ended.abort());
    try {
      const lines = await api.inspection(ended.signal);
      await pipeline(Readable.fromWeb(lines as Parameters<typeof Readable.fromWeb>[0]), response);
    } catch (error) {
      // Whoever closes the page needs no reason.
      if (!ended.signal.aborted) throw error;
    } finally {
      await api.close();
    }
  };
}
