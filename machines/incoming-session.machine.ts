/**
 * A session that somebody else opened towards us, one per source address (protocol §5): learns the key, verifies Hello,
 * answers it, proves the address, and serves our tree.
 */
import { incomingSessionSetup } from './incoming-session-actions.ts';
import { nameIn, withProof } from './incoming-session-context.ts';
import { limits } from './timing.ts';

export const incomingSessionMachine = incomingSessionSetup.createMachine({
  id: 'incoming-session',
  description: 'A session that somebody opened towards us, one per source address (protocol §5).',
  context: ({ input }) => ({
    ...input,
    newcomer: undefined,
    name: '',
    key: undefined,
    theirFlags: 0,
    proofs: withProof([], input.provenBy),
    mustSign: false,
    bytesReceived: input.hello.size,
    bytesSent: 0,
    held: [],
    reported: undefined,
    rootAskedAtMs: undefined,
    hasExtensions: false,
    proofSends: 0,
    openedAtMs: input.hello.atMs,
  }),
  entry: 'routeSource',
  initial: 'identifying',
  on: {
    'root.changed': { actions: 'noteRoot' },
    'flags.changed': { actions: 'noteFlags' },
    'session.proven': { guard: 'isUnderSameName', actions: 'noteProven' },
  },
  states: {
    identifying: {
      description: 'Learning the key of whoever says Hello: a pinned one, else the directory is asked.',
      entry: {
        type: 'findKey',
        params: ({ context }) => ({ name: nameIn(context.hello), from: context.address }),
      },
      on: {
        'key.found': [
          { guard: 'isUntrusted', target: 'ended' },
          { guard: 'isKeyless', target: 'accepting', actions: 'noteKey' },
          { guard: 'isUnsigned', target: 'ended' },
          { target: 'verifying', actions: 'noteKey' },
        ],
        'request.received': [
          { guard: 'isOverdue', target: 'ended' },
          { guard: 'isHello', actions: 'countReceived' },
          { actions: ['countReceived', 'oweNoSession'] },
        ],
        'nodes.requested': { actions: ['countReceived', 'oweNoSession'] },
        'bulk.requested': { actions: ['countReceived', 'oweNoSession'] },
      },
    },
    verifying: {
      description: 'A key is known, so the signature of Hello must verify (protocol §7).',
      entry: 'verifyHeldHello',
      on: {
        'hello.verified': [
          { guard: 'isGenuine', target: 'accepting' },
          { guard: 'isAwaited', target: 'ended' },
        ],
        'request.received': [
          { guard: 'isOverdue', target: 'ended' },
          { guard: 'isHello', actions: 'countReceived' },
          { actions: ['countReceived', 'oweNoSession'] },
        ],
        'nodes.requested': { actions: ['countReceived', 'oweNoSession'] },
        'bulk.requested': { actions: ['countReceived', 'oweNoSession'] },
      },
    },
    accepting: {
      description: 'HelloReply goes out.',
      entry: ['answerHello', 'reportAccepted'],
      always: [
        { guard: 'isProven', target: 'live.proven' },
        { guard: 'isHelloTooDear', target: 'live.unproven' },
        { target: 'live.proving' },
      ],
    },
    live: {
      description: 'Requests are answered, for one hour after the last Hello.',
      initial: 'proving',
      on: {
        'request.received': [
          { guard: 'isHelloHeld', actions: 'countReceived' },
          { guard: 'isHelloWithoutKey', actions: ['countReceived', 'holdHello', 'answerHello'] },
          { guard: 'isHello', actions: ['countReceived', 'holdHello', 'verifyHeldHello'] },
          { guard: 'isRootRequest', actions: ['countReceived', 'sendRoot', 'reportReader'] },
          { guard: 'isBrokenGetNodes', actions: ['countReceived', 'oweMalformed'] },
          { actions: ['countReceived', 'oweUnknownRequest'] },
        ],
        'nodes.requested': { actions: ['countReceived', 'readRequested', 'reportReader'] },
        'bulk.requested': [
          { guard: 'isBulkAgreed', actions: ['countReceived', 'serveBulk', 'reportReader'] },
          { actions: ['countReceived', 'oweUnknownRequest'] },
        ],
        'hello.verified': [
          { guard: 'isGenuine', actions: 'answerHello' },
          { guard: 'isAwaited', actions: 'forgetHello' },
        ],
        'nodes.read': { actions: 'sendNodes' },
        sweep: { guard: 'isExpired', target: 'expired', actions: ['forgetProof', 'reportExpired'] },
      },
      states: {
        proving: {
          description: 'Our own Hello must be answered before large answers go to this address.',
          entry: 'budgetProof',
          invoke: {
            src: 'addressProof',
            id: 'address-proof',
            input: ({ context }) => ({
              address: context.address,
              name: context.name,
              key: context.key,
              ownName: context.ownName,
              socket: context.socket,
              random: context.random,
              flags: context.name === '' ? 0 : context.flags,
              maxSends: context.proofSends,
              atMs: context.openedAtMs,
            }),
            onDone: [
              {
                guard: 'isProofSuccessful',
                target: 'proven',
                actions: ['noteProven', 'noteProofTime', 'reportProven'],
              },
              { guard: 'isProven', target: 'proven' },
              { target: 'unproven' },
            ],
          },
          // Somebody else's Hello from here waits, being repeated, until it is clear who is at this address.
          on: {
            'request.received': [
              { guard: 'isHelloUnderOtherName' },
              { guard: 'isHelloOvertaken', actions: ['countReceived', 'repeatHello', 'sendRoot', 'reportReader'] },
            ],
            'nodes.requested': {
              guard: 'isHelloOvertaken',
              actions: ['countReceived', 'repeatHello', 'readRequested', 'reportReader'],
            },
          },
        },
        proven: {
          description: 'The address is not forged: whatever is asked for is sent.',
          entry: ['routeSource', 'serveHeld'],
          on: {
            'root.changed': { actions: ['noteRoot', 'serveHeld'] },
            'nodes.requested': { actions: ['readRequested', 'reportReader'] },
            'request.received': { guard: 'isHelloUnderOtherName', target: 'doubting', actions: 'holdNewcomer' },
          },
        },
        doubting: {
          description:
            'Hello came under another name, maybe forged: whoever is in session stays, until a Hello of ours is answered under that name.',
          invoke: {
            src: 'addressProof',
            id: 'address-proof',
            input: ({ context }) => ({
              address: context.address,
              name: nameIn(context.newcomer),
              key: undefined,
              ownName: context.ownName,
              socket: context.socket,
              random: context.random,
              flags: nameIn(context.newcomer) === '' ? 0 : context.flags,
              maxSends: limits.doubtSends,
              atMs: context.newcomer?.atMs ?? context.openedAtMs,
            }),
            onDone: [
              { guard: 'isProofSuccessful', target: '#incoming-session.identifying', actions: 'admitNewcomer' },
              { target: 'proven', actions: 'forgetNewcomer' },
            ],
          },
          on: { 'request.received': { guard: 'isHelloUnderOtherName' } },
        },
        unproven: {
          description:
            'Our Hello stayed unanswered: at most three times the bytes received go there, until it is tried again.',
          on: {
            'session.proven': { guard: 'isUnderSameName', target: 'proven', actions: 'noteProven' },
            'request.received': [
              {
                guard: 'isPaidHello',
                target: '#incoming-session.identifying',
                actions: ['countReceived', 'holdHello'],
              },
              { guard: 'isHello', actions: 'countReceived' },
              { guard: 'isHelloAffordable', target: 'proving', actions: ['countReceived', 'holdAsked'] },
            ],
            'nodes.requested': {
              guard: 'isHelloAffordable',
              target: 'proving',
              actions: ['countReceived', 'holdAsked'],
            },
          },
        },
      },
    },
    expired: {
      description: 'The hour is over; remembered for another, to say so to whoever still asks.',
      entry: 'routeSource',
      on: {
        'request.received': [
          { guard: 'isHello', target: 'identifying', actions: ['countReceived', 'holdHello'] },
          { actions: 'oweExpired' },
        ],
        'nodes.requested': { actions: 'oweExpired' },
        'bulk.requested': { actions: 'oweExpired' },
        sweep: { guard: 'isForgotten', target: 'ended' },
      },
    },
    ended: {
      description: 'Nothing is owed to this address any more: the owner stops this actor.',
      entry: 'reportForgotten',
    },
  },
});
