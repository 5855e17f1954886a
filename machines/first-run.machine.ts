/**
 * The questions before the front end can begin: a name, a directory, a passphrase. It asks nothing itself: prompts are effects, and their
 * answers events. The passphrase is none of them: a secret stays with the effect that asked for it, or it would stand in every journal.
 */
import { assertEvent, assign, setup } from 'xstate';
import { effect } from './effects.ts';
import type { Failure } from './events.ts';

export type DirectoryChoice = 'url' | 'local';

export type FirstRunEvent =
  | { readonly type: 'name.given'; readonly name: string }
  | { readonly type: 'directory.chosen'; readonly choice: DirectoryChoice }
  | { readonly type: 'url.given'; readonly url: string }
  | { readonly type: 'directory.answered' }
  /** It answers, but its certificate is not trusted. */
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
    isLocal: ({ event }) => choiceIn(event) === 'local',
    isLocalAndNamed: ({ context, event }) => choiceIn(event) === 'local' && !context.isNew,
    goesOn: ({ event }) => goesOn(event),
    goesOnNamed: ({ context, event }) => goesOn(event) && !context.isNew,
  },
}).extend({
  actions: {
    noteName: assign(({ event }) => {
      assertEvent(event, 'name.given');
      return { name: event.name };
    }),
    noteLocal: assign({ isLocal: true }),
    noteUrl: assign(({ event }) => {
      assertEvent(event, 'url.given');
      return { url: event.url, certificate: '' };
    }),
    noteCertificate: assign(({ event }) => {
      assertEvent(event, 'certificate.given');
      return { certificate: event.path };
    }),
    noteFailure: assign(({ event }) => {
      assertEvent(event, ['directory.failed', 'home.failed']);
      return { failure: event.failure };
    }),
  },
});

function choiceIn(event: FirstRunEvent): DirectoryChoice {
  assertEvent(event, 'directory.chosen');
  return event.choice;
}

function goesOn(event: FirstRunEvent): boolean {
  assertEvent(event, 'doubt.answered');
  return event.goOn;
}

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
      description: 'Questions whose answers are known are skipped.',
      always: [{ guard: 'isNamed', target: 'choosingDirectory' }, { target: 'naming' }],
    },
    naming: {
      description: 'The person chooses the name under which messages are published.',
      entry: { type: 'askName' },
      on: {
        'name.given': [
          { guard: 'hasDirectory', target: 'protecting', actions: 'noteName' },
          { target: 'choosingDirectory', actions: 'noteName' },
        ],
      },
    },
    choosingDirectory: {
      description: 'The person chooses a directory: a real one, or one within this program to try things out.',
      entry: { type: 'askDirectory' },
      on: {
        'directory.chosen': [
          { guard: 'isLocalAndNamed', target: 'ready', actions: 'noteLocal' },
          { guard: 'isLocal', target: 'protecting', actions: 'noteLocal' },
          { target: 'addressing' },
        ],
      },
    },
    addressing: {
      description: 'The person types the address of the directory.',
      entry: { type: 'askUrl', params: ({ context }) => ({ url: context.url }) },
      on: { 'url.given': { target: 'checking', actions: 'noteUrl' } },
    },
    checking: {
      description: 'The directory is asked whether it is one, and its certificate is checked.',
      entry: {
        type: 'checkDirectory',
        params: ({ context: { url, certificate } }) => ({ url, certificate }),
      },
      on: {
        'directory.answered': [{ guard: 'isNamed', target: 'saving' }, { target: 'protecting' }],
        'certificate.untrusted': 'certifying',
        'directory.failed': { target: 'doubting', actions: 'noteFailure' },
      },
    },
    certifying: {
      description: 'No known authority vouches for the directory. The person names a certificate to trust.',
      entry: { type: 'askCertificate', params: ({ context }) => ({ url: context.url }) },
      on: { 'certificate.given': { target: 'checking', actions: 'noteCertificate' } },
    },
    doubting: {
      description: 'The directory does not answer. The person decides whether to use it nevertheless.',
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
      description: 'The person chooses a passphrase for the key, or none.',
      entry: { type: 'askPassphrase' },
      on: { 'passphrase.settled': 'saving' },
    },
    saving: {
      description: 'Home, key and settings are written. Nothing was written before.',
      entry: {
        type: 'saveHome',
        params: ({ context: { name, isNew, url, certificate } }) => ({ name, isNew, url, certificate }),
      },
      on: {
        'home.saved': [{ guard: 'isNamed', target: 'ready' }, { target: 'introducing' }],
        'home.failed': { target: 'failed', actions: 'noteFailure' },
      },
    },
    introducing: {
      description: 'The person reads the fingerprint, and how to back the key up.',
      entry: { type: 'introduce', params: ({ context }) => ({ name: context.name }) },
      on: { 'introduction.read': 'ready' },
    },
    ready: { type: 'final', description: 'The front end can begin.' },
    failed: { type: 'final', description: 'The home could not be written.' },
    brokenOff: { type: 'final', description: 'The person has left; nothing was changed.' },
  },
});
