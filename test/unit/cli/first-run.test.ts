/** The first questions, answered as written down. */
import { expect, test } from 'vitest';
import { type FirstRunWorld, runFirstRun } from '../../../src/cli/front-end/run-first-run.ts';
import { whyNoNewName } from '../../../src/cli/input/validate.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { type Answer, cancel, scripted } from '../../support/scripted-dialogue.ts';

const { publicKey } = await generateKeyPair();
const paint = (_format: unknown, text: string) => text;

interface Home {
  readonly name: string | undefined;
  readonly passphrase: string | undefined;
  readonly url: string;
  readonly certificate: string;
}

async function firstRun(
  answers: readonly Answer[],
  {
    name,
    hasDirectory = false,
    checks = [],
    save,
  }: {
    name?: string;
    hasDirectory?: boolean;
    /** What looking for the directory throws, time after time. */
    checks?: readonly (Error | undefined)[];
    save?: FirstRunWorld['save'];
  } = {},
) {
  const clock = new VirtualClock();
  const dialogue = scripted({ clock }, answers);
  const saved: Home[] = [];
  const checked: string[] = [];
  const journal: string[] = [];
  const left = [...checks];
  const world: FirstRunWorld = {
    checkDirectory: async (_url, certificate) => {
      checked.push(certificate);
      const error = left.shift();
      if (error !== undefined) throw error;
    },
    whyNoCertificate: () => undefined,
    save: async (home) => {
      saved.push(home);
      return publicKey;
    },
    ...(save && { save }),
  };
  const sink = { write: (line: string) => void journal.push(line), close: () => {} };
  const running = runFirstRun({ name, hasDirectory, world, dialogue, paint, journal: sink, clock });
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  running.then(done, done);
  await clock.runUntil(() => isDone);
  const result = await running;
  return { result, saved, checked, seen: dialogue.seen, journal: journal.join('\n') };
}

test('a name, a directory and a passphrase make a home; the fingerprint is shown, and how to keep the key', async () => {
  const answers = ['alice', 'url', 'https://directory.example', 'correct horse', 'correct horse', 'on'];
  const { result, saved, seen } = await firstRun(answers);
  expect(result).toEqual({ isLocal: false });
  expect(saved).toEqual([
    { name: 'alice', passphrase: 'correct horse', url: 'https://directory.example', certificate: '' },
  ]);
  expect(seen.join('\n')).toMatch(/[0-9A-Z]{4}(-[0-9A-Z]{4}){4}/);
  expect(seen.join('\n')).toContain('murmure key export');
});

test('a name is refused as long as it can be typed anew: one that is none, is shown otherwise, or is not in UTF-8', () => {
  expect(whyNoNewName('René')).toBeUndefined();
  for (const name of ['', 'a/b', '..', 'al\u200bice', 'Ren\ufffd'])
    expect(whyNoNewName(name)).toEqual(expect.any(String));
});

test('the passphrase is in no journal', async () => {
  const { journal } = await firstRun(['alice', 'local', 'correct horse', 'correct horse', 'on']);
  expect(journal).toContain('alice');
  expect(journal).not.toContain('horse');
});

test('an empty passphrase is none; one that is typed differently is asked for again', async () => {
  expect((await firstRun(['alice', 'local', '', 'on'])).saved[0]?.passphrase).toBeUndefined();
  const { saved } = await firstRun(['alice', 'local', 'one', '', 'two', 'two', 'on']);
  expect(saved[0]?.passphrase).toBe('two');
});

test('what is there already is not asked for', async () => {
  const named = await firstRun(['url', 'https://directory.example'], { name: 'alice' });
  expect(named.saved).toEqual([
    { name: undefined, passphrase: undefined, url: 'https://directory.example', certificate: '' },
  ]);
  expect((await firstRun(['local'], { name: 'alice' })).result).toEqual({ isLocal: true });
  const withDirectory = await firstRun(['alice', '', 'on'], { hasDirectory: true });
  expect(withDirectory.saved[0]).toMatchObject({ name: 'alice', url: '' });
});

test('a directory that nobody vouches for needs its certificate', async () => {
  const untrusted = new MurmureError('directory-unreachable', 'not trusted', {
    cause: Object.assign(new Error(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
  });
  const answers = ['alice', 'url', 'https://directory.example', 'their.pem', '', 'on'];
  const { saved, checked, seen } = await firstRun(answers, { checks: [untrusted] });
  expect(checked).toEqual(['', 'their.pem']);
  expect(saved[0]?.certificate).toBe('their.pem');
  expect(seen.join('\n')).toContain('No authority vouches for https://directory.example');
});

test('a directory that does not answer is typed again, or used nevertheless', async () => {
  const down = new MurmureError('directory-unreachable', 'the connection was refused');
  const answers = ['alice', 'url', 'https://wrong.example', 'again', 'https://right.example', 'on', '', 'on'];
  const { saved, seen } = await firstRun(answers, { checks: [down, down] });
  expect(saved[0]?.url).toBe('https://right.example');
  expect(seen.filter((text) => text === 'the connection was refused\n')).toHaveLength(2);
});

test('broken off, nothing is written', async () => {
  const brokenOff: Answer[][] = [[cancel], ['alice', cancel], ['alice', 'url', cancel], ['alice', 'local', cancel]];
  for (const answers of brokenOff) {
    const { result, saved } = await firstRun(answers);
    expect(result).toBeUndefined();
    expect(saved).toEqual([]);
  }
});

test('a home that cannot be written is an error that says so', async () => {
  const save = async () => {
    throw new MurmureError('unexpected', 'the disk is full');
  };
  await expect(firstRun(['alice', 'local', ''], { save })).rejects.toThrow('the disk is full');
});
