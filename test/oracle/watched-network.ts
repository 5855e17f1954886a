/** A network through which an oracle watches a program of ours; what was found is taken after each test. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Network } from '../../src/runtime/network.ts';
import { Oracle, type Violation } from './oracle.ts';

const oracles: { readonly program: string; readonly oracle: Oracle }[] = [];

export function watched(program: string, network: Network, clock: Clock): Network {
  const oracle = new Oracle();
  oracles.push({ program, oracle });
  const now = () => clock.monotonicNow();
  return {
    ...(network.localIps && { localIps: () => network.localIps?.() ?? [] }),
    open: async (bind, onArrivals, onError) => {
      const socket = await network.open(
        bind,
        (arrivals) => {
          for (const { bytes, from } of arrivals) oracle.heard(bytes, from, now());
          onArrivals(arrivals);
        },
        onError,
      );
      return {
        get address() {
          return socket.address;
        },
        get receiveBufferBytes() {
          return socket.receiveBufferBytes;
        },
        send: (bytes, to) => {
          oracle.said(bytes, to, now());
          socket.send(bytes, to);
        },
        close: () => socket.close(),
      };
    },
  };
}

/** Since the last call. */
export function takeViolations(): (Violation & { readonly program: string })[] {
  return oracles
    .splice(0)
    .flatMap(({ program, oracle }) => oracle.violations.map((violation) => ({ program, ...violation })));
}
