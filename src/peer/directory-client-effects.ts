/** The effects of the directory client: it asks the directory over HTTPS. */

import { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { Message } from '../../machines/messages.ts';
import type { CallOf } from '../runtime/shared-effects.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import type { KnownDirectory, PeerDependencies } from './peer-dependencies.ts';

type Answer = Message<'outside', 'directory-client'>;

export function provideDirectoryClient(
  { http, gate, clock, name: ownName, publicKey }: PeerDependencies,
  directory: KnownDirectory,
) {
  const now = () => clock.now();

  const orFailure =
    (ask: () => Promise<Answer>) =>
    async ({ self, enter }: CallOf<'directory-client'>) => {
      try {
        enter(self, await ask());
      } catch (error) {
        enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
      }
    };

  return directoryClientMachine.provide({
    actions: gate.effects({
      findDirectory: orFailure(async () => {
        const [addresses, key] = await Promise.all([http.udpAddresses(), http.serverKey()]);
        Object.assign(directory, { addresses, key });
        return { type: 'directory.found', addresses, key, atMs: now() };
      }),
      forgetConnections: () => http.forgetConnections?.(),
      register: orFailure(async () => {
        await http.register(ownName, publicKey);
        return { type: 'registration.accepted', atMs: now() };
      }),
      checkListing: orFailure(async () => {
        const addresses = (await http.peer(ownName))?.addresses ?? [];
        return { type: 'listing.checked', addresses, atMs: now() };
      }),
    }),
  });
}
