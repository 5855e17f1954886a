/** Who may look: the browser that has the link, and nobody else. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Inspector, offerInspector } from '../../../src/inspector/server.ts';

let inspector: Inspector;
let host: string;
let token: string;

beforeAll(async () => {
  inspector = await offerInspector({ title: 'a <b>', runs: [(response) => void response.end('["end"]\n')] });
  const url = new URL(inspector.url);
  host = url.host;
  token = url.hash.slice(1);
});
afterAll(() => inspector[Symbol.asyncDispose]());

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const [hostname, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers: { host, ...headers } }, async (response) => {
      let body = '';
      for await (const part of response) body += part;
      resolve({ status: response.statusCode, headers: response.headers, body });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const bearer = () => ({ authorization: `Bearer ${token}` });

test('with the token a run is told', async () => {
  expect(await ask('/v1/runs/0', bearer())).toMatchObject({ status: 200, body: '["end"]\n' });
  expect(JSON.parse((await ask('/v1/page', bearer())).body)).toMatchObject({
    runs: 1,
    reference: expect.objectContaining({ charts: expect.objectContaining({ peer: expect.stringMatching(/^<svg/) }) }),
  });
});

test('the link holds the token where no server and no log sees it', () => {
  expect(new URL(inspector.url)).toMatchObject({ protocol: 'http:', hostname: '127.0.0.1', pathname: '/', search: '' });
  expect(token).toMatch(/^[\w-]{43}$/);
});

test('the page itself holds nothing of a run, and may run its own script only', async () => {
  const { status, headers, body } = await ask('/');
  expect(status).toBe(200);
  expect(body).not.toContain(token);
  expect(body).toContain('<title>a &lt;b></title>');
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; connect-src 'self'; /,
  );
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
});

describe('refused is', () => {
  test.each<[string, number, () => Promise<Answer>]>([
    ['a request without the token', 401, () => ask('/v1/page')],
    ['a wrong token', 401, () => ask('/v1/runs/0', { authorization: `Bearer ${'A'.repeat(43)}` })],
    [
      'a name that leads to this machine',
      403,
      () => ask('/v1/page', { ...bearer(), host: `localhost:${host.split(':')[1]}` }),
    ],
    ['another Host', 403, () => ask('/', { host: 'evil.example' })],
    ['another Origin', 403, () => ask('/v1/page', { ...bearer(), origin: 'http://evil.example' })],
    ['the Origin of another port', 403, () => ask('/v1/page', { ...bearer(), origin: 'http://127.0.0.1:1' })],
    ['what another site asks for', 403, () => ask('/', { 'sec-fetch-site': 'cross-site' })],
    [
      'what another port of this machine asks for',
      403,
      () => ask('/v1/page', { ...bearer(), 'sec-fetch-site': 'same-site' }),
    ],
    ['anything but GET', 405, () => ask('/v1/page', bearer(), 'POST')],
    ['a run that is not there', 404, () => ask('/v1/runs/1', bearer())],
    ['a path that is none', 404, () => ask('/v1/runs/0/../../etc', bearer())],
  ])('%s', async (_what, status, asking) => {
    const answer = await asking();
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain(token);
  });
});

test('a code is good once, and a wrong one does not use it up', async () => {
  const code = new URL(inspector.oneTimeUrl()).hash.slice('#code.'.length);
  const take = (text: string) => ask('/v1/token', { authorization: `Code ${text}` });
  expect((await take('A'.repeat(43))).status).toBe(401);
  expect(JSON.parse((await take(code)).body)).toEqual({ token });
  expect((await take(code)).status).toBe(401);
});
