/** Runs the first questions: the machine decides what is asked next, a dialogue asks, and at the end a home is written. */
import { type AnyEventObject, createActor } from 'xstate';
import type { Failure } from '../../../machines/events.ts';
import { type DirectoryChoice, firstRunMachine } from '../../../machines/first-run.machine.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { JournalSink } from '../../index.ts';
import { record } from '../../journal/record.ts';
import { isUntrusted } from '../../peer/directory-failure.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Call, Gate } from '../../runtime/gate.ts';
import { failureFrom, MurmureError } from '../../wire/murmure-error.ts';
import { whyNoNewName } from '../input/validate.ts';
import { WHAT_OTHERS_LEARN } from '../messages/privacy.ts';
import type { Paint } from '../output/output.ts';
import { CancelledError, type Dialogue, type WhyInvalid } from './dialogue.ts';

/** What of the outside it needs: the network, and the disk. */
export interface FirstRunWorld {
  /** Resolves if a directory answers there; `certificate` is the path of the one to trust, `''` for none. @throws MurmureError */
  checkDirectory(url: string, certificate: string): Promise<void>;
  /** Says what is wrong with a path if there is no certificate there. */
  readonly whyNoCertificate: WhyInvalid;
  /** Makes the home, unless there is one, and adds to its settings; `''` for what is not to be set. Resolves to the key, if one was made. */
  save(home: {
    readonly name: string | undefined;
    readonly passphrase: string | undefined;
    readonly url: string;
    readonly certificate: string;
  }): Promise<PublicKey | undefined>;
}

export interface FirstRunOptions {
  /** That of the home; undefined before there is one. */
  readonly name: string | undefined;
  readonly hasDirectory: boolean;
  readonly world: FirstRunWorld;
  readonly dialogue: Dialogue;
  readonly paint: Paint;
  readonly journal?: JournalSink | undefined;
  readonly clock?: Clock;
}

/** Undefined if the person broke it off: nothing was changed then. @throws MurmureError if the home cannot be written */
export async function runFirstRun(options: FirstRunOptions): Promise<{ readonly isLocal: boolean } | undefined> {
  const { world, dialogue, paint, journal, clock = systemClock } = options;
  const input = { name: options.name ?? '', hasDirectory: options.hasDirectory };
  const recording = record({ root: 'first-run', sink: journal, seed: undefined, clock, input });
  const gate = new Gate(clock, recording?.recorder);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Secrets stay here, and out of every journal.
  let passphrase: string | undefined;
  let publicKey: PublicKey | undefined;

  const ask = async ({ self, enter }: Call, question: () => Promise<AnyEventObject>): Promise<void> => {
    await null;
    try {
      enter(self, await question());
    } catch (error) {
      if (error instanceof CancelledError) enter(self, { type: 'prompt.cancelled' });
      else reject(error);
    }
  };

  const machine = firstRunMachine.provide({
    actions: gate.effects({
      askName: (args: Call) =>
        ask(args, async () => {
          dialogue.show(`${paint('bold', 'Welcome to murmure.')} Answer a few questions to get started.\n`);
          return { type: 'name.given', name: await dialogue.line('Your name:', whyNoNewName) };
        }),
      askDirectory: (args: Call) =>
        ask(args, async () => ({
          type: 'directory.chosen',
          choice: await dialogue.choose<DirectoryChoice>('Where do you meet others?', [
            { value: 'url', label: 'at a directory whose address I know' },
            { value: 'local', label: 'try it locally, with neighbours on this computer' },
          ]),
        })),
      askUrl: (args: Call, { url }: { url: string }) =>
        ask(args, async () => ({
          type: 'url.given',
          url: await dialogue.line('Address of the directory (https://…):', whyNoUrl, url || undefined),
        })),
      checkDirectory: async ({ self, enter }: Call, { url, certificate }: { url: string; certificate: string }) => {
        await null;
        try {
          await world.checkDirectory(url, certificate);
          enter(self, { type: 'directory.answered' });
        } catch (error) {
          if (isUntrusted(error) && certificate === '') enter(self, { type: 'certificate.untrusted' });
          else enter(self, { type: 'directory.failed', failure: failureFrom(error) });
        }
      },
      askCertificate: (args: Call, { url }: { url: string }) =>
        ask(args, async () => {
          dialogue.show(`No authority vouches for ${url}. Ask its operator for its certificate, a PEM file.\n`);
          const path = await dialogue.line('Path of its certificate:', world.whyNoCertificate);
          return { type: 'certificate.given', path: path.trim() };
        }),
      askDoubt: (args: Call, { failure }: { failure: Failure | undefined }) =>
        ask(args, async () => {
          dialogue.show(`${paint('yellow', failure?.message ?? '')}\n`);
          const goOn = await dialogue.choose('What would you like to do?', [
            { value: 'again', label: 'type the address again' },
            { value: 'on', label: 'use it anyway: it may be reachable later' },
          ]);
          return { type: 'doubt.answered', goOn: goOn === 'on' };
        }),
      askPassphrase: (args: Call) =>
        ask(args, async () => {
          passphrase = await newPassphrase(options);
          return { type: 'passphrase.settled' };
        }),
      saveHome: async (
        { self, enter }: Call,
        { name, isNew, url, certificate }: { name: string; isNew: boolean; url: string; certificate: string },
      ) => {
        await null;
        try {
          publicKey = await world.save({ name: isNew ? name : undefined, passphrase, url, certificate });
          enter(self, { type: 'home.saved' });
        } catch (error) {
          enter(self, { type: 'home.failed', failure: failureFrom(error) });
        }
      },
      introduce: (args: Call, { name }: { name: string }) =>
        ask(args, async () => {
          dialogue.show(introduction(name, publicKey, paint));
          await dialogue.choose('Ready?', [{ value: 'on', label: 'continue' }]);
          return { type: 'introduction.read' };
        }),
    }),
  });

  const actor = createActor(machine, { id: 'first-run', clock: gate.clock, input });
  actor.subscribe({ complete: resolve, error: reject });
  actor.start();
  try {
    await promise;
  } finally {
    recording?.recorder.end(actor);
    actor.stop();
  }
  const { value, context } = actor.getSnapshot();
  if (value === 'failed' && context.failure !== undefined) {
    throw new MurmureError(context.failure.code, context.failure.message);
  }
  return value === 'ready' ? { isLocal: context.isLocal } : undefined;
}

/** Typed twice, as nobody sees what is typed; undefined for none. */
async function newPassphrase({
  dialogue,
  paint,
}: Pick<FirstRunOptions, 'dialogue' | 'paint'>): Promise<string | undefined> {
  for (;;) {
    const first = await dialogue.secret('Passphrase for your key (Enter for none):');
    if (first === '') return undefined;
    if ((await dialogue.secret('Repeat the passphrase:')) === first) return first;
    dialogue.show(`${paint('yellow', 'The passphrases did not match. Please choose one again.')}\n`);
  }
}

function introduction(name: string, key: PublicKey | undefined, paint: Paint): string {
  return [
    `The name ${paint('bold', name)} is yours. This is the fingerprint of your key, for others to compare:`,
    '',
    `    ${paint(['bold', 'cyan'], key === undefined ? '' : fingerprint(key))}`,
    '',
    'Nobody can restore this key if you lose it. Keep a copy somewhere else:',
    '',
    `    ${paint('bold', 'murmure key export FILE')}`,
    '',
    WHAT_OTHERS_LEARN,
    '',
    '',
  ].join('\n');
}

function whyNoUrl(text: string): string | undefined {
  const isHttps = URL.canParse(text.trim()) && new URL(text.trim()).protocol === 'https:';
  return isHttps ? undefined : 'an address starts with https://, e.g. https://directory.example:8443';
}
