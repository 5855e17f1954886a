/** The ceiling: requests and responses over UDP on loopback, both ends in this process, with nothing done to them. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const IN_FLIGHT = 64;
/** Of a GetDatum, and of the Datum with a message of 200 bytes. */
const REQUEST_BYTES = 39;
const RESPONSE_BYTES = 278;

/** Requests answered a second. */
export async function rawLoop(requests: number): Promise<number> {
  const [server, client] = [await bound(), await bound()];
  const response = Buffer.alloc(RESPONSE_BYTES);
  server.on('message', (_request, { port, address }) => server.send(response, port, address));
  const { port } = server.address();
  const request = Buffer.alloc(REQUEST_BYTES);
  const { promise, resolve } = Promise.withResolvers<void>();
  let [sent, answered] = [0, 0];
  const ask = () => {
    sent += 1;
    client.send(request, port, '127.0.0.1');
  };
  client.on('message', () => {
    answered += 1;
    if (answered === requests) resolve();
    else if (sent < requests) ask();
  });
  const startMs = performance.now();
  for (let i = 0; i < IN_FLIGHT; i++) ask();
  await promise;
  const seconds = (performance.now() - startMs) / 1000;
  server.close();
  client.close();
  return requests / seconds;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 << 20);
  return socket;
}
