/**
 * Posts that arrive although a program was killed, or another one ran beside it: the real program over real sockets. How long anything
 * takes is left to the machine; what happened, and in what order, is not.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LocalDirectory, startDirectory } from '../support/local-directory.ts';
import type { Json, Running } from '../support/program.ts';

interface Scene extends AsyncDisposable {
  readonly setting: LocalDirectory;
  readonly alice: Running;
  /** It follows alice, who does not follow it, and has her first post. */
  readonly bob: Running;
}

async function begin(): Promise<Scene> {
  const setting = await startDirectory(['127.0.0.1:0']);
  for (const name of ['alice', 'bob']) await setting.run(name, 'init', name);
  await setting.run('bob', 'follow', 'alice', '--force');
  const first = await setting.post('alice', 'first');
  const alice = await setting.serve('alice');
  const bob = await setting.serve('bob');
  await arrival(bob, first);
  return { setting, alice, bob, [Symbol.asyncDispose]: () => setting[Symbol.asyncDispose]() };
}

/** Waits until it is there, however long that takes. */
function arrival(at: Running, hash: unknown): Promise<Json> {
  return at.line(({ event, hashes }) => event === 'messages.received' && (hashes as unknown[]).includes(hash));
}

async function secondTime(at: Running, name: string): Promise<void> {
  const seen = new Set<Json>();
  await at.line((line) => line.event === name && seen.add(line).size > 1);
}

async function addressOf(served: Running): Promise<Json> {
  const { udp } = await served.event('ready');
  const [address] = udp as Json[];
  if (address === undefined) throw new Error('it serves on no address');
  return address;
}

/** Where its sessions with alice led, one after the other. */
function pathsToAlice(lines: readonly Json[]): unknown[] {
  return lines
    .filter(({ event, direction, name }) => event === 'session.opened' && direction === 'outgoing' && name === 'alice')
    .map(({ address }) => address);
}

describe.concurrent('a post arrives', () => {
  test('while ping, sync and peers run beside serve: no session is diverted to them, and none ends', async () => {
    await using scene = await begin();
    const { setting, alice, bob } = scene;
    await setting.run('alice', 'ping', 'bob', '--count', '1');
    await setting.run('alice', 'sync', 'bob');
    await setting.run('alice', 'peers');
    await arrival(bob, await setting.post('alice', 'after them'));
    const { values } = await bob.stop();
    expect(new Set(pathsToAlice(values).map((path) => JSON.stringify(path)))).toEqual(
      new Set([JSON.stringify(await addressOf(alice))]),
    );
    expect(values.filter(({ event, name }) => event === 'session.failed' && name === 'alice')).toEqual([]);
  });

  test('from an author that was killed and started again on another port, while somebody silent has the port it had', async () => {
    await using scene = await begin();
    const { setting, alice, bob } = scene;
    const before = await addressOf(alice);
    await alice.stop('SIGKILL');
    const squatter = createSocket('udp4').bind(before.port as number, before.ip as string);
    await once(squatter, 'listening');
    try {
      const again = await setting.serve('alice');
      const after = await addressOf(again);
      expect(after.port).not.toBe(before.port);
      await arrival(bob, await setting.post('alice', 'from elsewhere'));
      const { values } = await bob.stop();
      expect([pathsToAlice(values).at(0), pathsToAlice(values).at(-1)]).toEqual([before, after]);
    } finally {
      squatter.close();
    }
  });

  test('after the directory was killed and lost its registry: all are listed again by themselves, and found by whoever is new', async () => {
    await using scene = await begin();
    const { setting, alice, bob } = scene;
    for (const served of [alice, bob]) await served.event('peer.listed');
    await setting.run('carol', 'init', 'carol');
    await setting.restart((home) => {
      const registry = readdirSync(home).filter((file) => file.startsWith('registry'));
      expect(registry).toContain('registry.db');
      for (const file of registry) rmSync(join(home, file));
    });
    // Nobody needs the directory for a session that there is.
    await arrival(bob, await setting.post('alice', 'without a directory'));
    for (const served of [alice, bob]) await secondTime(served, 'peer.listed');
    const peers = await setting.run('carol', 'peers');
    expect(peers.values.map(({ name }) => name)).toEqual(expect.arrayContaining(['alice', 'bob']));
    const { values } = await setting.run('carol', 'sync', 'alice');
    expect(values).toMatchObject([{ peer: 'alice', status: 'updated', newMessages: 2 }]);
  });
});

test('an author that is stopped is said to be silent, by serve, status and following, and to answer again once it goes on', async () => {
  await using scene = await begin();
  const { setting, alice, bob } = scene;
  alice.child.kill('SIGSTOP');
  await bob.line(({ event, name }) => event === 'peer.silent' && name === 'alice');
  const [status] = (await setting.run('bob', 'status')).values;
  expect(status?.following).toMatchObject([{ peer: 'alice', state: 'silent' }]);
  expect((await setting.run('bob', 'following')).values).toMatchObject([{ peer: 'alice', state: 'silent' }]);
  alice.child.kill('SIGCONT');
  await bob.line(({ event, name }) => event === 'peer.answers' && name === 'alice');
  await arrival(bob, await setting.post('alice', 'after it'));
});
