/** The effects of our sessions: they look up where a peer is and what is known of it, and remember its habits. */

import type { Failure } from '../../machines/events.ts';
import type { Message as MessageTo } from '../../machines/messages.ts';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { CallOf, SharedEffects } from '../runtime/shared-effects.ts';
import { requireUnblocked } from '../store/blocked.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import { formatAddress, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { PeerDependencies } from './peer-dependencies.ts';

export function provideOutgoingSession(
  { name: ownName, publicKey, store, http, gate, clock, wallClock, tell, sockets, localIps }: PeerDependencies,
  request: SharedEffects['request'],
  reached: (addresses: readonly SocketAddress[]) => readonly SocketAddress[],
) {
  const now = () => clock.now();
  const wallNow = () => wallClock.now();

  const located = (name: string, key: PublicKey | undefined, known: readonly SocketAddress[]) => {
    const addresses = reached(known);
    const habits = addresses.map((address) => store.habitOf(formatAddress(address), key ?? null));
    const zeroEndingIds = habits.some((habit) => habit?.zeroEndingIds === true);
    const noFlags = habits.some((habit) => habit?.noFlags === true);
    const trustsUnsigned = key !== undefined && store.trustsUnsigned(name, key);
    return { type: 'peer.located' as const, addresses, key, zeroEndingIds, noFlags, trustsUnsigned, atMs: now() };
  };

  /** While the directory is away: the address at which the peer last answered. It has to answer there with its pinned key. */
  const whereLast = (name: string) => {
    try {
      const key = store.peer(name)?.key;
      const address = parseAddress(store.addressOf(name) ?? '');
      return key !== undefined && address.ok ? located(name, key, [address.value]) : undefined;
    } catch {
      // The store cannot be read now. It is tried again soon.
      return undefined;
    }
  };

  /** Where other programs publish under our own name and key: copies of this home. */
  const copies = (addresses: readonly SocketAddress[], key: PublicKey | undefined) => {
    const others = addresses.filter(({ ip, port }) => !(localIps().includes(ip) && sockets.ports.includes(port)));
    return key === publicKey && others.length > 0 ? located(ownName, key, others) : undefined;
  };

  /** Addresses and key of a peer; a key other than the pinned one is an authentication failure (protocol §7). */
  const locate = async (name: string): Promise<MessageTo<'outside', 'outgoing-session'>> => {
    const notLocated = (failure: Failure) => ({ type: 'peer.notLocated' as const, failure });
    try {
      requireUnblocked(store, name);
      const found = await http.peer(name);
      if (found === undefined) return notLocated(notListed(name));
      if (name === ownName) return copies(found.addresses, found.key) ?? notLocated(notListed(name));
      const pinned = store.peer(name)?.key;
      const isChanged =
        found.key === undefined ? pinned !== undefined : store.pinKey(name, found.key, wallNow()) === 'changed';
      if (isChanged) {
        tell({ type: 'key.changed', name });
        const message = `${name} now has a different key from the one known here; ask ${name} whether its new fingerprint is right, then accept it with "murmure trust ${name}"`;
        return notLocated({ code: 'authentication', message });
      }
      return located(name, found.key, found.addresses);
    } catch (error) {
      const failure = failureFrom(error);
      return (failure.code === 'directory-unreachable' && whereLast(name)) || notLocated(failure);
    }
  };

  return outgoingSessionMachine.provide({
    actors: { request },
    actions: gate.effects({
      locatePeer: async ({ self, enter }: CallOf<'outgoing-session'>, { name }: { name: string }) =>
        enter(self, await locate(name)),
      recallTrust: (
        { self, enter }: CallOf<'outgoing-session'>,
        { name, key }: { name: string; key: PublicKey | undefined },
      ) => {
        try {
          if (key !== undefined && store.trustsUnsigned(name, key)) enter(self, { type: 'trust.recalled', key });
        } catch {
          // Not believed, then.
        }
      },
      rememberHabit: (_: unknown, { address, key, noFlags }: HabitParams) => {
        try {
          store.noteHabit(formatAddress(address), key ?? null, { zeroEndingIds: true, noFlags }, wallNow());
        } catch {
          // It could not be stored, for example on a full disk: it is known for this run only.
        }
      },
    }),
  });
}

type HabitParams = { address: SocketAddress; key: PublicKey | undefined; noFlags: boolean };

/** The directory does not list a peer of this name now. */
export function notListed(name: string): Failure {
  return { code: 'peer-unknown', message: `the directory knows no peer ${name} that is online now; see murmure peers` };
}
