/** Completion scripts, run by the shells they are for where those are installed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../support/program.ts';
import { hasTool } from '../../support/tools.ts';
import { freshFolder, initHome, run } from './support.ts';

/** The one that macOS brings, version 3, lacks mapfile. */
const hasBash = hasTool('bash');

async function scriptFile(shell: string): Promise<string> {
  const { out } = await run(['completion', shell]);
  const folder = freshFolder();
  mkdirSync(folder);
  const file = join(folder, shell === 'zsh' ? '_murmure' : `murmure.${shell}`);
  writeFileSync(file, out);
  writeFileSync(join(folder, 'backup.json'), '');
  return file;
}

/** What is offered, and what must not be. */
const cases = [
  [['mur'], ['murmure'], []],
  [['murmure', ''], ['post', 'key', 'completion', 'help'], ['passphrase']],
  [['murmure', 'ti'], ['timeline'], ['post']],
  [['murmure', '--j'], ['--json'], ['--home']],
  [
    ['murmure', 'timeline', '--'],
    ['--limit', '--before', '--json', '--help'],
    ['--udp', '--reply-to'],
  ],
  [['murmure', '--home', 'x', 'po'], ['post'], ['timeline']],
  [['murmure', 'key', ''], ['show', 'export', 'import', 'passphrase'], ['post']],
  [['murmure', 'key', 'passphrase', '--'], ['--new', '--remove', '--passphrase-file'], ['--limit']],
  [['murmure', 'key', 'import', 'back'], ['backup.json'], ['show']],
  [['murmure', '--ca', 'back'], ['backup.json'], ['post']],
  [['murmure', 'completion', ''], ['bash', 'zsh', 'fish'], ['post']],
  [['murmure', 'post', '--reply-to', ''], [], ['post', '--json']],
  [['murmure', 'help', 'p'], ['post', 'peers', 'profile'], ['timeline']],
  [['murmure', 'help', 'key', 'ex'], ['export'], ['post']],
  [['murmure', 'service', 'install', ''], ['directory'], ['post']],
  [['murmure', 'service', 'install', 'directory', ''], [], ['directory']],
  [['murmure', '-'], ['-h', '-V', '--help', '--version'], ['post']],
  [['murmure', 'timeline', '-'], ['-h', '--limit'], ['-V']],
] as const;

describe('completion', () => {
  test.skipIf(!hasBash).for(cases.slice(1))(
    'in bash, of %j (skipped without bash 4)',
    async ([words, offered, not]) => {
      const file = await scriptFile('bash');
      const program = `
      source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _murmure
      printf '%s\\n' "\${COMPREPLY[@]}"
    `;
      const options = { encoding: 'utf8', cwd: join(file, '..') } as const;
      const found = execFileSync('bash', ['-euc', program, 'bash', file, ...words], options).split('\n');
      expect(found).toEqual(expect.arrayContaining([...offered]));
      for (const word of not) expect(found).not.toContain(word);
      const offers = found.filter(Boolean);
      expect(offers).toEqual([...new Set(offers)]);
    },
  );

  test.skipIf(!hasBash)(
    'in bash, of names and hashes as the home has them, none of which is run (skipped without bash 4)',
    async () => {
      const home = await initHome('alice');
      const evil = '$(touch evil)`touch evil`';
      await run(['follow', 'bob', 'Ann Lee', evil, '--force', '--home', home]);
      const file = await scriptFile('bash');
      const folder = join(file, '..');
      writeFileSync(join(folder, 'murmure'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
      const program = `
      source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _murmure
      printf '%s\\n' "\${COMPREPLY[@]}"
    `;
      const env = { ...process.env, MURMURE_HOME: home, PATH: `${folder}:${process.env.PATH}` };
      const offered = (...words: string[]) =>
        execFileSync('bash', ['-euc', program, 'bash', file, ...words], { encoding: 'utf8', cwd: folder, env });
      expect(offered('murmure', 'sync', '').split('\n')).toEqual(expect.arrayContaining(['bob', 'Ann\\ Lee']));
      expect(offered('murmure', 'mute', 'b')).toBe('bob\n');
      await run(['list', 'add', 'friends', 'bob', '--home', home]);
      expect(offered('murmure', 'timeline', '@')).toBe('@friends\n');
      // As bash splits it.
      expect(offered('murmure', 'timeline', '@', 'fr')).toBe('@friends\n');
      expect(offered('murmure', 'list', 'add', 'fr')).toBe('friends\n');
      for (const words of [[''], ['bob', '']])
        expect(offered('murmure', 'list', 'add', 'friends', ...words).split('\n')).toContain('Ann\\ Lee');
      expect(offered('murmure', 'config', 'set', 'notify', 'b')).toBe('\n');
      expect(offered('murmure', 'tree', 'bob', 'b')).toBe('\n');
      const { lines } = await run(['post', 'hello', '--home', home, '--json']);
      expect(offered('murmure', 'show', '').trim()).toBe(lines[0]?.hash.slice(0, 12));
      expect(offered('murmure', 'post', '--reply-to', '').trim()).toBe(lines[0]?.hash.slice(0, 12));
      expect(existsSync(join(folder, 'evil'))).toBe(false);
    },
  );

  test.skipIf(!hasTool('fish')).for(cases.slice(1))(
    'in fish, of %j (skipped without fish)',
    async ([words, offered, not]) => {
      const file = await scriptFile('fish');
      const line = words.join(' ');
      const options = { encoding: 'utf8', cwd: join(file, '..') } as const;
      const found = execFileSync('fish', ['-c', 'source $argv[1]; complete -C $argv[2]', file, line], options)
        .split('\n')
        .map((row) => row.split('\t')[0]);
      expect(found).toEqual(expect.arrayContaining([...offered]));
      for (const word of not) expect(found).not.toContain(word);
    },
  );

  test.skipIf(!hasTool('zsh'))('in zsh: the script is one (skipped without zsh)', async () => {
    const file = await scriptFile('zsh');
    execFileSync('zsh', ['-n', file]);
    const found = execFileSync(
      'zsh',
      ['-fc', `autoload -Uz compinit; compinit -u; source ${file}; whence -w _murmure`],
      {
        encoding: 'utf8',
      },
    );
    expect(found).toContain('function');
  });

  test.for(['bash', 'zsh', 'fish'])('for %s names every command', async (shell) => {
    const { out } = await run(['completion', shell]);
    for (const command of ['post', 'timeline', 'passphrase', 'doctor']) expect(out).toContain(command);
  });

  test('for another shell: 2', async () => {
    expect(await run(['completion', 'tcsh'])).toMatchObject({ code: 2, err: expect.stringContaining('fish') });
  });

  test('as JSON', async () => {
    expect((await run(['completion', 'bash', '--json'])).lines).toMatchObject([{ shell: 'bash' }]);
  });
});
