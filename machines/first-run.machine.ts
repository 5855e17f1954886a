/**
 * The questions before the front end can begin: a name, a directory, a passphrase. It asks nothing itself: prompts are effects, and their
 * answers events. The passphrase is none of them: a secret stays with the effect that asked for it, or it would stand in every journal.
 */
import { setup } from 'xstate';
import { effect } from './effects.ts';
import type { Failure } from './events.ts';
import { nameActions } from './named.ts';

export type DirectoryChoice = 'url' | 'local';

export type FirstRunEvent =
  | { readonly type: 'name.given'; readonly name: string }
  | { readonly type: 'directory.chosen'; readonly choice: DirectoryChoice }
  | { readonly type: 'url.given'; readonly url: string }
  | { readonly type: 'directory.answered' }
  /** It answers, but nothing says that it is the one that was meant. */
  | { readonly type: 'certificate.untrusted' }
  | { readonly type: 'directory.failed'; readonly failure: Failure }
  /** Path of a PEM file. */
  | { readonly type: 'certificate.given'; readonly path: string }
  | { readonly type: 'doubt.answered'; readonly goOn: boolean }
  | { readonly type: 'passphrase.settled' }
  | { readonly type: 'home.saved' }
  | { readonly type: 'home.failed'; readonly failure: Failure }
  | { readonly type: 'introduction.read' }
  /** Ctrl-C, or Escape. */
  | { readonly type: 'prompt.cancelled' };

export interface FirstRunInput {
  /** That of the home; `''` if there is none yet. */
  readonly name: string;
  /** A directory is given by a flag, the environment or the settings. */
  readonly hasDirectory: boolean;
}

export interface FirstRunContext extends FirstRunInput {
  readonly isNew: boolean;
  /** `''`: none was asked for, or the local one is wanted. */
  readonly url: string;
  /** Path of the certificate to trust, `''` for none. */
  readonly certificate: string;
  readonly isLocal: boolean;
  readonly failure: Failure | undefined;
}

const base = setup({
  types: {
    context: {} as FirstRunContext,
    events: {} as FirstRunEvent,
    input: {} as FirstRunInput,
  },
  actions: {
    askName: effect<undefined>('askName'),
    askDirectory: effect<undefined>('askDirectory'),
    askUrl: effect<{ url: string }>('askUrl'),
    checkDirectory: effect<{ url: string; certificate: string }>('checkDirectory'),
    askCertificate: effect<{ url: string }>('askCertificate'),
    askDoubt: effect<{ failure: Failure | undefined }>('askDoubt'),
    askPassphrase: effect<undefined>('askPassphrase'),
    saveHome: effect<{ name: string; isNew: boolean; url: string; certificate: string }>('saveHome'),
    introduce: effect<{ name: string }>('introduce'),
  },
  guards: {
    isNamed: ({ context }) => !context.isNew,
    hasDirectory: ({ context }) => context.hasDirectory,
    isLocal: ({ event }) => event.type === 'directory.chosen' && event.choice === 'local',
    isLocalAndNamed: ({ context, event }) =>
      event.type === 'directory.chosen' && event.choice === 'local' && !context.isNew,
    goesOn: ({ event }) => event.type === 'doubt.answered' && event.goOn,
    goesOnNamed: ({ context, event }) => event.type === 'doubt.answered' && event.goOn && !context.isNew,
  },
});

const noteName = base.assign(({ event }) => (event.type === 'name.given' ? { name: event.name } : {}));
const noteLocal = base.assign({ isLocal: true });
const noteUrl = base.assign(({ event }) => (event.type === 'url.given' ? { url: event.url, certificate: '' } : {}));
const noteCertificate = base.assign(({ event }) =>
  event.type === 'certificate.given' ? { certificate: event.path } : {},
);
const noteFailure = base.assign(({ event }) =>
  event.type === 'directory.failed' || event.type === 'home.failed' ? { failure: event.failure } : {},
);

nameActions({ noteName, noteLocal, noteUrl, noteCertificate, noteFailure });

export const firstRunMachine = base.createMachine({
  id: 'first-run',
  description: 'The questions before the front end can begin.',
  context: ({ input: { name, hasDirectory } }) => ({
    name,
    hasDirectory,
    isNew: name === '',
    url: '',
    certificate: '',
    isLocal: false,
    failure: undefined,
  }),
  initial: 'starting',
  on: { 'prompt.cancelled': '.brokenOff' },
  states: {
    starting: {
      description: 'What there is already is not asked for.',
      always: [{ guard: 'isNamed', target: 'choosingDirectory' }, { target: 'naming' }],
    },
    naming: {
      description: 'Under which name messages are published.',
      entry: { type: 'askName' },
      on: {
        'name.given': [
          { guard: 'hasDirectory', target: 'protecting', actions: noteName },
          { target: 'choosingDirectory', actions: noteName },
        ],
      },
    },
    choosingDirectory: {
      description: 'Where others are met: at a directory, or for a try at one within this program.',
      entry: { type: 'askDirectory' },
      on: {
        'directory.chosen': [
          { guard: 'isLocalAndNamed', target: 'ready', actions: noteLocal },
          { guard: 'isLocal', target: 'protecting', actions: noteLocal },
          { target: 'addressing' },
        ],
      },
    },
    addressing: {
      description: 'The address of the directory is typed.',
      entry: { type: 'askUrl', params: ({ context }) => ({ url: context.url }) },
      on: { 'url.given': { target: 'checking', actions: noteUrl } },
    },
    checking: {
      description: 'Is that a directory, and is it the one that was meant?',
      entry: {
        type: 'checkDirectory',
        params: ({ context: { url, certificate } }) => ({ url, certificate }),
      },
      on: {
        'directory.answered': [{ guard: 'isNamed', target: 'saving' }, { target: 'protecting' }],
        'certificate.untrusted': 'certifying',
        'directory.failed': { target: 'doubting', actions: noteFailure },
      },
    },
    certifying: {
      description: 'Nothing known vouches for the directory: a certificate from whoever runs it would.',
      entry: { type: 'askCertificate', params: ({ context }) => ({ url: context.url }) },
      on: { 'certificate.given': { target: 'checking', actions: noteCertificate } },
    },
    doubting: {
      description: 'It does not answer now. It may later: is it meant nevertheless?',
      entry: { type: 'askDoubt', params: ({ context }) => ({ failure: context.failure }) },
      on: {
        'doubt.answered': [
          { guard: 'goesOnNamed', target: 'saving' },
          { guard: 'goesOn', target: 'protecting' },
          { target: 'addressing' },
        ],
      },
    },
    protecting: {
      description: 'A passphrase for the key, or none.',
      entry: { type: 'askPassphrase' },
      on: { 'passphrase.settled': 'saving' },
    },
    saving: {
      description: 'Home, key and settings are written: all of it now, nothing before.',
      entry: {
        type: 'saveHome',
        params: ({ context: { name, isNew, url, certificate } }) => ({ name, isNew, url, certificate }),
      },
      on: {
        'home.saved': [{ guard: 'isNamed', target: 'ready' }, { target: 'introducing' }],
        'home.failed': { target: 'failed', actions: noteFailure },
      },
    },
    introducing: {
      description: 'The fingerprint is shown, and how to keep the key.',
      entry: { type: 'introduce', params: ({ context }) => ({ name: context.name }) },
      on: { 'introduction.read': 'ready' },
    },
    ready: { type: 'final', description: 'The front end can begin.' },
    failed: { type: 'final', description: 'The home could not be written.' },
    brokenOff: { type: 'final', description: 'It cannot; nothing was changed.' },
  },
});
