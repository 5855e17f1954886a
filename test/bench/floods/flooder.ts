/**
 * A process of its own that sends datagrams at a rate, and counts what comes back. Its sources are addresses of the loopback network, which
 * Linux lets everybody use; as many as are asked for stand for sources that are forged.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { KINDS, type Kind } from './kinds.ts';

export interface Flood {
  readonly kind: Kind;
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** IPv4 addresses to send from, and of each so many ports. */
  readonly hosts: readonly string[];
  readonly ports: number;
}

export interface Flooded {
  readonly sent: number;
  readonly bytesSent: number;
  readonly bytesBack: number;
}

/** So often, what is due is sent. */
const TICK_MS = 2;
/** What is answered late, and repeated, is counted as well. */
const PATIENCE_MS = 2_000;

process.on('message', async (flood: Flood) => process.send?.(await run(flood)));
process.on('disconnect', () => process.exit());

async function run({ kind, port, perSecond, seconds, hosts, ports }: Flood): Promise<Flooded> {
  let bytesBack = 0;
  const sockets = hosts.flatMap((host) =>
    Array.from({ length: ports }, () => createSocket('udp4').bind({ port: 0, address: host, exclusive: true })),
  );
  for (const socket of sockets) {
    socket.on('message', ({ length }) => {
      bytesBack += length;
    });
  }
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const make = KINDS[kind];
  let [sent, bytesSent] = [0, 0];
  const startMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startMs) {
    for (const due = (perSecond * elapsedMs) / 1_000; sent < due; sent++) {
      const bytes = make(sent);
      sockets[sent % sockets.length]?.send(bytes, port, '127.0.0.1');
      bytesSent += bytes.length;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  for (const socket of sockets) socket.close();
  return { sent, bytesSent, bytesBack };
}
