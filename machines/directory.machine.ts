/**
 * The directory's UDP side (protocol §5, §8): answers Hello, proves addresses of registered peers so that they may be listed,
 * and forwards requests to open a NAT. Its sessions are rows of a table, not actors: a directory has thousands, and a row
 * costs nothing while nothing happens; an actor lives only while an address is being proven.
 */
import { emptyTable } from '../src/merkle/hash-table.ts';
import {
  answerHello,
  base,
  checkHello,
  checkTraversal,
  forwardTraversal,
  listProven,
  mend,
  noteSocket,
  openSockets,
  proveAddress,
  reap,
  sendEmptyRoot,
  sendError,
  sendNoDatum,
  sweep,
  tellIgnored,
  tellSocketFailed,
  tellUnproven,
} from './directory-actions.ts';
import type { ProofRow, SessionRow } from './directory-context.ts';

export const directoryMachine = base.createMachine({
  id: 'directory',
  description: 'The directory’s UDP side: answers Hello, proves addresses, forwards NAT traversal (protocol §5, §8).',
  context: ({ input }) => ({
    ...input,
    sockets: {},
    sessions: emptyTable<SessionRow>(),
    proving: emptyTable<ProofRow>(),
    errorsSent: 0,
    errorsTo: emptyTable<number>(),
    traversals: emptyTable<number>(),
  }),
  initial: 'running',
  states: {
    running: {
      description: 'Sockets are open, or being opened.',
      entry: openSockets,
      on: {
        'socket.ready': { actions: noteSocket },
        'socket.lost': { actions: tellSocketFailed },
        'stranger.asked': [
          { guard: 'isHello', actions: checkHello },
          { guard: 'isRootRequest', actions: sendEmptyRoot },
          { guard: 'isGetDatum', actions: sendNoDatum },
          { guard: 'mayOweError', actions: sendError },
        ],
        'hello.checked': [
          { guard: 'isForged', actions: tellIgnored },
          { guard: 'mustProve', actions: [answerHello, proveAddress] },
          { actions: answerHello },
        ],
        'datagram.unsolicited': { guard: 'isTraversalRequest', actions: checkTraversal },
        'traversal.checked': { guard: 'mayForward', actions: forwardTraversal },
        sweep: { actions: sweep },
        'xstate.done.actor.*': [
          { guard: 'isProofSuccessful', actions: [listProven, reap] },
          { actions: [tellUnproven, reap] },
        ],
        'xstate.error.actor.*': { actions: mend },
        'directory.stop': 'stopped',
      },
    },
    stopped: { type: 'final', description: 'Every child is stopped; the sockets are released outside.' },
  },
});
