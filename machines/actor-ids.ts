/** Names of actors: `kind.key`. A path of them ("peer/outgoing-session.alice/request.3") names an actor in logs and journals. */
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';

export const actorId = {
  peer: 'peer',
  directory: 'directory',
  directoryClient: 'directory-client',
  pathChecks: 'path-checks',
  socket: (index: number) => `socket.${index}`,
  /** "@" before a name that begins with one: else a stranger could take the name of a session with an address. */
  outgoingSession: (name: string) => `outgoing-session.${name.startsWith('@') ? '@' : ''}${name}`,
  /** A session with an address whose owner is not known by name: a directory, or one typed in by hand. */
  outgoingSessionTo: (address: SocketAddress) => `outgoing-session.@${formatAddress(address)}`,
  incomingSession: (address: SocketAddress) => `incoming-session.${formatAddress(address)}`,
  /** Of a directory, or one of the addresses under which a peer itself is listed. */
  addressProof: (slot: number) => `address-proof.${slot}`,
  request: (index: number) => `request.${index}`,
  merkleWalk: (name: string) => `merkle-walk.${name}`,
  historyCheck: (name: string) => `history-check.${name}`,
  ping: (name: string) => `ping.${name}`,
} as const;

/** What an actor's id says after its kind. */
export function keyIn(id: string): string {
  return id.slice(id.indexOf('.') + 1);
}
