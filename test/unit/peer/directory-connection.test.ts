import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createDirectoryHttp } from '../../../src/peer/directory-http.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { eventually } from '../../support/eventually.ts';
import {
  answering,
  certify,
  failure,
  key,
  listen,
  type Reply,
  serve,
  today,
  trusted,
} from './directory-http-support.ts';

describe('limits', () => {
  test('an endless answer is cut off', async () => {
    let isCutOff = false;
    const url = await serve((_, response) => {
      const more = setInterval(() => response.write(new Uint8Array(8_192)), 1);
      response.on('close', () => {
        clearInterval(more);
        isCutOff = true;
      });
    });
    const error = await failure(createDirectoryHttp({ url, ca: trusted.cert }).udpAddresses());
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain('it is longer than 65536 bytes');
    await eventually(() => expect(isCutOff).toBe(true));
  });

  test('a compressed answer is measured unpacked', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const { http } = await answering({ headers, body: gzipSync(new Uint8Array(50_000_000)) });
    expect((await failure(http.peer('alice'))).message).toContain('it is longer than 65536 bytes');
  });

  test.each([
    ['no answer at all', () => {}],
    ['an answer that never ends', (_: unknown, response: { write(text: string): void }) => response.write('[')],
  ])('%s: timed out', async (_, listener) => {
    const url = await serve(listener as RequestListener);
    const error = await failure(createDirectoryHttp({ url, ca: trusted.cert, timeoutMs: 100 }).udpAddresses());
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`${url}: it timed out after 0.1 s; check`);
  });

  test.each([301, 302, 307, 308])('%d: redirects are refused, to the same origin and to others', async (status) => {
    for (const location of ['/elsewhere', 'http://127.0.0.1:1/', 'file:///', '']) {
      const { http, asked } = await answering({ status, headers: { location } });
      const error = await failure(http.udpAddresses());
      expect(error.code).toBe('directory-unreachable');
      expect(error.message).toMatch(/it redirects to \S+; redirects are not followed/);
      expect(asked).toHaveLength(1);
    }
  });
});

describe('giving up', () => {
  test('an abort ends the question, before and while it is answered', async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => void response.write('[', () => controller.abort()));
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect((await failure(http.udpAddresses(controller.signal))).code).toBe('interrupted');
    expect((await failure(http.peers(controller.signal))).code).toBe('interrupted');
  });

  test('a MurmureError as the reason is passed on', async () => {
    const reason = new MurmureError('peer-unreachable', 'it took too long');
    const http = createDirectoryHttp({ url: 'https://127.0.0.1:1' });
    expect(await failure(http.udpAddresses(AbortSignal.abort(reason)))).toBe(reason);
  });
});

describe('a directory that cannot be reached', () => {
  const ask = (url: string, ca?: string) => failure(createDirectoryHttp({ url, ca }).udpAddresses());

  test('nobody listens', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await ask(`https://127.0.0.1:${port}`);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toBe(
      `the directory cannot be reached at https://127.0.0.1:${port}: the connection was refused; check the URL, and that the directory runs`,
    );
    expect((await ask(`https://localhost:${port}`)).message).toContain('the connection was refused');
  });

  test('the name is not resolved', async () => {
    const error = await ask('https://directory.invalid');
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('https://directory.invalid: its host name cannot be resolved; check');
  });

  test('its certificate is not trusted, until it is given', async () => {
    const own = await certify('localhost');
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    const error = await ask(url);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('its certificate is not trusted; if you trust it, pass its certificate with --ca');
    expect(await createDirectoryHttp({ url, ca: own.cert }).udpAddresses()).toHaveLength(1);
  });

  test('a PEM file with several certificates: all are trusted', async () => {
    const [one, other] = [await certify('localhost'), await certify('localhost')];
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), other);
    const http = createDirectoryHttp({ url, ca: `# two of them\n${one.cert}\n${other.cert}` });
    expect(await http.udpAddresses()).toHaveLength(1);
  });

  test('its certificate is trusted by the client that it was given to, and by nobody else', async () => {
    const own = await certify('localhost');
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    expect(await createDirectoryHttp({ url, ca: own.cert }).udpAddresses()).toHaveLength(1);
    expect((await ask(url)).message).toContain('its certificate is not trusted');
    expect((await ask(url, trusted.cert)).message).toContain('its certificate is not trusted');
    await expect(fetch(url)).rejects.toThrow();
  });

  test.each([
    [
      'for another host',
      'elsewhere.example',
      {},
      'is for another host name; use a host name that it was made for (elsewhere.example)',
    ],
    [
      'expired',
      'localhost',
      { notBeforeDate: new Date('2020-01-01'), notAfterDate: new Date('2021-01-01') },
      `has expired; check this computer's clock, which says ${today}, or ask`,
    ],
    [
      'not valid yet',
      'localhost',
      { notBeforeDate: new Date('2100-01-01'), notAfterDate: new Date('2101-01-01') },
      `is not valid yet; check this computer's clock, which says ${today}`,
    ],
  ])('its certificate is %s', async (_, host, dates, message) => {
    const own = await certify(host, dates);
    const error = await ask(await serve(() => {}, own), own.cert);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`its certificate ${message}`);
  });

  test('it speaks HTTP without TLS', async () => {
    const port = await listen(createHttpServer((_, response) => response.end('hello')));
    const error = await ask(`https://127.0.0.1:${port}`);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('it does not speak TLS as expected; check');
  });

  test('it closes the connection, at once or amid its answer', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/udp-address') request.socket.destroy();
      else response.writeHead(200, { 'content-length': '100' }).write('alice\n', () => request.socket.destroy());
    });
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect((await failure(http.udpAddresses())).message).toContain('it closed the connection; check');
    expect((await failure(http.peers())).message).toContain('it closed the connection; check');
  });

  test('it speaks something else over TLS', async () => {
    const url = await serve((request) => void request.socket.end('SSH-2.0-x\r\n\r\n'));
    const error = await ask(url, trusted.cert);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('it does not speak HTTP as expected; check');
  });

  test.each([
    [500, 'it answered 500; try again later'],
    [503, 'it answered 503; try again later'],
    [429, 'it was asked too often and answered 429; wait'],
  ])('it answers %d, to every question', async (status, message) => {
    const { http, asked } = await answering({ status, body: 'x' });
    const questions = [http.udpAddresses(), http.serverKey(), http.register('a', key), http.peers(), http.peer('a')];
    for (const question of questions.map(failure)) {
      expect(await question).toMatchObject({
        code: 'directory-unreachable',
        message: expect.stringContaining(message),
      });
    }
    expect(asked).toHaveLength(questions.length);
  });
});

describe('asking again', () => {
  const ADDRESSES = '[{"ip":"192.0.2.1","port":1}]';

  /** Gives one reply after the other, then addresses; how often it was asked. */
  async function replying(replies: readonly (Reply | 'hang up')[]) {
    let asked = 0;
    const url = await serve((request, response) => {
      const reply = replies[asked++] ?? { body: ADDRESSES };
      if (reply === 'hang up') request.socket.destroy();
      else response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
    });
    return { http: createDirectoryHttp({ url, ca: trusted.cert }), asked: () => asked };
  }

  test('a connection that turns out to be closed', async () => {
    const { http, asked } = await replying(['hang up']);
    expect(await http.udpAddresses()).toHaveLength(1);
    expect(asked()).toBe(2);
  });

  test.each([429, 503])('%d that says how few seconds to wait', async (status) => {
    const { http, asked } = await replying([{ status, headers: { 'retry-after': '0' } }]);
    expect(await http.udpAddresses()).toHaveLength(1);
    expect(asked()).toBe(2);
  });

  test('no more than twice', async () => {
    const busy = { status: 429, headers: { 'retry-after': '0' } };
    const { http, asked } = await replying(Array(9).fill(busy));
    expect((await failure(http.udpAddresses())).message).toContain('answered 429');
    expect(asked()).toBe(3);
  });

  test.each(['3600', '6', '-1', 'soon', 'Wed, 21 Oct 2099 07:28:00 GMT'])('not after %j', async (wait) => {
    const { http, asked } = await replying([{ status: 429, headers: { 'retry-after': wait } }]);
    expect((await failure(http.udpAddresses())).message).toContain('answered 429');
    expect(asked()).toBe(1);
  });
});

describe('what else is seen of the directory', () => {
  test('how far its clock is ahead', async () => {
    const clock = { ...systemClock, now: () => Date.UTC(1970, 0, 1) };
    const url = await serve((_, response) =>
      response.setHeader('date', 'Fri, 02 Jan 1970 00:00:00 GMT').end('[{"ip":"192.0.2.1","port":1}]'),
    );
    const http = createDirectoryHttp({ url, ca: trusted.cert, clock });
    expect(http.clockOffsetMs).toBeUndefined();
    await http.udpAddresses();
    expect(http.clockOffsetMs).toBe(24 * 60 * 60 * 1000);
  });

  test('nothing, where its date is none', async () => {
    const { http } = await answering({ headers: { date: 'yesterday' }, body: '[{"ip":"192.0.2.1","port":1}]' });
    await http.udpAddresses();
    expect(http.clockOffsetMs).toBeUndefined();
  });

  test('when its certificate expires, but not of one that is not trusted', async () => {
    const own = await certify('localhost', { notAfterDate: new Date('2099-01-02T03:04:05Z') });
    const url = await serve((_, response) => response.writeHead(404).end(), own);
    const [trusting, other] = [own, trusted].map(({ cert }) => createDirectoryHttp({ url, ca: cert }));
    await Promise.allSettled([trusting?.udpAddresses(), other?.udpAddresses()]);
    expect(trusting?.certificateExpiresMs).toBe(Date.parse('2099-01-02T03:04:05Z'));
    expect(other?.certificateExpiresMs).toBeUndefined();
  });
});
