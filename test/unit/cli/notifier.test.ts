/** The command that the person is told by of replies and mentions. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { type News, Notifier, type RunProgram } from '../../../src/cli/peer/notifier.ts';
import { notifyArrivals, notifyAtEnd } from '../../../src/cli/peer/notify-arrivals.ts';
import { readConfigFile } from '../../../src/cli/settings/config-file.ts';
import { WishSchema } from '../../../src/local-api/schemas.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { eventually } from '../../support/eventually.ts';
import { fetchTree, messageNode, NOON, NOON_MS, treeOf } from '../store/support.ts';
import { freshFolder, initHome, run } from './support.ts';

const news = (number: number, body = `message ${number}`): News => ({
  kind: number % 2 === 0 ? 'reply' : 'mention',
  message: {
    hash: number.toString(16).padStart(64, '0'),
    author: number === 7 ? 'bob' : 'alice',
    date: null,
    receivedAt: '2026-01-01T12:00:00.000Z',
    inReplyTo: null,
    body,
    authenticated: true,
    read: false,
  },
});

/** A notifier whose programs end when the test says so. */
function notifying(clock = new VirtualClock()) {
  const told: { text: string; variables: Readonly<Record<string, string>>; command: readonly string[] }[] = [];
  const warnings: string[] = [];
  let running = 0;
  let most = 0;
  const endings: ((why?: string) => void)[] = [];
  const program: RunProgram = (command, { text, variables }) => {
    told.push({ command, text, variables });
    running += 1;
    most = Math.max(most, running);
    return new Promise((resolve) => {
      endings.push((why) => {
        running -= 1;
        resolve(why);
      });
    });
  };
  const warn = (text: string) => void warnings.push(text);
  const notifier = new Notifier({ clock, warn, run: program });
  const add = (one: News) => notifier.add(one, ['tell', '--me']);
  /** The program that runs ends, and the next one begins. */
  const end = async (why?: string) => {
    endings.shift()?.(why);
    await new Promise(setImmediate);
  };
  return { clock, notifier, add, told, warnings, end, most: () => most };
}

describe('the command', () => {
  test('gets the text on stdin and in its environment, and never as an argument', () => {
    const { add, told } = notifying();
    add(news(2, '--help; rm -rf ~'));
    expect(told).toEqual([
      {
        command: ['tell', '--me'],
        text: 'alice replied to you:\n--help; rm -rf ~\n',
        variables: {
          MURMURE_COUNT: '1',
          MURMURE_KIND: 'reply',
          MURMURE_AUTHOR: 'alice',
          MURMURE_HASH: news(2).message.hash,
          MURMURE_TEXT: '--help; rm -rf ~',
        },
      },
    ]);
  });

  test('runs once at a time', async () => {
    const { add, told, end, most } = notifying();
    for (let i = 0; i < 3; i++) add(news(i));
    expect(told).toHaveLength(1);
    for (let i = 0; i < 3; i++) await end();
    expect(told.map(({ variables }) => variables.MURMURE_TEXT)).toEqual(['message 0', 'message 1', 'message 2']);
    expect(most()).toBe(1);
  });

  test('runs six times a minute, and the sixth sums up what waits', async () => {
    const { clock, add, told, end } = notifying();
    for (let i = 0; i < 10; i++) add(news(i));
    for (let i = 0; i < 10; i++) await end();
    expect(told).toHaveLength(6);
    expect(told.at(-1)).toMatchObject({
      text: '5 new notifications, from alice, bob\n',
      variables: { MURMURE_KIND: 'sum', MURMURE_COUNT: '5' },
    });
    for (let i = 10; i < 200; i++) add(news(i));
    expect(told).toHaveLength(6);
    await clock.advance(60_000);
    expect(told).toHaveLength(7);
    // A hundred are remembered, and the others counted.
    await end();
    for (let i = 0; i < 5; i++) await end();
    const counts = told.slice(6).map(({ variables }) => Number(variables.MURMURE_COUNT));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(190);
  });

  test('that does not work is said to do so once for each reason, and is tried again', async () => {
    const { add, told, warnings, end } = notifying();
    for (let i = 0; i < 4; i++) add(news(i));
    await end('ended with 1');
    await end('ended with 1');
    await end();
    await end('ended with 1');
    expect(told).toHaveLength(4);
    expect(warnings).toEqual(['notify: tell ended with 1', 'notify: tell ended with 1']);
  });

  test('is not run any more once the peer is closed', async () => {
    const { notifier, add, told, end } = notifying();
    add(news(0));
    add(news(1));
    notifier[Symbol.dispose]();
    await end();
    add(news(2));
    expect(told).toHaveLength(1);
  });
});

test.skipIf(process.platform === 'win32')('a real program reads it, without a shell in between', async () => {
  const folder = await initHome();
  const [program, out] = [join(folder, 'tell'), join(folder, 'out')];
  writeFileSync(
    program,
    `#!/bin/sh\n{ printf '%s|' "$@" "$MURMURE_KIND"; cat; } > '${out}.part'; mv '${out}.part' '${out}'\n`,
  );
  chmodSync(program, 0o755);
  const clock = new VirtualClock();
  using notifier = new Notifier({ clock, warn: () => {} });
  notifier.add(news(1, '$(touch x)'), [program, '$(id)', '; id']);
  await eventually(() => expect(existsSync(out)).toBe(true));
  expect(readFileSync(out, 'utf8')).toBe('$(id)|; id|mention|alice mentioned you:\n$(touch x)\n');
});

test.skipIf(process.platform === 'win32')('a program that is missing, fails, or does not read is said to', async () => {
  const warnings: string[] = [];
  const clock = new VirtualClock();
  for (const command of [['/nowhere/at-all'], ['false'], ['true']]) {
    const warn = (text: string) => void warnings.push(text);
    using notifier = new Notifier({ clock, warn });
    notifier.add(news(1, 'x'.repeat(900)), command);
    if (command[0] !== 'true') await eventually(() => expect(warnings.at(-1)).toContain(command[0]));
  }
  expect(warnings).toEqual([
    'notify: /nowhere/at-all was not found: check "notify" in config.toml',
    'notify: false ended with 1',
  ]);
});

/** A peer to which an answer, two mentions and something else can arrive; the last mention is muted. */
function visited() {
  const store = openSqliteStore(':memory:');
  const own = store.publish('me', { date: NOON, inReplyTo: null, body: 'a question' }, NOON_MS).hash;
  const nodes = [
    messageNode('an answer', NOON, own),
    messageNode('for @me'),
    messageNode('nothing'),
    messageNode('@me: rain'),
  ];
  store.setMarks([{ kind: 'word', subject: 'rain', untilMs: undefined }]);
  fetchTree(store, 'bob', treeOf(nodes));
  let listener: (fact: never) => void = () => {};
  const peer = {
    name: 'me',
    on: (_type: unknown, listen: never) => {
      listener = listen;
      return () => {};
    },
  };
  const arrive = (...hashes: string[]) =>
    listener({ type: 'messages.received', peer: 'bob', hashes, messages: [] } as never);
  return { peer: peer as never, store, nodes, arrive };
}

/** What is told while `act` runs, in a home with these settings. */
async function arrivals() {
  const { peer, store, nodes, arrive } = visited();
  const home = homeAt(await initHome());
  const told: { readonly text: string; readonly command: readonly string[] }[] = [];
  const warnings: string[] = [];
  const program: RunProgram = async (command, { variables }) =>
    void told.push({ command, text: variables.MURMURE_TEXT ?? '' });
  const state = { isOurs: true };
  const notifying = notifyArrivals(
    { settings: { home } as never, nowMs: () => NOON_MS },
    { peer, store, run: program, isOurs: () => state.isOurs, warn: (text) => void warnings.push(text) },
  );
  const choose = (line: string) => writeFileSync(home.configFile, line);
  return { ...{ nodes, arrive, told, warnings, state, choose }, [Symbol.dispose]: () => notifying[Symbol.dispose]() };
}

test('whoever runs the peer tells of what arrives and concerns the person; nobody else does', async () => {
  using running = await arrivals();
  const { nodes, arrive, told, state, choose } = running;
  choose('notify = ["tell"]');
  for (const { hash } of nodes) arrive(hash);
  await eventually(() => expect(told).toHaveLength(2));
  state.isOurs = false;
  arrive(nodes[1]?.hash ?? '');
  state.isOurs = true;
  arrive(nodes[0]?.hash ?? '');
  await eventually(() => expect(told).toHaveLength(3));
  expect(told.map(({ text }) => text)).toEqual(['an answer', 'for @me', 'an answer']);
});

test('a command that is chosen, changed or removed while the peer runs counts at once', async () => {
  using running = await arrivals();
  const { nodes, arrive, told, warnings, choose } = running;
  const [answer] = nodes;
  const commands = () => told.map(({ command }) => command);
  const arriveWith = (line: string) => {
    choose(line);
    arrive(answer?.hash ?? '');
  };
  arriveWith('');
  arriveWith('notify = ["one"]');
  await eventually(() => expect(commands()).toContainEqual(['one']));
  const before = told.length;
  arriveWith('quiet = true');
  arriveWith('notify = [');
  await eventually(() => expect(warnings).not.toEqual([]));
  arriveWith('notify = ["two", "words"]');
  await eventually(() => expect(commands().slice(before)).toEqual([['two', 'words']]));
  expect(warnings).toEqual([expect.stringMatching(/nobody is notified: .*config\.toml/)]);
});

describe('a command that runs a peer of its own', () => {
  const settings = { notify: ['tell'] } as never;
  const running = async (end: string | undefined, came: (nodes: ReturnType<typeof visited>['nodes']) => string[]) => {
    const { peer, store, nodes, arrive } = visited();
    const told: Readonly<Record<string, string>>[] = [];
    const warnings: string[] = [];
    const program: RunProgram = async (_command, { variables }) => {
      told.push(variables);
      return end;
    };
    const context = {
      settings,
      output: { warn: (text: string) => void warnings.push(text) } as never,
      nowMs: () => NOON_MS,
      signal: new AbortController().signal,
    };
    {
      await using _news = notifyAtEnd(context, { peer, store, run: program });
      for (const hash of came(nodes)) arrive(hash);
      expect(told).toEqual([]);
    }
    return { told, warnings };
  };

  test('tells once, at its end, of all that it brought, and what is muted is not counted', async () => {
    const { told } = await running(undefined, (nodes) => nodes.map(({ hash }) => hash));
    expect(told).toMatchObject([{ MURMURE_KIND: 'sum', MURMURE_COUNT: '2' }]);
  });

  test('tells of a single one in its own words, and says if the command does not work', async () => {
    const { told, warnings } = await running('ended with 1', (nodes) => nodes.slice(0, 1).map(({ hash }) => hash));
    expect(told).toMatchObject([{ MURMURE_KIND: 'reply', MURMURE_TEXT: 'an answer' }]);
    expect(warnings).toEqual(['notify: tell ended with 1']);
  });

  test('runs nothing if nothing came', async () => {
    expect((await running(undefined, () => [])).told).toEqual([]);
  });
});

describe('the setting', () => {
  test('is a program and its arguments, in config.toml', async () => {
    const home = freshFolder();
    const set = await run(['config', 'set', 'notify', '["notify-send", "murmure"]', '--home', home, '--json']);
    expect(set.lines).toMatchObject([{ setting: 'notify', value: ['notify-send', 'murmure'] }]);
    const shown = await run(['config', 'get', 'notify', '--home', home]);
    expect(shown.out).toBe('["notify-send","murmure"]\n');
    expect((await readConfigFile(join(home, 'config.toml'))).config.notify).toEqual(['notify-send', 'murmure']);
    for (const wrong of ['notify-send', '[]', '[""]', '[1]', '{}']) {
      const { code, err } = await run(['config', 'set', 'notify', wrong, '--home', home]);
      expect([code, err]).toEqual([2, expect.stringContaining('a program and its arguments, such as')]);
    }
  });

  test('cannot be made through the local API', () => {
    const types = WishSchema.options.map((option) => option.entries.type.literal);
    expect(types.filter((type) => /config|setting|notify/.test(type))).toEqual([]);
  });
});
