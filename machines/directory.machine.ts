/**
 * The directory's UDP side (protocol §5, §8): answers Hello, proves addresses of registered peers so that they may be listed,
 * and forwards requests to open a NAT. Its sessions are rows of a table, not actors: a directory has thousands, and a row
 * costs nothing while nothing happens; an actor lives only while an address is being proven.
 */
import { emptyTable } from '../src/merkle/hash-table.ts';
import { noAccounts } from './directory-accounts.ts';
import { directorySetup } from './directory-actions.ts';
import { noSessions } from './directory-sessions.ts';

export const directoryMachine = directorySetup.createMachine({
  id: 'directory',
  description: 'The directory’s UDP side: answers Hello, proves addresses, forwards NAT traversal (protocol §5, §8).',
  context: ({ input }) => ({
    ...input,
    sockets: {},
    sessions: noSessions(),
    accounts: noAccounts(),
    proving: new Map(),
    probes: new Map(),
    errorsSent: 0,
    errorsTo: emptyTable<number>(),
    traversals: emptyTable<number>(),
  }),
  initial: 'running',
  states: {
    running: {
      description: 'Sockets are open, or being opened.',
      entry: 'openSockets',
      on: {
        'socket.ready': { actions: 'noteSocket' },
        'socket.lost': { actions: 'tellSocketFailed' },
        'stranger.asked': [
          { guard: 'isHello', actions: ['creditSource', 'checkHello'] },
          { guard: 'isRootRequest', actions: ['creditSource', 'sendEmptyRoot'] },
          { guard: 'isGetDatum', actions: ['creditSource', 'sendNoDatum'] },
          { guard: 'mayOweError', actions: ['creditSource', 'sendError'] },
        ],
        'hello.checked': [
          { guard: 'isForged', actions: 'tellIgnored' },
          { guard: 'mustProve', actions: ['answerHello', 'proveAddress'] },
          { actions: 'answerHello' },
        ],
        'datagram.unsolicited': { guard: 'isTraversalRequest', actions: 'checkTraversal' },
        'traversal.checked': { guard: 'mayForward', actions: 'forwardTraversal' },
        'host.vouched': { actions: 'noteVoucher' },
        'address.listed': { actions: ['planProbes', 'startProbes'] },
        'addresses.undated': { actions: ['planUndatedProbes', 'startProbes'] },
        sweep: { actions: ['sweep', 'startProbes'] },
        'xstate.done.actor.*': [
          { guard: 'isProbeAnswered', actions: ['confirmProbed', 'putAway'] },
          { guard: 'isProbe', actions: ['dropProbed', 'putAway'] },
          { guard: 'isProofSuccessful', actions: ['listProven', 'putAway'] },
          { actions: ['tellUnproven', 'putAway'] },
        ],
        'xstate.error.actor.*': { actions: 'mend' },
        'directory.stop': 'stopped',
      },
    },
    stopped: { type: 'final', description: 'Every child is stopped; the sockets are released outside.' },
  },
});
