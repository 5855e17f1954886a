/** What the directory's machine is made of: its types, its children, and what is done for it outside. */
import { setup } from 'xstate';
import type { Datagram } from '../src/wire/datagram.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { addressProofMachine } from './address-proof.machine.ts';
import type {
  DirectoryContext,
  DirectoryEvent,
  DirectoryFact,
  DirectoryInput,
  ListedAddress,
} from './directory-context.ts';
import { effect } from './effects.ts';
import type { Delivery } from './events.ts';
import type { SocketRef } from './messages.ts';
import { socketMachine } from './socket.machine.ts';

export const directoryBase = setup({
  types: {
    context: {} as DirectoryContext,
    events: {} as DirectoryEvent,
    input: {} as DirectoryInput,
    emitted: {} as DirectoryFact,
  },
  actors: { socket: socketMachine, addressProof: addressProofMachine },
  actions: {
    /** Looks the name up and verifies the signature: `hello.checked`. */
    lookUpSender: effect<{ hello: Delivery }>('lookUpSender'),
    /** Is the target listed? `traversal.checked`. */
    lookUpTarget: effect<{ sender: SocketAddress; target: SocketAddress }>('lookUpTarget'),
    /** Another instance is to forward it: the target's NAT is open towards that one. */
    relayTraversal: effect<{ sender: SocketAddress; target: SocketAddress; through: string }>('relayTraversal'),
    /** Its owner proved it: `address.listed` if it is new. */
    listAddress: effect<ListedAddress>('listAddress'),
    /** It answered our Hello: it stays listed for another hour. */
    confirmAddress: effect<{ name: string; address: SocketAddress }>('confirmAddress'),
    dropAddress: effect<{ name: string; address: SocketAddress }>('dropAddress'),
    forgetExpired: effect<undefined>('forgetExpired'),
    /** Signs, if this directory signs, and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: SocketRef }>('sendSigned'),
  },
});
