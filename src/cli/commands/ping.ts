/** `murmure ping`: how far away a peer is, and by which way it is reached. */

import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { LocalApi } from '../../local-api/client.ts';
import { observeNetwork, type RoundTrip } from '../../runtime/network-observer.ts';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { formatAddress, type SocketAddress } from '../../wire/socket-address.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { UsageError } from '../errors.ts';
import { requireName } from '../home/home.ts';
import { openIdentity, openStore } from '../home/open-home.ts';
import { keepStanding } from '../home/publishing.ts';
import { requireAskableName, requireCount } from '../input/validate.ts';
import type { Paint } from '../output/output.ts';
import { journalOption } from '../peer/journal-option.ts';
import { oneShotOptions, tellWarnings } from '../peer/one-shot-peer.ts';
import { findRunningPeer } from '../peer/running-peer.ts';
import { tellWaiting } from '../peer/tell-waiting.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('ping')
    .summary("measure a peer's response time")
    .description('Measures how long a peer takes to answer, and shows how it is reached. Downloads nothing.')
    .argument('<peer>', 'whom to ask')
    .option('--count <n>', 'how many times to ask (default: 4)')
    .addHelpText('after', examples('ping alice', 'ping alice --count 1 --json'))
    .action((name: string, options: PingOptions) => run((context) => ping(context, name, options)));
}

export interface PingOptions {
  readonly count?: string;
}

const DEFAULT_COUNT = 4;
const PAUSE_MS = 300;

interface Session {
  readonly address: SocketAddress;
  readonly authenticated: boolean;
}

interface PingLine {
  readonly peer: string;
  readonly address: { readonly ip: string; readonly port: number } | null;
  /** Whether the session is one with the key that the directory and this home know. */
  readonly authenticated: boolean;
  readonly natTraversal: boolean;
  readonly sent: number;
  /** Milliseconds, one for each answer to a request that was sent once. */
  readonly roundTripsMs: readonly number[];
  readonly minMs: number | null;
  readonly averageMs: number | null;
  readonly maxMs: number | null;
}

/** A round is what a sync begins with: the question for the root. Nothing is downloaded. */
export async function ping(context: CommandContext, name: string, options: PingOptions): Promise<void> {
  requireAskableName(name);
  const count = options.count === undefined ? DEFAULT_COUNT : requireCount('--count', options.count);
  if (name === (await requireName(context.settings.home))) {
    throw new UsageError(`"${name}" is yourself: name another peer`);
  }
  const running = await findRunningPeer(context);
  const line = await (running === undefined
    ? pingByOneself(context, name, count)
    : pingThrough(context, running, name, count));
  context.output.data(line, (paint) => render(line, paint));
}

/** Over the session of the peer that runs on this home: another peer of the same name would take the others' sessions away from it. */
async function pingThrough(context: CommandContext, api: LocalApi, name: string, count: number): Promise<PingLine> {
  const { signal } = context;
  const { attach } = await import('../../local-api/attached-peer.ts');
  await using _api = { [Symbol.asyncDispose]: () => api.close() };
  await using peer = await abortable(attach(api), signal);
  const roundTrips: RoundTrip[] = [];
  let session: Session | undefined;
  let isTraversed = false;
  for (let round = 0; round < count; round++) {
    if (round > 0) await abortable(setTimeout(PAUSE_MS), signal);
    const asked = abortable(peer.ping(name, { signal }), signal);
    const { address, authenticated, natTraversal, roundTripMs, failure } = await tellWaiting(
      context,
      peer,
      name,
      asked,
    );
    if (failure !== undefined) throw new MurmureError(failure.code, `${name}: ${failure.message}`);
    if (address === null) continue;
    session = { address, authenticated };
    isTraversed ||= natTraversal;
    if (roundTripMs !== null) roundTrips.push({ from: address, ms: roundTripMs });
  }
  return summarise(name, session, isTraversed, count, roundTrips);
}

async function pingByOneself(context: CommandContext, name: string, count: number): Promise<PingLine> {
  const access = await requireDirectory(context);
  const identity = await openIdentity(context);
  using home = (await openStore(context.settings.home)).store;
  const observed = observeNetwork(createUdpNetwork());
  await using peer = await context.services.createPeer({
    ...identity,
    ...access,
    store: withoutDownloads(home),
    ...oneShotOptions(context, home),
    environment: { network: observed.network },
    ...(await journalOption(context)),
  });

  tellWarnings(context, peer);
  keepStanding(context, peer);
  let session: Session | undefined;
  peer.on('session.opened', (fact) => {
    if (fact.direction === 'outgoing' && fact.name === name) session = fact;
  });
  for (let round = 0; round < count; round++) {
    if (round > 0) await abortable(setTimeout(PAUSE_MS), context.signal);
    const asked = abortable(peer.sync(name, { signal: context.signal }), context.signal);
    const { error } = await tellWaiting(context, peer, name, asked);
    if (error !== undefined) throw new MurmureError(error.code, `${name}: ${error.message}`);
  }

  return summarise(name, session, observed.traversed, count, observed.roundTrips);
}

function summarise(
  peer: string,
  session: Session | undefined,
  natTraversal: boolean,
  sent: number,
  roundTrips: readonly RoundTrip[],
): PingLine {
  const times = roundTrips.map(({ ms }) => Math.round(ms * 1000) / 1000);
  const sum = times.reduce((total, ms) => total + ms, 0);
  const isEmpty = times.length === 0;
  return {
    peer,
    address: session === undefined ? null : { ip: session.address.ip, port: session.address.port },
    authenticated: session?.authenticated ?? false,
    natTraversal,
    sent,
    roundTripsMs: times,
    minMs: isEmpty ? null : Math.min(...times),
    averageMs: isEmpty ? null : Math.round((sum / times.length) * 1000) / 1000,
    maxMs: isEmpty ? null : Math.max(...times),
  };
}

const WAYS = {
  true: 'reached through its NAT, which it opened when the directory asked it to',
  false: 'reached directly',
};

function render(line: PingLine, paint: Paint): string {
  const { peer, address, authenticated, natTraversal, sent, minMs, averageMs, maxMs, roundTripsMs } = line;
  const where = address === null ? 'an unknown address' : formatAddress(address);
  const way = WAYS[String(natTraversal) as `${typeof natTraversal}`];
  const doubt = authenticated ? '' : paint('yellow', ' [not authenticated]');
  const times =
    minMs === null || averageMs === null || maxMs === null
      ? `${counted(sent, 'request')}, all of which had to be repeated: datagrams are being lost on the way`
      : `${roundTripsMs.length} of ${counted(sent, 'request')} answered without repetition: ${shown(minMs)} / ${shown(averageMs)} / ${shown(maxMs)} ms (minimum, average, maximum)`;
  return [`${paint('bold', safeLine(peer))} at ${where}, ${way}${doubt}`, times].join('\n');
}

function shown(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : 0);
}

/** The home's store as it is, but for one thing: it seems to have every node already, so that nothing is downloaded or kept. */
function withoutDownloads(store: Store): Store {
  const nothingNew: Partial<Store> = {
    beginWalk: () => false,
    endWalk: () => {},
    putNodes: () => {},
    statusOf: (hashes) => hashes.map(() => 'complete'),
    adopt: () => ({
      status: 'adopted',
      newMessages: 0,
      withdrawnMessages: 0,
      totalMessages: 0,
      added: [],
      wentBack: false,
    }),
  };
  return new Proxy(store, {
    get(target, property) {
      const replaced: unknown = Reflect.get(nothingNew, property);
      if (replaced !== undefined) return replaced;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
