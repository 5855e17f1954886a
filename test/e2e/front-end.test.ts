/** Dialogues at a real terminal, with real peers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, Programs, type Running } from '../support/program.ts';
import { hasTmux, Terminal, type TerminalOptions } from '../support/terminal.ts';
import { run as runHere } from '../unit/cli/support.ts';

/** An escape sequence that sets a colour. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*3[0-7]m`);

describe.skipIf(!hasTmux).concurrent('at a terminal (skipped without tmux)', () => {
  const programs = new Programs();
  let directory: Json;
  let alice: Running;

  const flags = (name: string) => [
    ...['--home', programs.home(name), '--directory', directory.url as string],
    ...['--ca', directory.ca as string],
  ];
  const run = (command: readonly string[], name: string) => runHere([...command, ...flags(name), '--json']);

  beforeAll(async () => {
    const running = programs.start([
      ...['directory', '--json', '--listen', '127.0.0.1:0', '--udp', '127.0.0.1:0'],
      ...['--home', programs.home('directory')],
    ]);
    directory = await running.event('ready');
    await run(['init', 'alice'], 'alice');
    await run(['post', 'Premier café du matin ☕'], 'alice');
    await run(['post', 'Who else is up?'], 'alice');
    alice = programs.start(['serve', '--udp', '127.0.0.1:0', ...flags('alice'), '--json']);
    await alice.event('ready');
  });
  afterAll(() => programs[Symbol.asyncDispose]());

  /** A home that follows alice and has read nothing yet. */
  async function reader(name: string): Promise<void> {
    await run(['init', name], name);
    await run(['follow', 'alice', '--force'], name);
  }
  const open = (name: string, options?: TerminalOptions) => new Terminal(flags(name), options);

  test('a first run: name, directory, its certificate, passphrase, fingerprint', async () => {
    using terminal = new Terminal(['--home', programs.home('first')]);
    await terminal.shows('Your name:');
    terminal.type('a/b');
    terminal.press('Enter');
    await terminal.shows('must not contain "/"');
    terminal.press('BSpace', 'BSpace', 'BSpace');
    terminal.type('first');
    terminal.press('Enter');
    await terminal.shows('Where do you meet others?');
    terminal.press('Enter');
    await terminal.shows('Address of the directory');
    terminal.type(directory.url as string);
    terminal.press('Enter');
    await terminal.shows('Path of its certificate:');
    terminal.type(directory.ca as string);
    terminal.press('Enter');
    await terminal.shows('Passphrase for your key');
    terminal.type('secret');
    terminal.press('Enter');
    await terminal.shows('Repeat the passphrase:');
    terminal.type('secret');
    terminal.press('Enter');
    const screen = await terminal.shows('fingerprint', 'murmure key export');
    expect(screen).not.toContain('secret');
    terminal.press('Enter');
    await terminal.shows('first · timeline', '✓ 127.0.0.1');
    terminal.press('q');
    await terminal.shows('ended with 0');
  });

  test('trying it locally needs nothing: there are neighbours to follow', async () => {
    using terminal = new Terminal(['--home', programs.home('local')]);
    await terminal.shows('Your name:');
    terminal.type('zoe');
    terminal.press('Enter');
    await terminal.shows('Where do you meet others?');
    terminal.press('Down', 'Enter');
    await terminal.shows('Passphrase for your key');
    terminal.press('Enter');
    await terminal.shows('Ready?');
    terminal.press('Enter');
    await terminal.shows('zoe · timeline', '✓ 127.0.0.1');
    terminal.press('f');
    await terminal.shows('Whom do you want to follow?', 'Chiara');
    terminal.type('chi');
    terminal.press('Enter');
    await terminal.shows('Ho preso il treno di notte', 'unread');
    terminal.press('C-c');
    await terminal.shows('Quit?');
    terminal.press('C-c');
    await terminal.shows('ended with 0');
  });

  test('somebody is followed, found by typing, and answered', async () => {
    await run(['init', 'bob'], 'bob');
    using terminal = open('bob');
    await terminal.shows('No messages yet', '✓ 127.0.0.1');
    terminal.press('f');
    await terminal.shows('Whom do you want to follow?');
    terminal.type('ali');
    await terminal.shows(/❯ alice/);
    terminal.press('Enter');
    await terminal.shows('Who else is up?', '2 unread');
    terminal.press('G', 'r');
    await terminal.shows('Your reply', 'Who else is up?');
    terminal.type('I am!');
    terminal.press('Enter');
    await terminal.shows('Published.', /Who else is up\?\n❯ +↳ bob \(you\) now\n +I am!/);
    const { lines } = await run(['timeline', 'bob'], 'bob');
    expect(lines).toMatchObject([{ author: 'bob', body: 'I am!' }]);
  });

  test('what arrives while one types appears above, is counted, and overwrites nothing that was typed', async () => {
    await run(['init', 'trent'], 'trent');
    const trent = programs.start(['serve', '--udp', '127.0.0.1:0', ...flags('trent'), '--json']);
    await trent.event('ready');
    await reader('carol');
    await run(['follow', 'trent', '--force'], 'carol');
    using terminal = open('carol');
    await terminal.shows('carol · timeline', '✓ 127.0.0.1', 'session', '2 unread');
    terminal.press('s', 'm', 'p');
    await terminal.shows('Your message');
    terminal.type('I was just about to say');
    await terminal.shows('I was just about to say', '962 bytes left');
    await run(['post', 'Meanwhile @carol, something happened.'], 'trent');
    await terminal.shows(
      '1 unread',
      '@ 1 notification',
      /Meanwhile @carol, something happened\.\n─+\nYour message\n {2}I was just about to say/,
    );
    terminal.type(' hello.');
    terminal.press('Enter');
    await terminal.shows('Published.', 'Meanwhile @carol', 'I was just about to say hello.');
  });

  test('a half-written post survives whatever ends the program', async () => {
    await reader('dave');
    {
      using terminal = open('dave');
      await terminal.shows('dave · timeline');
      terminal.press('p');
      await terminal.shows('Your message');
      terminal.type('Half a thou');
      await terminal.shows('Half a thou');
    }
    using terminal = open('dave');
    await terminal.shows('dave · timeline', '1 draft');
    terminal.press('p');
    await terminal.shows('Half a thou');
    terminal.press('C-c');
    await terminal.shows('Your draft is saved', '1 draft');
  });

  test('a restored home says why it does not begin, and begins once its owner accepts what may be lost', async () => {
    await run(['init', 'rita'], 'rita');
    await run(['post', 'before the backup'], 'rita');
    await run(['follow', 'somebody', '--force'], 'rita');
    const backup = programs.home('rita.json');
    await run(['key', 'export', backup], 'rita');
    await run(['key', 'import', backup], 'rita-restored');
    {
      using terminal = open('rita-restored');
      const screen = await terminal.shows('ended with 5');
      expect(screen.replaceAll('\n', '')).toContain('nobody you follow could be asked for newer messages of yours');
      expect(screen.replaceAll('\n', '')).toContain('"murmure key resume"');
    }
    {
      using terminal = new Terminal(['key', 'resume', ...flags('rita-restored')]);
      await terminal.shows('everybody drops them', 'Publish from here anyway?');
      terminal.type('y');
      terminal.press('Enter');
      await terminal.shows('can publish from', 'ended with 0');
    }
    using terminal = open('rita-restored');
    await terminal.shows('rita · timeline', 'before the backup', '✓ 127.0.0.1');
  });

  test('search finds what is stored, without accents, and leads to the conversation', async () => {
    await reader('erin');
    using terminal = open('erin');
    await terminal.shows('erin · timeline');
    terminal.press('/');
    await terminal.shows('Search for:');
    terminal.type('cafe');
    terminal.press('Enter');
    await terminal.shows('1 message with “cafe”', 'Premier café du matin');
    terminal.press('Enter');
    await terminal.shows('conversation', 'Premier café du matin');
    terminal.press('Escape');
    await terminal.shows('1 message with “cafe”');
  });

  test('a peer and its tree are looked at', async () => {
    await reader('frank');
    using terminal = open('frank');
    await terminal.shows('frank · timeline', 'Who else is up?');
    terminal.press('v');
    await terminal.shows('fingerprint', 'relation     followed', 'last sync');
    terminal.press('t');
    await terminal.shows('tree of alice', /[0-9a-f]{12} \d+ children/, /[0-9a-f]{12} Who else is up\?/);
    terminal.press('Escape');
    await terminal.shows('fingerprint');
    terminal.press('m');
    await terminal.shows('alice is muted');
  });

  test('the protocol is stepped through under "inspect"', async () => {
    await reader('grace');
    using terminal = open('grace');
    await terminal.shows('grace · timeline', '✓ 127.0.0.1');
    terminal.press('i');
    await terminal.shows('list the peers', 'quit murmure');
    terminal.press('j', 'Enter');
    await terminal.shows('Whose addresses?', /❯ alice/);
    terminal.press('Enter');
    await terminal.shows(/alice is at 127\.0\.0\.1:\d+/);
    terminal.press('j', 'Enter');
    await terminal.shows('Send a Hello to');
    terminal.type('nowhere');
    terminal.press('Enter');
    await terminal.shows('an address is written 192.0.2.1:8080');
    terminal.press('j', 'Enter');
    await terminal.shows('Whose root?');
    terminal.press('Enter');
    await terminal.shows(/The root of alice is [0-9a-f]{12}/);
  });

  test('an editor has the terminal to itself: it goes on with what was typed, and changes the settings', async () => {
    await reader('heidi');
    const editor = `${programs.folder}/editor`;
    writeFileSync(editor, '#!/bin/sh\nprintf "Add: "; read words; printf "%s" "$words" >> "$1"\n', { mode: 0o755 });
    using terminal = open('heidi', { environment: { VISUAL: editor } });
    await terminal.shows('heidi · timeline');
    terminal.press('p');
    terminal.type('Typed');
    await terminal.shows('Typed');
    terminal.press('C-o');
    await terminal.shows('Add:');
    terminal.type(', and edited');
    terminal.press('Enter');
    await terminal.shows('Typed, and edited');
    terminal.press('Enter');
    await terminal.shows('Published.', 'Typed, and edited');
    terminal.press('c', 'o');
    await terminal.shows('Add:');
    terminal.type('timeout = 5');
    terminal.press('Enter');
    await terminal.shows('takes effect at once, other settings');
    const { lines } = await run(['config'], 'heidi');
    expect(lines).toContainEqual(expect.objectContaining({ setting: 'timeout', value: 5, from: 'file' }));
  });

  test('Ctrl-C asks whether that is meant; unread messages stay so across restarts', async () => {
    await reader('ivan');
    {
      using terminal = open('ivan');
      await terminal.shows('ivan · timeline', 'unread');
      terminal.press('C-c');
      await terminal.shows('Quit?');
      terminal.type('n');
      terminal.press('Enter');
      await terminal.shows('ivan · timeline');
      terminal.press('m');
      await terminal.shows('as read');
      terminal.press('q');
      await terminal.shows('ended with 0');
    }
    using terminal = open('ivan');
    const screen = await terminal.shows('ivan · timeline', 'Who else is up?');
    expect(screen).not.toContain('unread');
  });

  test('Ctrl-Z gives the terminal back, and fg takes it again, with what was typed', async () => {
    await reader('kate');
    using terminal = open('kate', { shell: true });
    await terminal.shows('kate · timeline', '✓ 127.0.0.1');
    terminal.press('p');
    await terminal.shows('Your message');
    terminal.type('Half a thou');
    await terminal.shows('Half a thou');
    terminal.press('C-z');
    await terminal.shows('Stopped');
    terminal.type('stty -a | grep -o " icanon"; echo "shell $((6 * 7))"');
    terminal.press('Enter');
    await terminal.shows(/^ icanon/m, 'shell 42');
    terminal.type('fg');
    terminal.press('Enter');
    await terminal.shows('Half a thou', 'bytes left');
    terminal.type('ght');
    terminal.press('Enter');
    await terminal.shows('Published.', 'Half a thought');
  });

  test('what is typed into a question survives Ctrl-Z and fg, and the question stands there once', async () => {
    await reader('quinn');
    using terminal = open('quinn', { shell: true });
    await terminal.shows('timeline');
    terminal.press('/');
    await terminal.shows('Search for:');
    terminal.type('half a th');
    await terminal.shows('half a th');
    terminal.press('C-z');
    await terminal.shows('Stopped');
    terminal.type('fg');
    terminal.press('Enter');
    const screen = await terminal.shows('Search for: half a th');
    expect(screen.match(/Search for:/g)).toHaveLength(1);
    terminal.type('ought');
    await terminal.shows('Search for: half a thought');
  });

  test('when serve ends, a key with a passphrase is asked for; until then what is written is stored', async () => {
    const file = join(programs.home('files'), 'passphrase');
    mkdirSync(programs.home('files'), { recursive: true });
    writeFileSync(file, 'secret\n');
    await run(['init', 'rosa', '--passphrase-file', file], 'rosa');
    const serving = [...flags('rosa'), '--passphrase-file', file, '--json'];
    const serve = programs.start(['serve', '--udp', '127.0.0.1:0', ...serving]);
    await serve.event('ready');
    using terminal = open('rosa');
    await terminal.shows('timeline', '✓');
    await serve.stop();
    await terminal.shows('your key has a passphrase');
    terminal.press('p');
    await terminal.shows('985 bytes left');
    terminal.type('Written offline');
    terminal.press('Enter');
    await terminal.shows('Stored here.');
    terminal.press('U');
    await terminal.shows('Passphrase of the key');
    terminal.type('wrong');
    terminal.press('Enter');
    await terminal.shows('does not open the key');
    terminal.press('Escape');
    await terminal.shows('your key has a passphrase');
    terminal.press('U');
    await terminal.shows('Passphrase of the key');
    terminal.type('secret');
    terminal.press('Enter');
    await terminal.shows('✓', 'Written offline');
    const { lines } = await run(['timeline'], 'rosa');
    expect(lines).toMatchObject([{ body: 'Written offline' }]);
  });

  test('a passphrase typed after Ctrl-Z and fg goes to the program that asks for it', async () => {
    const home = programs.home('luke');
    const file = `${programs.folder}/passphrase`;
    writeFileSync(file, 'secret\n');
    await runHere(['init', 'luke', '--home', home, '--passphrase-file', file]);
    using terminal = new Terminal(['key', 'export', `${programs.folder}/luke.json`, '--home', home], { shell: true });
    await terminal.shows('Passphrase of the key:');
    terminal.press('C-z');
    await terminal.shows('Stopped');
    terminal.type('fg');
    terminal.press('Enter');
    await terminal.shows(/Stopped[\s\S]*Passphrase of the key:/);
    terminal.type('secret');
    terminal.press('Enter');
    const screen = await terminal.shows('the key of luke');
    expect(screen).not.toContain('secret:');
  });

  test('without an editor, and with one that fails, one goes on typing', async () => {
    await reader('mary');
    for (const [editor, why] of [
      ['no-such-editor', 'was not found'],
      ['exit 3 #', 'ended with exit code 3'],
    ] as const) {
      using terminal = open('mary', { environment: { VISUAL: editor } });
      await terminal.shows('mary · timeline');
      terminal.press('p');
      await terminal.shows('Your message');
      terminal.press('C-u');
      terminal.type('Typed');
      await terminal.shows('Typed');
      terminal.press('C-o');
      await terminal.shows(why, 'Typed');
      terminal.type(' on');
      await terminal.shows('Typed on');
    }
  });

  test('no key ends the front end on an empty timeline', async () => {
    await run(['init', 'nora'], 'nora');
    using terminal = open('nora');
    await terminal.shows('No messages yet', '✓ 127.0.0.1');
    terminal.press('v');
    await terminal.shows('Which peer?');
    terminal.press('Escape');
    await terminal.shows('No messages yet', 'q quit');
    terminal.press('r', 'x', 'Enter', 't', 'm', 's');
    await terminal.shows('You do not follow anybody yet', 'No messages yet');
    terminal.press('C-c');
    await terminal.shows('Quit?');
    terminal.press('Escape');
    await terminal.shows('No messages yet', 'q quit');
  });

  test('a small terminal, one that grows, one without colours, one without UTF-8, and one that prints lines', async () => {
    await reader('judy');
    using terminal = open('judy', { columns: 40, rows: 15, environment: { NO_COLOR: '1' } });
    const small = await terminal.shows('judy · timeline', '? help');
    for (const line of small.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
    expect(terminal.screen({ escapes: true })).not.toMatch(COLOUR);
    terminal.resize(120, 40);
    await terminal.shows('q quit');
    terminal.press('q');
    await terminal.shows('ended with 0');

    using ascii = open('judy', { environment: { LANG: 'C' } });
    expect(await ascii.shows('judy | timeline', 'Premier cafe du matin')).toMatch(/^[ -~\n]*$/);
    ascii.press('q');
    await ascii.shows('ended with 0');

    using dumb = open('judy', { environment: { TERM: 'dumb' } });
    await dumb.shows('Type a key, and the number of an item');
    dumb.type('c');
    dumb.press('Enter');
    await dumb.shows('settings', /home +.*judy/);
    expect(dumb.screen({ escapes: true })).not.toContain('\u001B[');
  });
});
