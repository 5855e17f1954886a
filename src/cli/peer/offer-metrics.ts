/** `serve --metrics`: counters of the peer, for Prometheus. */
import { createServer } from 'node:http';
import type { Peer } from '../../index.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { parseAddress } from '../../wire/socket-address.ts';
import { systemReason } from '../output/system-failure.ts';

/** Anybody who can reach the address can open connections. */
const MAX_CONNECTIONS = 16;
const SLOW_CLIENT_MS = 10_000;

/** `listen`: IP:PORT. Disposing of it ends the server; the peer goes on. @throws MurmureError */
export async function offerMetrics(
  peer: Pick<Peer, 'on' | 'sessions' | 'directory' | 'traffic'>,
  listen: string,
): Promise<AsyncDisposable> {
  const { createPeerMetrics } = await import('../../peer/peer-metrics.ts');
  const address = parseAddress(listen);
  if (!address.ok) throw new MurmureError('usage', `--metrics takes HOST:PORT: ${address.why}`);
  const metrics = createPeerMetrics(peer);
  const server = createServer(
    { requestTimeout: SLOW_CLIENT_MS, headersTimeout: SLOW_CLIENT_MS, connectionsCheckingInterval: SLOW_CLIENT_MS / 4 },
    async ({ method, url }, response) => {
      if (method !== 'GET' || url !== '/metrics') return response.writeHead(404).end('only GET /metrics is here\n');
      return response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.render());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error) =>
      reject(new MurmureError('unexpected', `--metrics cannot listen on ${listen}: ${systemReason(error)}`)),
    );
    server.listen(address.value.port, address.value.ip, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      metrics[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
