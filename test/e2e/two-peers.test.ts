/** The main job, in processes of its own: a directory, people who write, and people who read. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startDirectory } from '../support/local-directory.ts';
import { hasIPv6, type Json, Programs } from '../support/program.ts';

const networks = [
  { network: 'IPv4', udp: ['127.0.0.1:0'], isHere: true },
  { network: 'IPv6', udp: ['[::1]:0'], isHere: hasIPv6 },
  { network: 'IPv4 and IPv6', udp: ['127.0.0.1:0', '[::1]:0'], isHere: hasIPv6 },
];

describe.for(networks)('over $network', ({ udp, isHere }) => {
  test('what alice posts, bob reads', async ({ skip }) => {
    skip(!isHere, 'this machine has no IPv6 on loopback');
    await using setting = await startDirectory(udp);
    const { programs, flags } = setting;
    await programs.run(['init', 'alice', ...flags('alice')]);
    await programs.run(['init', 'bob', ...flags('bob')]);
    const [first] = (await programs.run(['post', 'Première !', ...flags('alice')])).values;
    const alice = await setting.serve('alice');

    const synced = await programs.run(['sync', 'alice', ...flags('bob')]);
    expect(synced.code).toBe(0);
    expect(synced.values).toMatchObject([{ peer: 'alice', status: 'updated', newMessages: 1, root: first?.root }]);
    expect((await programs.run(['sync', 'alice', ...flags('bob')])).values).toMatchObject([{ status: 'unchanged' }]);

    const { values } = await programs.run(['timeline', 'alice', ...flags('bob')]);
    expect(values).toMatchObject([{ hash: first?.hash, author: 'alice', body: 'Première !', authenticated: true }]);
    expect((await alice.stop()).code).toBe(0);
  });
});

test('a name that is almost that of somebody who is listed is refused with that; another one that nobody has is taken', async () => {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const { programs, flags } = setting;
  for (const name of ['alice', 'bob', 'carol']) await programs.run(['init', name, ...flags(name)]);
  await setting.serve('alice');
  for (const command of ['follow', 'mute']) {
    const refused = await programs.run([command, 'alice', 'alcie', ...flags('bob')]);
    expect(refused).toMatchObject({ code: 4, values: [{ error: { code: 'peer-unknown' } }] });
    expect(refused.stderr).toContain('nobody called "alcie": did you mean "alice"?');
  }
  for (const [command, then] of Object.entries({
    follow: 'serve and sync look for',
    mute: 'its messages will be hidden',
  })) {
    const { code, values, stderr } = await programs.run([command, `dora-${command}`, ...flags('carol')]);
    expect({ code, values }).toMatchObject({ code: 0, values: [{ peer: `dora-${command}` }] });
    // A machine that is slow is told after a second what is waited for.
    const said = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.endsWith(' …'));
    expect(said).toEqual([
      expect.stringContaining(`nobody called "dora-${command}" is listed at the directory now: ${then}`),
    ]);
  }
  // Of several names, all are taken or none; and init has saved where the directory is.
  const home = ['--json', '--home', programs.home('bob')];
  expect((await programs.run(['following', ...home])).values).toEqual([]);
  const { values, code } = await programs.run(['follow', 'alice', ...home]);
  expect({ values, code }).toEqual({ values: [{ peer: 'alice', following: true }], code: 0 });
  const forced = await programs.run(['follow', 'alice', 'alcie', '--force', ...home]);
  expect(forced.values.map(({ peer }) => peer)).toEqual(['alice', 'alcie']);
});

describe('a post from another process', () => {
  test('is published by a running serve, and pushed to who follows', async () => {
    await using setting = await startDirectory(['127.0.0.1:0']);
    const { programs, flags } = setting;
    for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
    await programs.run(['follow', 'alice', '--force', ...flags('bob')]);
    const alice = await setting.serve('alice');
    const bob = await setting.serve('bob');
    await bob.line(({ event, peer }) => event === 'sync.finished' && peer === 'alice');

    const [posted] = (await programs.run(['post', 'news for @bob', ...flags('alice')])).values;
    await alice.line(({ event, root }) => event === 'root.published' && root === posted?.root);
    const received = await bob.line(({ event, peer }) => event === 'messages.received' && peer === 'alice');
    expect(received.hashes).toEqual([posted?.hash]);
    expect(await bob.event('message.mention')).toMatchObject({ peer: 'alice', hash: posted?.hash });
    expect((await programs.run(['show', posted?.hash as string, ...flags('bob')])).values).toMatchObject([
      { author: 'alice', body: 'news for @bob', mentionsYou: true },
    ]);
  });

  test('and one from a third person answers it', async () => {
    await using setting = await startDirectory(['127.0.0.1:0']);
    const { programs, flags } = setting;
    for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
    const [question] = (await programs.run(['post', 'Who reads this?', ...flags('alice')])).values;
    await setting.serve('alice');
    await programs.run(['sync', 'alice', ...flags('bob')]);
    const hash = question?.hash as string;
    await programs.run(['post', 'I do', '--reply-to', hash, ...flags('bob')]);
    await setting.serve('bob');
    expect((await programs.run(['sync', 'bob', ...flags('alice')])).code).toBe(0);
    const { values } = await programs.run(['timeline', ...flags('alice')]);
    expect(values).toMatchObject([
      { author: 'alice', body: 'Who reads this?', inReplyTo: null },
      { author: 'bob', body: 'I do', inReplyTo: hash },
    ]);
  });
});

describe('what was acknowledged', () => {
  test('is there after the process was killed', async () => {
    await using setting = await startDirectory(['127.0.0.1:0']);
    const { programs, flags } = setting;
    await programs.run(['init', 'alice', ...flags('alice')]);
    const posts: Json[] = [];
    for (const text of ['one', 'two']) posts.push(...(await programs.run(['post', text, ...flags('alice')])).values);
    const alice = await setting.serve('alice');
    await alice.stop('SIGKILL');
    const again = await setting.serve('alice');
    expect(await again.event('ready')).toMatchObject({ root: posts[1]?.root });
    const { values } = await programs.run(['timeline', ...flags('alice')]);
    expect(values.map(({ body }) => body)).toEqual(['one', 'two']);
  });

  test('names and key of a directory included, is there after it was killed', async () => {
    await using programs = new Programs();
    const start = (listen: string) =>
      programs.start(['directory', '--json', '--listen', listen, '--home', programs.home('directory')]);
    const directory = start('127.0.0.1:0');
    const { url, ca, serverKey } = await directory.event('ready');
    const certificate = readFileSync(ca as string, 'utf8');
    const flags = ['--json', '--home', programs.home('alice'), '--directory', `${url}`, '--ca', `${ca}`];
    await programs.run(['init', 'alice', ...flags]);
    const alice = programs.start(['serve', '--udp', '127.0.0.1:0', ...flags]);
    await alice.event('ready');
    await directory.stop('SIGKILL');
    const again = await start(new URL(`${url}`).host).event('ready');
    expect(again).toMatchObject({ url, serverKey });
    expect(readFileSync(again.ca as string, 'utf8')).toBe(certificate);
    const { values } = await programs.run(['peers', ...flags]);
    expect(values).toMatchObject([{ name: 'alice', addresses: [{ ip: '127.0.0.1' }] }]);
  });
});

test('messages with control characters reach the terminal without them', async () => {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const { programs, flags } = setting;
  for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
  await programs.run(['post', 'a\u001b[2Jb\u202ec', ...flags('alice')]);
  await setting.serve('alice');
  await programs.run(['sync', 'alice', ...flags('bob')]);
  const asJson = await programs.run(['timeline', ...flags('bob')]);
  const asText = await programs.run(['timeline', ...flags('bob').filter((flag) => flag !== '--json')]);
  for (const { stdout } of [asJson, asText]) {
    expect(stdout).toContain('b');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\u202e');
    expect(stdout).not.toContain('\\u001b');
  }
});

test('a serve that records leaves a journal that replays, and says why meanwhile', async () => {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const { programs, flags } = setting;
  for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
  await programs.run(['post', 'recorded', ...flags('alice')]);
  await setting.serve('alice');
  await programs.run(['follow', 'alice', '--force', ...flags('bob')]);
  const journal = programs.home('journal.jsonl');
  const bob = programs.start(['serve', '--udp', '127.0.0.1:0', '--record', journal, ...flags('bob')]);
  await bob.line(({ event, peer }) => event === 'messages.received' && peer === 'alice');
  // What serve leaves for others is written once a second.
  const explained = await eventually(async () => {
    const finished = await programs.run(['why', 'alice', ...flags('bob')]);
    expect(finished.code).toBe(0);
    return finished;
  });
  expect(explained.values).toContainEqual(expect.objectContaining({ actor: 'peer/outgoing-session.alice' }));
  expect((await bob.stop()).code).toBe(0);
  const replayed = await programs.run(['replay', journal, '--json']);
  expect(replayed.values).toMatchObject([{ identical: true }]);
  expect(replayed.values[0]).not.toHaveProperty('cut');
  const again = await programs.run(['serve', '--udp', '127.0.0.1:0', '--record', journal, ...flags('bob')]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/not overwritten/) });
});

test('a home restored from an old backup does not take back what a follower has, unless its owner accepts that', async () => {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const { programs, flags } = setting;
  for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
  await programs.run(['follow', 'bob', '--force', ...flags('alice')]);
  await programs.run(['follow', 'alice', '--force', ...flags('bob')]);
  const post = (text: string, home: string) => programs.run(['post', text, ...flags(home)]);
  const [old, recent] = [programs.home('old.json'), programs.home('recent.json')];
  for (const text of ['one', 'two', 'three']) await post(text, 'alice');
  await programs.run(['key', 'export', old, ...flags('alice')]);
  const alice = await setting.serve('alice');
  const bob = await setting.serve('bob');
  await bob.line(({ event, peer }) => event === 'messages.received' && peer === 'alice');
  // Bob has both roots by then, and gives nobody the old one.
  for (const text of ['four', 'five']) {
    const { values } = await post(text, 'alice');
    await bob.line(
      ({ event, hashes }) => event === 'messages.received' && (hashes as unknown[]).includes(values[0]?.hash),
    );
  }
  await programs.run(['key', 'export', recent, ...flags('alice')]);
  await alice.stop('SIGKILL');

  await programs.run(['key', 'import', recent, ...flags('alice, all of it')]);
  expect(await post('six', 'alice, all of it')).toMatchObject({ code: 0 });
  await programs.run(['key', 'import', old, ...flags('alice, some of it')]);
  const refused = await post('another', 'alice, some of it');
  expect(refused).toMatchObject({
    code: 7,
    stderr: expect.stringContaining('"bob" has messages of yours that are newer'),
  });
  const serve = await programs.run(['serve', '--udp', '127.0.0.1:0', ...flags('alice, some of it')]);
  expect(serve.code).toBe(7);
  const { values } = await programs.run(['timeline', 'alice', ...flags('bob')]);
  expect(values.map(({ body }) => body)).toEqual(['one', 'two', 'three', 'four', 'five']);

  expect((await programs.run(['key', 'resume', '--yes', ...flags('alice, some of it')])).code).toBe(0);
  expect((await post('another', 'alice, some of it')).code).toBe(0);
});

test('an author whose key was moved to another home is read there', async () => {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const { programs, flags } = setting;
  for (const name of ['alice', 'bob']) await programs.run(['init', name, ...flags(name)]);
  const backup = programs.home('backup');
  await programs.run(['post', 'before', ...flags('alice')]);
  await programs.run(['key', 'export', backup, ...flags('alice')]);
  await programs.run(['key', 'import', backup, ...flags('alice, elsewhere')]);
  const [posted] = (await programs.run(['post', 'after', ...flags('alice, elsewhere')])).values;
  await programs.run(['follow', 'alice', '--force', ...flags('bob')]);
  const alice = await setting.serve('alice');
  const bob = await setting.serve('bob');
  await bob.line(({ event, peer }) => event === 'sync.finished' && peer === 'alice');
  await alice.stop('SIGKILL');
  await setting.serve('alice, elsewhere');
  await bob.line(({ event, hashes }) => event === 'messages.received' && String(hashes) === posted?.hash);
});
