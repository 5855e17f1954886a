/** What the directory client does, and what it decides by. */
import { assertEvent, setup } from 'xstate';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type { DirectoryClientContext, DirectoryClientEvent, DirectoryClientInput } from './directory-client-context.ts';
import { effect } from './effects.ts';
import type { Failure } from './events.ts';
import { SECOND, timing } from './timing.ts';

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

/** Nobody could reach us either; `peer-unreachable` is what we are then. */
function withoutUdp(addresses: readonly SocketAddress[]): Failure {
  const where = addresses.map(formatAddress).join(', ');
  const message = `the directory answers over HTTPS, but nothing comes back over UDP from ${where}: datagrams are blocked or lost on the way, and without them nobody can reach you; let UDP out of this machine and its network, and the answers in`;
  return { code: 'peer-unreachable', message };
}

export const directoryClientSetup = base.extend({
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
