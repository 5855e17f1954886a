/** The effects of the directory client: it asks the directory over HTTPS. */

import { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { CallOf } from '../runtime/shared-effects.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import type { KnownDirectory, PeerDependencies } from './peer-dependencies.ts';

export function provideDirectoryClient(
  { http, gate, clock, name: ownName, publicKey }: PeerDependencies,
  directory: KnownDirectory,
) {
  const now = () => clock.now();
  return directoryClientMachine.provide({
    actions: gate.effects({
      findDirectory: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          const [addresses, key] = await Promise.all([http.udpAddresses(), http.serverKey()]);
          Object.assign(directory, { addresses, key });
          enter(self, { type: 'directory.found', addresses, key, atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
      register: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          await http.register(ownName, publicKey);
          enter(self, { type: 'registration.accepted', atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
      checkListing: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          const addresses = (await http.peer(ownName))?.addresses ?? [];
          enter(self, { type: 'listing.checked', addresses, atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
    }),
  });
}
