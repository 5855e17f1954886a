/** Three directories on one engine, in processes of their own, and peers who know one each. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, Programs, type Running } from '../support/program.ts';
import { startRedis } from '../support/redis-server.ts';
import { hasTool } from '../support/tools.ts';

const LOOPBACK = ['--udp', '127.0.0.1:0'];

test.skipIf(!hasTool('redis-server'))(
  'a published post arrives, though the directory of its author and then the engine are killed',
  async () => {
    const engine = await startRedis();
    onTestFinished(() => engine.stop());
    await using programs = new Programs();
    const home = (index: number) => programs.home(`directory${index}`);
    const certificate = ['--cert', join(home(0), 'directory-ca.pem'), '--key', join(home(0), 'directory-tls-key.pem')];
    const start = async (index: number, listen = '127.0.0.1:0'): Promise<{ running: Running; ready: Json }> => {
      if (index > 0) {
        mkdirSync(home(index), { recursive: true });
        copyFileSync(join(home(0), 'directory-key.pem'), join(home(index), 'directory-key.pem'));
      }
      const options = ['--json', '--listen', listen, ...LOOPBACK, '--home', home(index)];
      const running = programs.start(['directory', ...options, ...(index > 0 ? certificate : [])], {
        MURMURE_REGISTRY: engine.url,
      });
      return { running, ready: await running.event('ready') };
    };
    const first = await start(0);
    const [second, third] = [await start(1), await start(2)];
    const flags = (name: string, { ready }: { ready: Json }) => [
      ...['--json', '--home', programs.home(name)],
      ...['--directory', ready.url as string, '--ca', first.ready.ca as string],
    ];
    const run = async (...argv: string[]) => {
      const finished = await programs.run(argv);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      return finished.values;
    };
    const [alice, bob, carol] = [flags('alice', first), flags('bob', second), flags('carol', third)];
    await run('init', 'alice', ...alice);
    await run('init', 'bob', ...bob);
    await run('init', 'carol', ...carol);
    const serve = async (...person: string[]) => {
      const running = programs.start(['serve', ...LOOPBACK, ...person]);
      await running.event('ready');
    };
    await serve(...alice);
    await run('post', 'before', ...alice);
    for (const reader of [bob, carol]) {
      await run('follow', 'alice', ...reader);
      await serve(...reader);
    }
    const arrives = async (...texts: string[]) => {
      for (const reader of [bob, carol])
        await eventually(async () => expect((await run('timeline', ...reader)).map(({ body }) => body)).toEqual(texts));
    };
    await arrives('before');

    await first.running.stop('SIGKILL');
    await run('post', 'after the directory', ...alice);
    await arrives('before', 'after the directory');

    await engine.kill();
    await run('post', 'after the engine', ...alice);
    await arrives('before', 'after the directory', 'after the engine');
    expect((await run('peers', ...bob)).map(({ name }) => name)).toEqual(['alice', 'bob', 'carol']);

    await engine.start();
    const again = await start(0, new URL(first.ready.url as string).host);
    expect((await run('peers', ...alice)).map(({ name }) => name)).toEqual(['alice', 'bob', 'carol']);
    for (const { running } of [again, second, third]) await running.stop('SIGTERM');
  },
);
