/** One home, one peer, in processes of their own: whoever was first runs it, and what is killed is taken over. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Json, Programs, type Running } from '../support/program.ts';
import { hasTmux, Terminal } from '../support/terminal.ts';

interface Setting extends AsyncDisposable {
  readonly programs: Programs;
  flags(name: string): string[];
  serve(name: string): Promise<Running>;
  status(name: string): Promise<Json | undefined>;
}

/** Bob serves and follows alice, who has a home. */
async function start(): Promise<Setting> {
  const programs = new Programs();
  const directory = programs.start([
    ...['directory', '--json', '--listen', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--home', programs.home('directory')],
  ]);
  const ready = await directory.event('ready');
  const flags = (name: string) => ['--json', '--home', programs.home(name)];
  const serve = async (name: string) => {
    const running = programs.start(['serve', '--udp', '127.0.0.1:0', ...flags(name)]);
    await running.event('ready');
    return running;
  };
  for (const name of ['alice', 'bob']) {
    const access = ['--directory', ready.url as string, '--ca', ready.ca as string];
    await programs.run(['init', name, ...access, ...flags(name)]);
  }
  await programs.run(['follow', 'alice', '--force', ...flags('bob')]);
  return {
    programs,
    flags,
    serve,
    status: async (name) => (await programs.run(['status', ...flags(name)])).values[0],
    [Symbol.asyncDispose]: () => programs[Symbol.asyncDispose](),
  };
}

const arrived = (bob: Running, hash: unknown) =>
  bob.line(({ event, hashes }) => event === 'messages.received' && (hashes as unknown[]).includes(hash));

test('commands act through serve; after kill -9 they work by themselves, and the next serve goes on', async () => {
  await using setting = await start();
  const { programs, flags, serve } = setting;
  const bob = await serve('bob');
  const alice = await serve('alice');
  const file = join(programs.home('alice'), 'local-api.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await setting.status('alice')).toMatchObject({ name: 'alice', runBy: 'serve', process: alice.child.pid });

  const [first] = (await programs.run(['post', 'through serve', ...flags('alice')])).values;
  await alice.line(({ event, hash }) => event === 'message.published' && hash === first?.hash);
  await arrived(bob, first?.hash);
  expect((await programs.run(['sync', 'bob', ...flags('alice')])).values).toMatchObject([{ peer: 'bob' }]);
  await alice.line(({ event, peer }) => event === 'sync.finished' && peer === 'bob');
  expect((await programs.run(['serve', ...flags('alice')])).code).toBe(8);

  const before = readFileSync(file, 'utf8');
  await alice.stop('SIGKILL');
  expect(readFileSync(file, 'utf8')).toBe(before);
  const [second] = (await programs.run(['post', 'while nobody serves', ...flags('alice')])).values;
  expect(await setting.status('alice')).toMatchObject({ error: { code: 'usage' } });
  const again = await serve('alice');
  await arrived(bob, second?.hash);
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  expect(await setting.status('alice')).toMatchObject({ process: again.child.pid });
  await again.stop();
  expect(() => statSync(file)).toThrow('ENOENT');
});

test('a serve that is stopped with its terminal holds up nobody: what is posted meanwhile is published when it goes on', async () => {
  await using setting = await start();
  const { programs, flags, serve } = setting;
  const bob = await serve('bob');
  const alice = await serve('alice');
  alice.child.kill('SIGSTOP');
  const { code, values, stderr } = await programs.run(['post', 'while serve is stopped', ...flags('alice')]);
  expect(code).toBe(0);
  expect(stderr).toContain('does not answer');
  expect((await programs.run(['status', ...flags('alice')])).code).toBe(8);
  alice.child.kill('SIGCONT');
  await arrived(bob, values[0]?.hash);
});

test.skipIf(!hasTmux)('a front end and a serve are one peer, whoever was first (skipped without tmux)', async () => {
  await using setting = await start();
  const { programs, flags, serve, status } = setting;
  const bob = await serve('bob');
  using terminal = new Terminal(['--home', programs.home('alice')]);
  await terminal.shows('✓');
  expect(await status('alice')).toMatchObject({ runBy: 'front-end' });

  // A serve beside it shows what it does, and takes over when it ends.
  const alice = programs.start(['serve', ...flags('alice')]);
  await alice.event('ready');
  const [posted] = (await programs.run(['post', 'through the front end', ...flags('alice')])).values;
  await alice.line(({ event, hash }) => event === 'message.published' && hash === posted?.hash);
  await terminal.shows('through the front end');
  await arrived(bob, posted?.hash);
  expect((await programs.run(['serve', ...flags('alice')])).code).toBe(8);
  terminal.type('q');
  await alice.event('peer.listed');
  expect(await status('alice')).toMatchObject({ runBy: 'serve', process: alice.child.pid });

  // A front end beside it leaves it running.
  using beside = new Terminal(['--home', programs.home('alice')]);
  await beside.shows('✓');
  beside.type('p');
  await beside.shows('Your message');
  beside.type('written beside serve');
  beside.press('Enter');
  await beside.shows('Published.');
  const { hash } = await alice.line(({ event, hash }) => event === 'message.published' && hash !== posted?.hash);
  await arrived(bob, hash);
  beside.type('q');
  await beside.shows('ended with 0');
  expect(await status('alice')).toMatchObject({ runBy: 'serve', process: alice.child.pid });
});

test('the inspector of a serve that records shows that peer, and the messages that it holds', async () => {
  await using setting = await start();
  const { programs, flags } = setting;
  await programs.run(['post', 'in the store', ...flags('bob')]);
  const file = join(programs.home('bob'), 'run.jsonl');
  const bob = programs.start(['serve', '--inspect', '--record', file, '--udp', '127.0.0.1:0', ...flags('bob')]);
  const { origin, hash } = new URL((await bob.event('inspector')).url as string);
  const { body } = await fetch(`${origin}/v1/runs/0`, { headers: { authorization: `Bearer ${hash.slice(1)}` } });
  let text = '';
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.includes('["stored"')) break;
  }
  expect(text).toContain('"name":"bob"');
  expect(text).toContain('in the store');
});
