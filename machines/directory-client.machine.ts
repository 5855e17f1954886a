/**
 * Our standing with the directory (protocol §3, §5): finds its UDP addresses and key, registers, has our addresses proven,
 * and renews before they are forgotten. Failures are retried with growing pauses for as long as the peer runs.
 */

import { directoryClientSetup } from './directory-client-setup.ts';
import { timing } from './timing.ts';

const onFailure = [
  { guard: 'isRejected', target: 'rejected', actions: 'noteFailure' },
  { target: 'backingOff', actions: 'noteFailure' },
] as const;

/** What makes a registration out of date. */
const renewing = {
  /** We may be elsewhere now: what is under way concerns addresses that may be ours no more. */
  'registration.renew': { target: 'registering', actions: 'noteTime' },
  // Whether HTTPS fails as well, is to be found out.
  'greeting.failed': { target: 'discovering', actions: 'noteSilence' },
} as const;

/** HTTPS has just answered. */
const greeting = {
  ...renewing,
  // A listing from before may be there still: that it was not renewed, only this tells.
  'greeting.failed': { target: 'backingOff', actions: 'noteUnanswered' },
} as const;

export const directoryClientMachine = directoryClientSetup.createMachine({
  id: 'directory-client',
  description: 'Our standing with the directory: registered, proven, renewed (protocol §3, §5).',
  context: ({ input }) => ({
    ...input,
    addresses: [],
    key: undefined,
    listed: [],
    retryMs: timing.directoryRetry,
    pollMs: timing.listingPoll,
    waitedMs: 0,
    registeredAtMs: 0,
    listedAtMs: 0,
    atMs: 0,
    answeredAtMs: undefined,
    failure: undefined,
    isGreeted: false,
    isUnanswered: false,
    isUnheard: false,
  }),
  initial: 'discovering',
  on: {
    'port.bound': { actions: 'notePort' },
    'ips.changed': { actions: 'noteIps' },
    'greeting.answered': { actions: 'noteGreeted' },
    // An answer may still be on its way to this actor: it does not end.
    'registration.stop': '.retired',
  },
  states: {
    discovering: {
      description: 'Asking for the directory’s UDP addresses and its key.',
      entry: 'findDirectory',
      on: {
        'directory.found': [
          { guard: 'mustRegister', target: 'registering', actions: ['noteDirectory', 'reportKnown'] },
          { target: 'connected', actions: ['noteDirectory', 'reportKnown'] },
        ],
        'directory.failed': onFailure,
      },
      // Whoever is cut off waits long for HTTPS to fail.
      after: { retryPause: { guard: 'isUnanswered', actions: 'reportFailure' } },
    },
    connected: { description: 'The directory is known; this peer does not register.' },
    registering: {
      description: 'Binding our name to our key.',
      entry: 'register',
      on: {
        ...renewing,
        'registration.renew': { target: 'registering', reenter: true, actions: 'noteTime' },
        'registration.accepted': { target: 'confirming', actions: ['noteAccepted', 'startPolling', 'callForGreeting'] },
        'directory.failed': onFailure,
      },
    },
    confirming: {
      description: 'Hello is under way; the directory says Hello back, and lists the addresses that answer.',
      entry: 'checkListing',
      on: {
        ...greeting,
        'listing.checked': [
          { guard: 'isListed', target: 'registered', actions: ['noteListed', 'reportListed', 'noteHeard'] },
          // It may just have been started again: a moment ago, nobody could answer.
          { guard: 'isWithoutUdp', target: 'waiting', actions: ['noteAnswered', 'reportFailure'] },
          { guard: 'hasWaitedLong', target: 'backingOff', actions: ['noteAnswered', 'noteUnlisted'] },
          { target: 'waiting', actions: 'noteAnswered' },
        ],
        'directory.failed': onFailure,
      },
    },
    waiting: {
      description: 'Not listed yet; asked again after a growing pause.',
      on: greeting,
      after: { pollPause: { target: 'confirming', actions: 'pollSlower' } },
    },
    registered: {
      description: 'Listed; asked again in a while whether that is still so.',
      after: { checkPause: 'checking' },
      on: { ...renewing, 'listing.wanted': 'verifying', 'directory.doubted': 'checking' },
    },
    checking: {
      description:
        'RootRequest is under way: a directory that lost its registry, or is gone, does not answer it with a Root.',
      entry: 'callForCheck',
      on: {
        ...renewing,
        'root.received': [
          { guard: 'isDueForRenewal', target: 'registering', actions: 'noteAnswered' },
          { guard: 'isDueForListing', target: 'verifying', actions: 'noteAnswered' },
          { target: 'registered', actions: 'noteAnswered' },
        ],
        // It may know us elsewhere: connections from there hang, or are refused.
        'root.failed': { target: 'registering', actions: 'forgetConnections' },
      },
      after: { checkPatience: { target: 'discovering', actions: 'noteSilence' } },
    },
    verifying: {
      description: 'Reading our listing again, as others would.',
      entry: 'checkListing',
      on: {
        ...renewing,
        'listing.checked': [
          { guard: 'isStillListed', target: 'registered', actions: ['noteListed', 'reportRead'] },
          { target: 'registering', actions: 'noteAnswered' },
        ],
        'directory.failed': onFailure,
      },
    },
    backingOff: {
      description: 'The directory cannot be used now; tried again after a growing pause.',
      entry: 'reportFailure',
      on: { 'registration.renew': { target: 'discovering', actions: 'noteTime' } },
      after: { retryPause: { target: 'discovering', actions: 'retryLater' } },
    },
    rejected: {
      description:
        'The directory has this name under another key. The user can resolve that, or whoever has the name gives it up.',
      entry: 'reportFailure',
      on: { 'registration.renew': { target: 'discovering', actions: 'noteTime' } },
      after: { rejectionPause: 'discovering' },
    },
    retired: { description: 'Nothing is published from here any more, and the directory forgets this peer.' },
  },
});
