/** Tells the person of replies and mentions that arrive, by the command they have chosen: where they have, and while this process runs the peer. */
import { toMessage } from '../../feed/message.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { systemClock } from '../../runtime/clock.ts';
import { notificationKind } from '../../store/notifications.ts';
import type { Store } from '../../store/store.ts';
import type { Hash } from '../../wire/hash.ts';
import type { CommandContext } from '../context.ts';
import { readConfigFile } from '../settings/config-file.ts';
import { type News, Notifier, type RunProgram, tellNews } from './notifier.ts';

export interface NotifiedPeer {
  readonly peer: Pick<HomePeer, 'name' | 'on'>;
  readonly store: Pick<Store, 'message' | 'marks' | 'peers'>;
  readonly warn: (text: string) => void;
  /** False while another process runs the peer, and tells. */
  readonly isOurs: () => boolean;
  readonly run?: RunProgram;
}

/** Disposing of it ends that. The settings file is read each time: what is chosen while the peer runs counts at once. */
export function notifyArrivals(
  { settings, nowMs }: Pick<CommandContext, 'settings' | 'nowMs'>,
  { peer, store, warn, isOurs, run }: NotifiedPeer,
): Disposable {
  const notifier = new Notifier({ clock: systemClock, warn, ...(run && { run }) });
  let isOver = false;
  let said = '';
  const tell = async (news: readonly News[]) => {
    try {
      const { config } = await readConfigFile(settings.home.configFile);
      const command = config.notify;
      if (isOver || command === undefined) return;
      for (const one of news) notifier.add(one, command);
    } catch (error) {
      const why = `nobody is notified: ${(error as Error).message}`;
      if (why !== said) warn(why);
      said = why;
    }
  };
  const stopListening = peer.on('messages.received', ({ hashes }) => {
    if (!isOurs()) return;
    const news = [...newsAmong(hashes, { peer, store }, nowMs())];
    if (news.length > 0) void tell(news);
  });
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      stopListening();
      notifier[Symbol.dispose]();
    },
  };
}

/** For a peer that runs only for one command: it is notified of everything once, in a summary at the end. Undefined if no command is set. */
export function notifyAtEnd(
  { settings, output, nowMs, signal }: Pick<CommandContext, 'settings' | 'output' | 'nowMs' | 'signal'>,
  { peer, store, run }: Pick<NotifiedPeer, 'peer' | 'store' | 'run'>,
): AsyncDisposable | undefined {
  const { notify: command } = settings;
  if (command === undefined) return undefined;
  /** BOUNDED by MOST_REMEMBERED; the rest is counted. */
  const told: News[] = [];
  let count = 0;
  const stopListening = peer.on('messages.received', ({ hashes }) => {
    for (const news of newsAmong(hashes, { peer, store }, nowMs())) {
      count += 1;
      if (told.length < MOST_REMEMBERED) told.push(news);
    }
  });
  return {
    [Symbol.asyncDispose]: async () => {
      stopListening();
      if (count === 0 || signal.aborted) return;
      const why = await tellNews(told, count, { command, signal, ...(run && { run }) });
      if (why !== undefined && !signal.aborted) output.warn(why);
    },
  };
}

/** How many items a summary names. */
const MOST_REMEMBERED = 100;

function* newsAmong(
  hashes: readonly Hash[],
  { peer, store }: Pick<NotifiedPeer, 'peer' | 'store'>,
  atMs: number,
): Generator<News> {
  for (const hash of hashes) {
    const message = store.message(hash);
    if (message === undefined || message.read) continue;
    const kind = notificationKind(message, store, { ownName: peer.name, nowMs: atMs });
    if (kind !== undefined) yield { kind, message: toMessage(message, atMs) };
  }
}
