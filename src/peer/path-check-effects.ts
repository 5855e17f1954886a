/** The effect of path checks: it signs them. */

import { pathChecksMachine } from '../../machines/path-checks.machine.ts';
import type { CallOf } from '../runtime/shared-effects.ts';
import type { PeerDependencies } from './peer-dependencies.ts';

/** Others sign as well. */
const SIGNED_AT_ONCE = 32;

type SealBytes = (bytes: Uint8Array) => Promise<Uint8Array | undefined>;

export function providePathChecks({ gate }: PeerDependencies, sealBytes: SealBytes) {
  return pathChecksMachine.provide({
    actions: gate.effects({
      signChecks: async ({ self, enter }: CallOf<'path-checks'>, { checks }: { checks: readonly UnsignedCheck[] }) => {
        const signed: UnsignedCheck[] = [];
        for (let from = 0; from < checks.length; from += SIGNED_AT_ONCE) {
          const some = checks.slice(from, from + SIGNED_AT_ONCE).map(async ({ id, bytes }) => {
            const sealed = await sealBytes(bytes);
            if (sealed !== undefined) signed.push({ id, bytes: sealed });
          });
          await Promise.all(some);
        }
        enter(self, { type: 'checks.signed', signed });
      },
    }),
  });
}

interface UnsignedCheck {
  readonly id: number;
  readonly bytes: Uint8Array;
}
