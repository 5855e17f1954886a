/** Who may connect, for how long, and how often it may ask; and where the server listens. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSignedCertificate } from '../../../src/directory/certificate.ts';
import { certificate, isPlainText, key, serve, T0 } from './http-served.ts';
import { failureOf } from './support.ts';

describe('the rate of requests', () => {
  const rate = { perSecond: 0.5, burst: 3 };

  test('is limited per source: 429, and Retry-After says in how many seconds', async () => {
    const served = await serve({ rate });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await served.ask('/healthz')).status);
    expect(statuses).toEqual([200, 200, 200]);
    const answer = await served.ask('/healthz');
    expect([answer.status, answer.headers['retry-after'], isPlainText(answer)]).toEqual([429, '2', true]);
    expect(answer.text).toBe('too many requests: try again in 2 s\n');
    served.nowMs += 1_500;
    expect((await served.ask('/healthz')).headers['retry-after']).toBe('1');
    served.nowMs += 500;
    expect((await served.ask('/healthz')).status).toBe(200);
    expect((await served.ask('/healthz')).status).toBe(429);
  });

  test.each([
    ['an unknown route', '/nothing', 404],
    ['a broken path', '/peers/%zz', 400],
    ['a name that is none', '/peers/a%2Fb', 400],
  ])('counts %s too', async (_, path, status) => {
    const warnings: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
    const { ask } = await serve({ rate, logger });
    for (let i = 0; i < 3; i++) expect((await ask(path)).status).toBe(status);
    expect((await ask(path)).status).toBe(429);
    expect(warnings).toEqual([]);
  });

  test('stops registrations before they are read', async () => {
    const { register, registry } = await serve({ rate });
    for (const name of ['a', 'b', 'c', 'd']) await register({ name, key });
    expect(['a', 'b', 'c', 'd'].map((name) => registry.candidateKeys(name, T0).length)).toEqual([1, 1, 1, 0]);
  });

  test('is shown in the metrics', async () => {
    const served = await serve({ rate: { perSecond: 0.5, burst: 1 } });
    await served.ask('/healthz');
    await served.ask('/healthz');
    served.nowMs += 2_000;
    expect((await served.ask('/metrics')).text).toContain(
      'murmure_http_requests_total{route="/healthz",status="429"} 1',
    );
  });
});

describe('clients', () => {
  const client = (port: number, options: ConnectionOptions = {}) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: certificate.cert, ...options });
    onTestFinished(() => void socket.destroy());
    return socket;
  };

  test('that trust another certificate only do not connect', async () => {
    const { port } = await serve();
    const other = await selfSignedCertificate([]);
    const [error] = await once(client(port, { ca: other.cert }), 'error');
    expect(error.code).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });

  test('that speak TLS 1.1 do not connect', async () => {
    const { port } = await serve();
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const [error] = await once(client(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers }), 'error');
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
  });

  /**
   * A client that is connected before the server's patience ends. How long a handshake takes depends on the machine, so the
   * patience doubles until it is enough.
   */
  async function connected(slowClientMs = 200): Promise<TLSSocket> {
    const { port } = await serve({ slowClientMs });
    const socket = client(port);
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.on('error', () => {});
    return isConnected ? socket : connected(2 * slowClientMs);
  }

  test('that never begin their handshake are hung up on', async () => {
    const { port } = await serve({ slowClientMs: 100 });
    const socket = connectTcp(port, '127.0.0.1').resume();
    socket.on('error', () => {});
    await once(socket, 'close');
  });

  test('that send nothing are hung up on', async () => {
    const socket = await connected();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await closed;
  });

  test.each([
    ['their headers', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['a body', 'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n'],
  ])('that send %s a byte at a time are answered 408 and hung up on', async (_, beginning) => {
    /** What the server says until it hangs up. */
    const trickleInto = async (socket: TLSSocket): Promise<string> => {
      socket.write(beginning);
      // Never idle, never done.
      const trickle = setInterval(() => socket.write('x'), 20);
      let answer = '';
      socket.on('data', (bytes) => {
        answer += bytes;
        clearInterval(trickle);
      });
      // What was written meanwhile may be answered with a reset.
      if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(trickle);
      return answer;
    };
    // On a machine that stands still for a moment the server may take the client for an idle one, and say nothing.
    let answer = '';
    for (let slowClientMs = 200; answer === ''; slowClientMs *= 2)
      answer = await trickleInto(await connected(slowClientMs));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that keep their connection open do not keep the directory from closing', async () => {
    const { port, close } = await serve();
    const socket = client(port);
    await once(socket, 'secureConnect');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    await Promise.all([close(), closed]);
  });
});

describe('listening', () => {
  test('tells the port that was bound, also on all addresses', async () => {
    expect((await serve()).port).toBeGreaterThan(0);
    const { port, ask } = await serve({}, { ip: '0.0.0.0', port: 0 });
    expect(port).toBeGreaterThan(0);
    expect((await ask('/healthz')).status).toBe(200);
  });

  test.each([
    [
      'a port in use',
      () => serve().then(({ port }) => ({ ip: '127.0.0.1', port })),
      /is in use by another program: choose another port with --listen, or 0 for any free one$/,
    ],
    [
      'an address of another computer',
      async () => ({ ip: '192.0.2.1', port: 0 }),
      /^192\.0\.2\.1:0 is not an address of this machine: choose one that is, or 0\.0\.0\.0 for all$/,
    ],
  ])('on %s: which one, and what to do', async (_, bind, message) => {
    const address = await bind();
    const error = await failureOf(() => serve({}, address));
    expect(error.message).toMatch(message);
  });
});
