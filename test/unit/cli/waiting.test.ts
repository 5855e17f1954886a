/** What commands say while somebody keeps them waiting. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepAddressFile } from '../../../src/local-api/address-file.ts';
import { randomSecret } from '../../../src/runtime/secrets.ts';
import { initHome, run } from './support.ts';

/** Takes connections, and never answers. */
let silent: Server;
let url: string;
beforeAll(async () => {
  silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  url = `//127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(() => void silent.close());

// Longer than the second after which progress is shown.
const LIMIT = ['--timeout', '4'];

test.concurrent.each([
  [['trust', 'bob'], 'asking the directory for the key of bob'],
  [['doctor'], 'checking: certificate'],
  [['conformance', 'https'], 'checking https://127.0.0.1'],
])('a directory that does not answer: %j says what it waits for', async (words, said) => {
  const args = words.map((word) => (word === 'https' ? `https:${url}` : word));
  const { err } = await run([...args, '--home', await initHome(), '--directory', `https:${url}`, ...LIMIT]);
  expect(err).toContain(said);
});

test.concurrent.each([[['status']], [['post', 'x']], [['why', 'bob']]])(
  'a murmure on this home that does not answer: %j says so',
  async (words) => {
    const home = await initHome();
    const address = { api: 1 as const, url: `http:${url}`, token: randomSecret(), process: process.pid };
    using _kept = keepAddressFile(`${home}/local-api.json`, address);
    const { err } = await run([...words, '--home', home, ...LIMIT]);
    expect(err).toContain('waiting for the murmure that runs on this home');
  },
);
