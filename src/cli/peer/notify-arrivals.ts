/** Tells the person of replies and mentions that arrive, by the command they have chosen: where they have, and while this process runs the peer. */
import { toMessage } from '../../feed/message.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { systemClock } from '../../runtime/clock.ts';
import { notificationKind } from '../../store/notifications.ts';
import type { Store } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import { Notifier, type RunProgram } from './notifier.ts';

export interface NotifiedPeer {
  readonly peer: Pick<HomePeer, 'name' | 'on'>;
  readonly store: Pick<Store, 'message' | 'marks' | 'peers'>;
  readonly warn: (text: string) => void;
  /** False while another process runs the peer, and tells. */
  readonly isOurs: () => boolean;
  readonly run?: RunProgram;
}

/** Disposing of it ends that; undefined where no command is chosen. */
export function notifyArrivals(
  { settings, nowMs }: Pick<CommandContext, 'settings' | 'nowMs'>,
  { peer, store, warn, isOurs, run }: NotifiedPeer,
): Disposable | undefined {
  const { notify: command } = settings;
  if (command === undefined) return undefined;
  const notifier = new Notifier({ command, clock: systemClock, warn, ...(run && { run }) });
  const stopListening = peer.on('messages.received', ({ hashes }) => {
    if (!isOurs()) return;
    const atMs = nowMs();
    for (const hash of hashes) {
      const message = store.message(hash);
      if (message === undefined || message.read) continue;
      const kind = notificationKind(message, store, { ownName: peer.name, nowMs: atMs });
      if (kind !== undefined) notifier.add({ kind, message: toMessage(message, atMs) });
    }
  });
  return {
    [Symbol.dispose]: () => {
      stopListening();
      notifier[Symbol.dispose]();
    },
  };
}
