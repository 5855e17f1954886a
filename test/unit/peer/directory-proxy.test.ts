import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createDirectoryHttp } from '../../../src/peer/directory-http.ts';
import { certify, createFailure, failure, listen, serve, trusted } from './directory-http-support.ts';

describe('HTTPS_PROXY', () => {
  const names = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'HTTP_PROXY', 'http_proxy'];
  const kept = names.map((name) => process.env[name]);
  const setProxy = (proxy: Record<string, string>) => {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, proxy);
  };
  afterEach(() => {
    setProxy(Object.fromEntries(names.flatMap((name, i) => (kept[i] === undefined ? [] : [[name, kept[i]]]))));
  });

  /** A proxy that leads every name to the server at `port`, and what it was asked for. */
  async function proxyTo(port: number): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const proxy = createHttpServer();
    const sockets = new Set<Duplex>();
    proxy.on('connect', ({ url = '' }, socket) => {
      asked.push(url);
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const one of [socket, onward]) sockets.add(one.on('error', () => {}));
    });
    const url = `http://127.0.0.1:${await listen(proxy)}`;
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    return { url, asked };
  }

  async function directoryNamed(host: string) {
    const own = await certify(host);
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    return { own, port: Number(new URL(url).port) };
  }

  test.each(['HTTPS_PROXY', 'https_proxy'])(
    '%s: the directory is asked through it, and its certificate checked',
    async (name) => {
      const { own, port } = await directoryNamed('directory.example');
      const proxy = await proxyTo(port);
      setProxy({ [name]: proxy.url });
      const url = 'https://directory.example:8443';
      const http = createDirectoryHttp({ url, ca: own.cert });
      expect(await http.udpAddresses()).toHaveLength(1);
      expect(http.certificateExpiresMs).toBeGreaterThan(Date.now());
      expect(proxy.asked).toEqual(['directory.example:8443']);
      const error = await failure(createDirectoryHttp({ url, ca: trusted.cert }).udpAddresses());
      expect(error.message).toContain('its certificate is not trusted');
    },
  );

  test('a thousand look-ups take no more than eight connections through it', async () => {
    const { own, port } = await directoryNamed('directory.example');
    const proxy = await proxyTo(port);
    setProxy({ HTTPS_PROXY: proxy.url });
    const http = createDirectoryHttp({ url: 'https://directory.example', ca: own.cert });
    await Promise.all(Array.from({ length: 100 }, () => http.udpAddresses()));
    expect(proxy.asked.length).toBeLessThanOrEqual(8);
  });

  test.each([
    ['NO_PROXY names the directory', 'https://directory.invalid', { NO_PROXY: 'x.example,directory.invalid' }],
    ['it is on this machine', 'https://localhost:1', {}],
    ['it is on this machine', 'https://127.0.0.2:1', {}],
    ['it is on this machine', 'https://[::1]:1', {}],
  ])('not used where %s: %s', async (_, url, more) => {
    const proxy = await proxyTo(1);
    setProxy({ HTTPS_PROXY: proxy.url, ...more });
    await failure(createDirectoryHttp({ url }).udpAddresses());
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy for http: is not one for https:', async () => {
    const proxy = await proxyTo(1);
    setProxy({ HTTP_PROXY: proxy.url, http_proxy: proxy.url });
    await failure(createDirectoryHttp({ url: 'https://directory.invalid' }).udpAddresses());
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy that is not there is named, without its password', async () => {
    setProxy({ HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' });
    const { code, message } = await failure(createDirectoryHttp({ url: 'https://directory.example' }).udpAddresses());
    expect(code).toBe('directory-unreachable');
    expect(message).toContain('(HTTPS_PROXY names the proxy http://127.0.0.1:1; ');
    expect(message).not.toContain('secret');
  });

  test.each([
    [403, 'allow it, or list the host in NO_PROXY'],
    [407, 'user name and the password'],
    [502, 'ask whoever runs the proxy'],
  ])('a proxy that answers %i is what refuses, with its status', async (status, todo) => {
    const proxy = createHttpServer();
    proxy.on('connect', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`));
    const at = `http://127.0.0.1:${await listen(proxy)}`;
    setProxy({ HTTPS_PROXY: at });
    const { code, message } = await failure(createDirectoryHttp({ url: 'https://directory.example' }).udpAddresses());
    expect(code).toBe('directory-unreachable');
    expect(message).toContain(
      `at https://directory.example: the proxy ${at}, which HTTPS_PROXY names, refused the connection with status ${status}; `,
    );
    expect(message).toContain(todo);
  });

  test.each(['nonsense', 'ftp://proxy.example', 'proxy.example:3128'])('%j is no proxy', async (text) => {
    setProxy({ HTTPS_PROXY: text });
    const error = await createFailure('https://directory.example');
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('HTTPS_PROXY is not the URL') });
  });
});
