/** The one list of all machines: diagrams, model tests and the inspector read it. */
import { addressProofMachine } from './address-proof.machine.ts';
import { directoryMachine } from './directory.machine.ts';
import { directoryClientMachine } from './directory-client.machine.ts';
import { firstRunMachine } from './first-run.machine.ts';
import { frontEndMachine } from './front-end.machine.ts';
import { historyCheckMachine } from './history-check.machine.ts';
import { incomingSessionMachine } from './incoming-session.machine.ts';
import { merkleWalkMachine } from './merkle-walk.machine.ts';
import { outgoingSessionMachine } from './outgoing-session.machine.ts';
import { pathChecksMachine } from './path-checks.machine.ts';
import { peerMachine } from './peer.machine.ts';
import { pingMachine } from './ping.machine.ts';
import { requestMachine } from './request.machine.ts';
import { socketMachine } from './socket.machine.ts';

export const machines = {
  peer: peerMachine,
  socket: socketMachine,
  'directory-client': directoryClientMachine,
  'outgoing-session': outgoingSessionMachine,
  'incoming-session': incomingSessionMachine,
  request: requestMachine,
  'address-proof': addressProofMachine,
  'merkle-walk': merkleWalkMachine,
  'history-check': historyCheckMachine,
  ping: pingMachine,
  'path-checks': pathChecksMachine,
  directory: directoryMachine,
  'first-run': firstRunMachine,
  'front-end': frontEndMachine,
} as const;
