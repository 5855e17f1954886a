/** What the HTTPS side answers beside registrations and peers. */
import { describe, expect, test } from 'vitest';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { publicKeyBytes } from '../../../src/identity/public-key.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { HOME, HOME_IPV6, HOUR, isPlainText, key, otherKey, type Served, serve, T0 } from './http-served.ts';

describe('GET /udp-address', () => {
  test('200, JSON, IPv4 first', async () => {
    const { ask } = await serve();
    const answer = await ask('/udp-address');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.text).toBe('[{"ip":"192.0.2.1","port":4242},{"ip":"2001:db8::1","port":4242}]');
  });

  test('tells the addresses of now', async () => {
    let addresses: SocketAddress[] = [];
    const { ask } = await serve({ udpAddresses: () => addresses });
    expect(JSON.parse((await ask('/udp-address')).text)).toEqual([]);
    addresses = [HOME_IPV6];
    expect(JSON.parse((await ask('/udp-address')).text)).toEqual([HOME_IPV6]);
  });
});

describe('GET /server-key', () => {
  test('200, 64 raw bytes (X‖Y)', async () => {
    const { ask } = await serve();
    const { status, body, headers } = await ask('/server-key');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(body).toHaveLength(64);
    expect(new Uint8Array(body)).toEqual(publicKeyBytes(key));
  });

  test('404 if the directory does not sign', async () => {
    const { ask } = await serve({ serverKey: () => undefined });
    expect((await ask('/server-key')).status).toBe(404);
  });
});

describe('beside the protocol', () => {
  test('/healthz says ok', async () => {
    const { ask } = await serve();
    const answer = await ask('/healthz');
    expect([answer.status, answer.text, isPlainText(answer)]).toEqual([200, 'ok\n', true]);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/nothing'],
    ['GET', '/register'],
    ['GET', '/udp-address/'],
    ['GET', '/PEERS/'],
    ['POST', '/peers/'],
    ['DELETE', '/peers/alice'],
    ['PUT', '/server-key'],
  ])('%s %s: no such thing', async (method, path) => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    const answer = await ask(path, { method });
    expect([answer.status, answer.text, isPlainText(answer)]).toEqual([404, 'no such thing here\n', true]);
  });

  test('HEAD is answered as GET, without the body', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    const answer = await ask('/peers/', { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '6']);
  });

  test('what breaks inside is a 500 that tells no details', async () => {
    const registry = openSqliteRegistry(':memory:');
    const broken = {
      ...registry,
      peers: () => {
        throw new Error('/secret/path is damaged');
      },
    };
    const { ask } = await serve({ registry: broken });
    const answer = await ask('/peers/');
    expect([answer.status, answer.text]).toEqual([500, 'internal error; see the log of the directory\n']);
    expect((await ask('/udp-address')).status).toBe(200);
  });
});

describe('/metrics', () => {
  async function countersOf({ ask }: Served): Promise<Record<string, number>> {
    const { status, text, headers } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
  }

  test('counts registrations by result', async () => {
    const served = await serve();
    served.registry.prove('bob', key, HOME, T0);
    const bodies = [{ name: 'alice', key }, { name: 'carol' }, { name: 'bob', key: otherKey }, { name: 'a/b' }, 'x'];
    for (const body of bodies) await served.register(body);
    expect(await countersOf(served)).toMatchObject({
      'murmure_registrations_total{result="accepted"}': 2,
      'murmure_registrations_total{result="bad-key"}': 1,
      'murmure_registrations_total{result="malformed"}': 2,
    });
  });

  test('counts requests by route and status, whatever the path: made-up names make no new counters', async () => {
    const served = await serve();
    served.registry.prove('alice', key, HOME, T0);
    for (const path of ['/peers/alice', '/peers/bob', '/peers/carol', '/peers/%0A', '/a', '/b', '/peers/x/y', '/%zz']) {
      await served.ask(path);
    }
    const requests = Object.entries(await countersOf(served)).filter(([name]) => name.includes('http_requests'));
    expect(Object.fromEntries(requests)).toEqual({
      'murmure_http_requests_total{route="/peers/:name",status="200"}': 1,
      'murmure_http_requests_total{route="/peers/:name",status="404"}': 2,
      'murmure_http_requests_total{route="/peers/:name",status="400"}': 1,
      'murmure_http_requests_total{route="unknown",status="404"}': 2,
      'murmure_http_requests_total{route="unknown",status="400"}': 2,
    });
  });

  test('counts what the UDP side did, and the peers that are listed now', async () => {
    const metrics = createDirectoryMetrics();
    const served = await serve({ metrics });
    for (let i = 0; i < 3; i++) metrics.count({ type: 'address.proven', name: 'alice', address: HOME });
    metrics.count({ type: 'hello.ignored', name: 'alice', address: HOME });
    served.registry.prove('alice', key, HOME, T0);
    served.registry.prove('alice', key, HOME_IPV6, T0);
    expect(await countersOf(served)).toMatchObject({
      'murmure_udp_events_total{kind="address.proven"}': 3,
      'murmure_udp_events_total{kind="hello.ignored"}': 1,
      murmure_peers_listed: 1,
    });
    served.nowMs = T0 + HOUR;
    expect(await countersOf(served)).toMatchObject({ murmure_peers_listed: 0 });
  });

  test('several directories in one process do not mix', async () => {
    const [a, b] = [await serve(), await serve()];
    await a.register({ name: 'alice', key });
    expect((await countersOf(b))['murmure_registrations_total{result="accepted"}']).toBeUndefined();
  });
});
