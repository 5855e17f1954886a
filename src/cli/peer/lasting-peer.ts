/**
 * The peer of a home for a program that goes on: `serve`, and the front end. One process runs it and offers it to the others; they attach
 * to it, and one of them runs it when that process has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Peer, Store } from '../../index.ts';
import type { AttachedPeer } from '../../local-api/attached-peer.ts';
import type { LocalApi } from '../../local-api/client.ts';
import type { RunBy } from '../../local-api/schemas.ts';
import { failureFrom } from '../../wire/murmure-error.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import type { CommandContext, DirectoryAccess } from '../context.ts';
import { ContradictingOptionError, HomeInUseError } from '../errors.ts';
import { type Identity, openStore } from '../home/open-home.ts';
import { beginPublishing, keepStanding, whyRefused } from '../home/publishing.ts';
import { requireWholeHistory } from '../home/restored-home.ts';
import { lockHome, lockStandby } from '../home/serve-lock.ts';
import { keepPort, preferredPorts } from '../home/udp-port.ts';
import { noProgress } from '../output/progress.ts';
import { ChangingPeer } from './changing-peer.ts';
import { journalOption } from './journal-option.ts';
import { notifyArrivals } from './notify-arrivals.ts';
import { offerToOthers } from './offer-to-others.ts';
import { offlineWishes } from './offline-wishes.ts';
import { reachRunningPeer, requireNoQuota, requireSameTerms } from './running-peer.ts';

export interface LastingPeerOptions {
  readonly runBy: RunBy;
  /** IP:PORT, where the peer was asked to listen; default: anywhere. */
  readonly udp?: readonly string[];
  /** What this process runs the peer with, when it does: first, and in the place of another. */
  readonly own: (isFirst: boolean) => Promise<OwnPeerOptions>;
}

export interface OwnPeerOptions {
  readonly identity: Identity;
  readonly access: DirectoryAccess;
  readonly udp?: readonly string[];
}

export interface LastingPeer extends AsyncDisposable {
  readonly peer: ChangingPeer;
  readonly store: Store;
  /** Where another process runs the peer: which one, and since when. */
  readonly attached: AttachedPeer | undefined;
  readonly directoryUrl: string;
  /** Rejects if another process took the place that only one may have. */
  readonly failed: Promise<never>;
  /** Calls back whenever another process, or this one, runs the peer from now on. */
  onChange(listener: () => void): void;
}

/** Who runs the peer for a while. */
interface Turn extends AsyncDisposable {
  readonly peer: Peer | AttachedPeer;
  readonly attached: AttachedPeer | undefined;
  readonly directoryUrl: string;
}

const LOOK_EVERY_MS = 100;
/** What a process may take from its lock to its local API, or from the end of that to the end of the lock. */
const BETWEEN_MS = 3_000;
/** As long as nobody runs the peer, and this process cannot, or not yet. */
const AGAIN_AFTER_MS = 1_000;
/** A front end leaves so many of these to a `serve` that is started again, by a service manager after a crash or an upgrade. */
const LEFT_TO_SERVE = 10;

/** @throws HomeInUseError, ContradictingOptionError, and whatever keeps a peer from being run */
export async function openLastingPeer(context: CommandContext, options: LastingPeerOptions): Promise<LastingPeer> {
  await using resources = new AsyncDisposableStack();
  const { home } = context.settings;
  const { name, store } = await openStore(home);
  resources.use(store);
  let turn = await begin(context, options, store, true);
  const closing = new AbortController();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const peer = new ChangingPeer(turn.peer, offlineWishes({ home, name, store }));
  const warn = (text: string) => peer.warn(text);
  resources.use(notifyArrivals(context, { peer, store, warn, isOurs: () => turn.attached === undefined }));
  const listeners = new Set<() => void>();
  const takeTurns = async () => {
    while (turn.attached !== undefined) {
      await Promise.race([turn.attached.whenEnded(), aborted(closing.signal)]);
      if (closing.signal.aborted) return;
      await turn[Symbol.asyncDispose]();
      turn = await nextTurn(context, options, store, peer, closing.signal);
      peer.use(turn.peer);
      for (const listener of listeners) listener();
    }
  };
  const turns = takeTurns().catch(fail);
  resources.defer(async () => {
    closing.abort();
    await turns;
    await turn[Symbol.asyncDispose]();
  });
  const kept = resources.move();
  return {
    peer,
    store,
    failed,
    get attached() {
      return turn.attached;
    },
    get directoryUrl() {
      return turn.directoryUrl;
    },
    onChange: (listener) => void listeners.add(listener),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Tries as often as it takes: what keeps this process from running the peer is said once. Rejects where only one process may wait. */
async function nextTurn(
  context: CommandContext,
  options: LastingPeerOptions,
  store: Store,
  peer: ChangingPeer,
  closing: AbortSignal,
): Promise<Turn> {
  let said = '';
  for (let tries = 0; ; tries += 1) {
    if (tries > 0) await pause(AGAIN_AFTER_MS, undefined, { signal: closing });
    try {
      if (options.runBy === 'serve' || tries >= LEFT_TO_SERVE) return await begin(context, options, store, false);
      const api = await reachRunningPeer(context, { progress: noProgress });
      if (api !== undefined) return await attachedTurn(context, options, api, false);
    } catch (error) {
      if (closing.aborted || (error instanceof HomeInUseError && options.runBy === 'serve')) throw error;
      const { message } = failureFrom(error);
      if (message !== said) peer.warn(message);
      said = message;
    }
  }
}

/** Attaches to the peer that runs, or runs it. Of two processes that begin at once, one waits for the other's local API. */
async function begin(
  context: CommandContext,
  options: LastingPeerOptions,
  store: Store,
  isFirst: boolean,
): Promise<Turn> {
  const { home } = context.settings;
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const api = await reachRunningPeer(context, {
      mayDiffer: options.runBy === 'serve',
      // The front end has the screen.
      ...(!isFirst && { progress: noProgress }),
    });
    if (api !== undefined) return attachedTurn(context, options, api, isFirst);
    let lock: Disposable;
    try {
      lock = lockHome(home);
    } catch (error) {
      if (!(error instanceof HomeInUseError) || waitedMs >= BETWEEN_MS) throw error;
      await pause(LOOK_EVERY_MS, undefined, { signal: context.signal });
      continue;
    }
    return ownTurn(context, options, store, lock, isFirst);
  }
}

async function attachedTurn(
  { settings }: CommandContext,
  { runBy, udp }: LastingPeerOptions,
  api: LocalApi,
  isFirst: boolean,
): Promise<Turn> {
  const { attach } = await import('../../local-api/attached-peer.ts');
  await using resources = new AsyncDisposableStack();
  resources.defer(() => api.close());
  if (runBy !== 'serve') requireNoQuota(settings, api.process);
  const { home } = settings;
  const attached = resources.use(await attach(api));
  if (runBy === 'serve') {
    if (attached.status.runBy === 'serve') throw new HomeInUseError(home.folder, api.process);
    if (isFirst) await requireSameTerms(settings, api.process, () => attached.status.directoryUrl);
    if (isFirst) requireListening(attached, udp ?? [], home.folder);
    resources.use(lockStandby(home));
  }
  const { directoryUrl } = attached.status;
  const kept = resources.move();
  return { peer: attached, attached, directoryUrl, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** @throws ContradictingOptionError unless the running peer listens at each of these addresses; port 0 stands for any */
function requireListening({ status }: AttachedPeer, wanted: readonly string[], folder: string): void {
  const here = status.addresses.map(formatAddress);
  const isThere = (address: string) => here.some((own) => own === address || address === own.replace(/:\d+$/, ':0'));
  if (!wanted.every(isThere)) throw new ContradictingOptionError('--udp', folder, status.process, here.join(', '));
}

async function ownTurn(
  context: CommandContext,
  { runBy, own }: LastingPeerOptions,
  store: Store,
  lock: Disposable,
  isFirst: boolean,
): Promise<Turn> {
  const { home } = context.settings;
  await using resources = new AsyncDisposableStack();
  resources.use(lock);
  const { identity, access, udp } = await own(isFirst);
  // Whoever knows a later tree is asked again as soon as there is a session; until then this goes on reading.
  if (whyRefused(home, store) === undefined) await requireWholeHistory(context, identity);
  const guard = await beginPublishing(home, store, context.nowMs());
  const options = {
    ...{ ...identity, store, ...access, ...(udp && { udp }) },
    ...{ explain: true, ...guard, quota: context.settings.quota, preferredPorts: preferredPorts(home) },
    ...(await journalOption(context)),
  };
  const peer = resources.use(await context.services.createPeer(options));
  keepStanding(context, peer);
  await keepPort(home, peer);
  resources.use(await offerToOthers(context, peer, { runBy, directoryUrl: access.directory }));
  const kept = resources.move();
  const { directory: directoryUrl } = access;
  return { peer, attached: undefined, directoryUrl, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
