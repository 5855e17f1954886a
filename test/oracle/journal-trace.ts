/** What a journal's program heard and said: its replay says it again. */
import type { Journal } from '../../src/journal/format.ts';
import { replay } from '../../src/journal/replay.ts';
import type { Arrival } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { Oracle, type Violation } from './oracle.ts';

interface Sending {
  readonly datagrams: readonly Uint8Array[];
  readonly to: SocketAddress;
}

export async function violationsIn(
  journal: Journal,
): Promise<{ readonly said: number; readonly violations: readonly Violation[] }> {
  const oracle = new Oracle();
  let said = 0;
  await replay(journal, {
    inspect: (inspected, atMs) => {
      if (inspected.type === '@xstate.event' && inspected.event.type === 'datagrams.received') {
        const { arrivals } = inspected.event as unknown as { readonly arrivals: readonly Arrival[] };
        for (const { bytes, from } of arrivals) oracle.heard(bytes, from, atMs);
      }
      if (inspected.type === '@xstate.action' && inspected.action.type === 'transmit') {
        const { datagrams, to } = inspected.action.params as Sending;
        for (const bytes of datagrams) oracle.said(bytes, to, atMs);
        said += datagrams.length;
      }
    },
  });
  return { said, violations: oracle.violations };
}
