/**
 * Our standing with the directory (protocol §3, §5): finds its UDP addresses and key, registers, has our addresses proven,
 * and renews before they are forgotten. Failures are retried with growing pauses for as long as the peer runs.
 */

import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { effect } from './effects.ts';
import type { Failure, RootResult } from './events.ts';
import type { RefFor } from './messages.ts';
import { SECOND, timing } from './timing.ts';

export type DirectoryClientEvent =
  | {
      readonly type: 'directory.found';
      readonly addresses: readonly SocketAddress[];
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  | { readonly type: 'registration.accepted'; readonly atMs: number }
  | { readonly type: 'listing.checked'; readonly addresses: readonly SocketAddress[]; readonly atMs: number }
  | { readonly type: 'directory.failed'; readonly failure: Failure; readonly atMs: number }
  /** One of the directory's UDP addresses has answered our Hello. */
  | { readonly type: 'greeting.answered' }
  /** None of the directory's UDP addresses answered. */
  | { readonly type: 'greeting.failed'; readonly failure: Failure }
  /** Whatever is known of our standing may be out of date. */
  | { readonly type: 'registration.renew'; readonly atMs: number }
  /** Nothing is published any more: the directory is to forget us. */
  | { readonly type: 'registration.stop' }
  /** A question about its list has stayed unanswered. */
  | { readonly type: 'directory.doubted' }
  /** Another program may be listed under our name. */
  | { readonly type: 'listing.wanted' }
  /** A local address was bound. */
  | { readonly type: 'port.bound'; readonly port: number }
  /** IP addresses of this machine. */
  | { readonly type: 'ips.changed'; readonly ips: readonly string[] }
  /** How the directory answered our RootRequest. */
  | RootResult;

/** What the owner hears. */
export type DirectoryClientReport =
  | {
      readonly type: 'directory.known';
      readonly addresses: readonly SocketAddress[];
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  /** Hello is wanted to each of the directory's addresses. */
  | { readonly type: 'directory.greetingWanted'; readonly atMs: number }
  /** RootRequest is wanted: does the directory still know us? */
  | {
      readonly type: 'directory.checkWanted';
      readonly requester: RefFor<'outgoing-session', 'directory-client'>;
    }
  /** `wasUnheard`: UDP has failed meanwhile, so that nobody may have reached us. */
  | {
      readonly type: 'registration.listed';
      readonly addresses: readonly SocketAddress[];
      readonly wasUnheard: boolean;
      readonly atMs: number;
    }
  /** While all is well: who is listed under our name now. */
  | { readonly type: 'listing.read'; readonly addresses: readonly SocketAddress[]; readonly atMs: number }
  | { readonly type: 'registration.failed'; readonly failure: Failure; readonly retryInMs: number };

export interface DirectoryClientInput {
  readonly owner: RefFor<'directory-client', 'peer'>;
  /** False: only find the directory, for peers that do not wait for strangers. */
  readonly register: boolean;
  /** UDP ports that we listen on now. Bounded by the local addresses. */
  readonly ports: readonly number[];
  /** IP addresses of this machine. */
  readonly ips: readonly string[];
}

export interface DirectoryClientContext extends DirectoryClientInput {
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | undefined;
  readonly listed: readonly SocketAddress[];
  readonly retryMs: number;
  readonly pollMs: number;
  readonly waitedMs: number;
  readonly registeredAtMs: number;
  readonly listedAtMs: number;
  readonly atMs: number;
  /** When the directory last answered; undefined: not yet. */
  readonly answeredAtMs: number | undefined;
  /** Why we are not listed, as far as something is known to be wrong. */
  readonly failure: Failure | undefined;
  /** Our Hello was answered since we registered last. */
  readonly isGreeted: boolean;
  /** What was asked over UDP last stayed unanswered, and HTTPS has not failed since. */
  readonly isUnanswered: boolean;
  /** UDP has failed since we were listed last: nobody may have reached us. */
  readonly isUnheard: boolean;
}

const base = setup({
  types: {
    context: {} as DirectoryClientContext,
    events: {} as DirectoryClientEvent,
    input: {} as DirectoryClientInput,
  },
  actions: {
    /** GET /udp-address and /server-key: `directory.found` or `directory.failed`. */
    findDirectory: effect<undefined>('findDirectory'),
    /** POST /register: `registration.accepted` or `directory.failed`. */
    register: effect<undefined>('register'),
    /** GET /peers/OWN-NAME: `listing.checked` or `directory.failed`. */
    checkListing: effect<undefined>('checkListing'),
    /** Connections to the directory that are open are of no use any more. */
    forgetConnections: effect<undefined>('forgetConnections'),
  },
  guards: {
    mustRegister: ({ context }) => context.register,
    /**
     * Under an address that we use now: an hour-old listing says nothing about this run, nor does one from before UDP was lost. A NAT may
     * have changed our port.
     */
    isListed: ({ context, event }) => {
      assertEvent(event, 'listing.checked');
      const { ips, listed, ports, waitedMs, isGreeted } = context;
      if (!isGreeted) return false;
      // One at our own IP address, but not at a port of ours, is left over from an earlier run.
      const isElsewhere = event.addresses.some(({ ip }) => !ips.includes(ip));
      const isPatient = waitedMs >= timing.listingPatience && isElsewhere;
      // Where it has not listed us before, we have just answered: so it is if a NAT has another address now.
      const isNew = (address: SocketAddress) => !listed.some((known) => sameAddress(known, address));
      if (isPatient || (listed.length > 0 && event.addresses.some(isNew))) return true;
      return event.addresses.some(({ ip, port }) => ips.includes(ip) && ports.includes(port));
    },
    isStillListed: ({ event }) => event.type === 'listing.checked' && event.addresses.length > 0,
    isDueForRenewal: ({ context, event }) =>
      event.type === 'root.received' && event.atMs - context.registeredAtMs >= timing.registrationRenewal,
    isDueForListing: ({ context, event }) =>
      event.type === 'root.received' && event.atMs - context.listedAtMs >= timing.listingCheck,
    isUnanswered: ({ context }) => context.isUnanswered,
    isWithoutUdp: ({ context }) => context.isUnanswered && context.waitedMs >= timing.helloTimeout,
    isRejected: ({ event }) => event.type === 'directory.failed' && event.failure.code === 'authentication',
    hasWaitedLong: ({ context }) => context.waitedMs >= timing.listingTimeout,
  },
  delays: {
    retryPause: ({ context }) => context.retryMs,
    pollPause: ({ context }) => context.pollMs,
    rejectionPause: timing.rejectionPause,
    checkPause: timing.directoryCheck,
    checkPatience: timing.directoryPatience,
  },
});

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

/** Nobody could reach us either; `peer-unreachable` is what we are then. */
function withoutUdp(addresses: readonly SocketAddress[]): Failure {
  const where = addresses.map(formatAddress).join(', ');
  const message = `the directory answers over HTTPS, but nothing comes back over UDP from ${where}: datagrams are blocked or lost on the way, and without them nobody can reach you; let UDP out of this machine and its network, and the answers in`;
  return { code: 'peer-unreachable', message };
}

const directoryClientSetup = base.extend({
  actions: {
    noteDirectory: base.assign(({ context, event }) => {
      assertEvent(event, 'directory.found');
      const { addresses, key, atMs } = event;
      const failure = context.isUnanswered ? withoutUdp(addresses) : context.failure;
      return { addresses, key, atMs, answeredAtMs: atMs, failure };
    }),

    noteGreeted: base.assign({ isGreeted: true, isUnanswered: false }),

    noteTime: base.assign(({ event }) => ('atMs' in event ? { atMs: event.atMs } : {})),
    noteAnswered: base.assign(({ event }) => ('atMs' in event ? { atMs: event.atMs, answeredAtMs: event.atMs } : {})),
    noteAccepted: base.assign(({ event }) => {
      assertEvent(event, 'registration.accepted');
      const { atMs } = event;
      return { registeredAtMs: atMs, atMs, answeredAtMs: atMs, isGreeted: false };
    }),

    notePort: base.assign(({ context, event }) => {
      assertEvent(event, 'port.bound');
      return { ports: [...context.ports, event.port] };
    }),

    noteIps: base.assign(({ event }) => {
      assertEvent(event, 'ips.changed');
      return { ips: event.ips };
    }),

    callForCheck: base.sendTo(
      ({ context }) => context.owner,
      ({ self }) => ({ type: 'directory.checkWanted', requester: self }),
    ),

    startPolling: base.assign({ pollMs: timing.listingPoll, waitedMs: 0 }),

    pollSlower: base.assign(({ context }) => ({
      waitedMs: context.waitedMs + context.pollMs,
      pollMs: Math.min(context.pollMs * 2, timing.listingPollMaximum),
    })),

    noteListed: base.assign(({ event }) => {
      assertEvent(event, 'listing.checked');
      const { addresses: listed, atMs } = event;
      return { listed, retryMs: timing.directoryRetry, listedAtMs: atMs, atMs, answeredAtMs: atMs, failure: undefined };
    }),

    noteFailure: base.assign(({ event }) => {
      assertEvent(event, 'directory.failed');
      return { failure: event.failure, atMs: event.atMs, isUnanswered: false };
    }),

    /** It may have been answered otherwise than by a directory. */
    noteUnanswered: base.assign(({ context, event }) => {
      assertEvent(event, 'greeting.failed');
      const { code, message } = event.failure;
      const failure = code === 'peer-unreachable' ? withoutUdp(context.addresses) : undefined;
      return {
        isUnanswered: true,
        isUnheard: true,
        failure: failure ?? { code: 'peer-unreachable' as const, message },
      };
    }),

    noteSilence: base.assign(() => ({
      isUnanswered: true,
      isUnheard: true,
      failure: {
        code: 'directory-unreachable' as const,
        message: `the directory has not answered for ${timing.directoryPatience / SECOND} s; it may be down, or this machine offline`,
      },
    })),

    noteUnlisted: base.assign(() => ({
      isUnheard: true,
      failure: {
        code: 'peer-unreachable' as const,
        message:
          'the directory does not list this peer: its Hello does not reach us, or our answer does not reach it; check that UDP may pass the firewall',
      },
    })),

    noteHeard: base.assign({ isUnheard: false }),

    retryLater: base.assign(({ context }) => ({
      retryMs: Math.min(context.retryMs * 2, timing.directoryRetryMaximum),
    })),

    reportKnown: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { addresses, key, atMs } }) => ({ type: 'directory.known', addresses, key, atMs }),
    ),

    callForGreeting: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'directory.greetingWanted', atMs: context.atMs }),
    ),

    reportListed: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { listed, isUnheard, atMs } }) => ({
        type: 'registration.listed',
        addresses: listed,
        wasUnheard: isUnheard,
        atMs,
      }),
    ),

    reportRead: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { listed, atMs } }) => ({ type: 'listing.read', addresses: listed, atMs }),
    ),

    reportFailure: base.sendTo(
      ({ context }) => context.owner,
      // Noted by whatever led here.
      ({ context }) => ({
        type: 'registration.failed',
        failure: context.failure as Failure,
        retryInMs: context.retryMs,
      }),
    ),
  },
});

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
