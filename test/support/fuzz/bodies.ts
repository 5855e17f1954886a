/** Bodies of POST requests, at a directory and at the local API of a running peer: each is taken, or refused with a sentence, by a server that runs on. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Client } from 'undici';
import { selfSignedCertificate } from '../../../src/directory/certificate.ts';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import { createHttpServer } from '../../../src/directory/http-server.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { publicKeyBytes } from '../../../src/identity/public-key.ts';
import { offerLocalApi } from '../../../src/local-api/server.ts';
import { fakeRunningPeer, ROOT } from '../../unit/local-api/support.ts';
import { bytes, damaged, type Fuzzed, likely, toBytes } from './inputs.ts';

const PLENTY = { perSecond: 1_000_000, burst: 1_000_000 };
const key = Buffer.from(publicKeyBytes((await generateKeyPair()).publicKey))
  .toString('base64')
  .replace(/=+$/, '');
const NEVER = 500;

interface Served {
  readonly client: Client;
  readonly headers: Record<string, string>;
}

async function directory(_folder: string, resources: AsyncDisposableStack): Promise<Served> {
  const certificate = await selfSignedCertificate([]);
  const server = createHttpServer({
    registry: openSqliteRegistry(':memory:'),
    udpAddresses: () => [],
    serverKey: () => undefined,
    now: () => 1_800_000_000_000,
    certificate,
    metrics: createDirectoryMetrics(),
    rate: PLENTY,
    newNames: PLENTY,
  });
  resources.defer(() => server.close());
  const { port } = await server.listen({ ip: '127.0.0.1', port: 0 });
  const client = new Client(`https://127.0.0.1:${port}`, {
    connect: { ca: certificate.cert, checkServerIdentity: () => undefined },
  });
  resources.defer(() => client.destroy());
  return { client, headers: {} };
}

async function localApi(folder: string, resources: AsyncDisposableStack): Promise<Served> {
  const { peer } = fakeRunningPeer((wish, tell) => {
    if ('ticket' in wish) tell({ type: 'message.published', hash: ROOT, root: ROOT, ticket: wish.ticket });
  });
  const file = `${folder}/local-api.json`;
  resources.use(await offerLocalApi({ peer, file, runBy: 'serve', directoryUrl: 'https://directory.example' }));
  const { url, token } = JSON.parse(readFileSync(file, 'utf8'));
  const client = new Client(url);
  resources.defer(() => client.destroy());
  return { client, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
}

/** Fails if the server says that it failed, or what it refused without saying why. */
async function answers({ client, headers }: Served, path: string, body: Uint8Array): Promise<number> {
  const { statusCode, body: answer } = await client.request({ method: 'POST', path, headers, body });
  const said = await answer.text();
  if (statusCode >= NEVER) throw new Error(`${path} answers ${statusCode}: ${said}`);
  if (statusCode >= 300 && said.trim() === '') throw new Error(`${path} answers ${statusCode}, and does not say why`);
  return statusCode;
}

const registration = fc.oneof(
  fc
    .record({
      name: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constant('alice'), fc.integer()),
      key: fc.oneof(fc.constantFrom(key, `${key}==`, '', null), fc.string({ maxLength: 90 })),
    })
    .map(toBytes),
  damaged(JSON.stringify({ name: 'alice', key })).map((it) => new TextEncoder().encode(it)),
  likely('name', 'NAME', 'username', 'key', 'Key').map(toBytes),
  bytes(400),
);
const post = { type: 'post.wanted', text: 'hello', inReplyTo: null, ticket: 'a' };
const wish = fc.oneof(
  damaged(JSON.stringify(post)).map((it) => new TextEncoder().encode(it)),
  likely('type', 'name', 'text', 'ticket', 'following', 'hash', 'inReplyTo', 'nonce')
    .map((it) => ({ ...post, ...(it as object) }))
    .map(toBytes),
  likely('nonce').map(toBytes),
  bytes(400),
);

export const BODIES: readonly Fuzzed[] = [
  {
    name: 'the body of a registration at a directory',
    property: (folder, resources) => {
      const served = directory(folder, resources);
      return fc.asyncProperty(registration, async (body) => {
        const status = await answers(await served, '/register', body);
        if (status === 204) JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
      });
    },
    share: 5,
  },
  {
    name: 'the body of a wish, or of a challenge, at the local API',
    property: (folder, resources) => {
      const served = localApi(folder, resources);
      return fc.asyncProperty(fc.constantFrom('/v1/wishes', '/v1/proof'), wish, async (path, body) => {
        await answers(await served, path, body);
      });
    },
    share: 5,
  },
];
