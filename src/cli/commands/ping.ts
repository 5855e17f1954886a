/** `murmure ping`: how far away a peer is, and by which way it is reached. */

import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { LocalApi } from '../../local-api/client.ts';
import { observeNetwork, type RoundTrip } from '../../runtime/network-observer.ts';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../../wire/socket-address.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openIdentity, openStore } from '../home/open-home.ts';
import { keepStanding } from '../home/publishing.ts';
import { withLists } from '../input/peer-lists.ts';
import { proposalFor } from '../input/peer-names.ts';
import { requireAskableName, requireCount } from '../input/validate.ts';
import { compareSeverity } from '../output/exit-codes.ts';
import type { Paint } from '../output/output.ts';
import { journalOption } from '../peer/journal-option.ts';
import { oneShotOptions, tellWarnings } from '../peer/one-shot-peer.ts';
import { findRunningPeer } from '../peer/running-peer.ts';
import { tellWaiting } from '../peer/tell-waiting.ts';
import { counted, sentenceAbout } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('ping')
    .summary('measure how fast peers answer')
    .description(
      'Measures how long peers take to answer, and shows how each of them is reached. Downloads nothing. If some do not answer, it ends with the exit code of the worst failure.',
    )
    .argument('<peer...>', 'whom to ask; @LIST for all of a list')
    .option('--count <n>', 'how many times to ask (default: 4)')
    .addHelpText('after', examples('ping alice', 'ping alice bob --count 1 --json', 'ping @friends'))
    .action((names: string[], options: PingOptions) => run((context) => ping(context, names, options)));
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

/** Asks one peer after the other. */
interface Asking extends AsyncDisposable {
  ask(name: string, count: number): Promise<PingLine>;
}

/** A round is what a sync begins with: the question for the root. Nothing is downloaded. */
export async function ping(context: CommandContext, names: readonly string[], options: PingOptions): Promise<void> {
  const { output, settings, signal } = context;
  for (const name of names) requireAskableName(name);
  const count = options.count === undefined ? DEFAULT_COUNT : requireCount('--count', options.count);
  const { name: ownName, store: opened } = await openStore(settings.home);
  using store = opened;
  const wanted = new Set(withLists(store, names));
  if (wanted.has(ownName)) throw new UsageError(`"${ownName}" is yourself: name another peer`);
  const running = await findRunningPeer(context);
  await using asking = await (running === undefined ? askByOneself(context, store) : askThrough(context, running));
  const failures: MurmureError[] = [];
  for (const name of wanted) {
    try {
      const line = await asking.ask(name, count);
      output.data(line, (paint) => render(line, paint));
    } catch (error) {
      if (signal.aborted || !(error instanceof MurmureError)) throw error;
      failures.push(
        new MurmureError(error.code, sentenceAbout(name, `${error.message}${proposalFor(store, name, error.code)}`)),
      );
    }
  }
  failures.sort((left, right) => compareSeverity(left.code, right.code));
  const worst = failures.pop();
  for (const { message } of failures) output.fail(message);
  if (worst !== undefined) throw worst;
}

/** Over the session of the peer that runs on this home: another peer of the same name would take the others' sessions away from it. */
async function askThrough(context: CommandContext, api: LocalApi): Promise<Asking> {
  const { signal } = context;
  const { attach } = await import('../../local-api/attached-peer.ts');
  await using resources = new AsyncDisposableStack();
  resources.defer(() => api.close());
  const peer = resources.use(await abortable(attach(api), signal));
  const kept = resources.move();
  return {
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
    async ask(name, count) {
      const roundTrips: RoundTrip[] = [];
      let session: Session | undefined;
      let isTraversed = false;
      for (let round = 0; round < count; round++) {
        if (round > 0) await abortable(setTimeout(PAUSE_MS), signal);
        const asked = abortable(peer.ping(name, { signal }), signal);
        const answer = await tellWaiting(context, peer, name, asked);
        const { address, authenticated, natTraversal, roundTripMs, failure } = answer;
        if (failure !== undefined) throw new MurmureError(failure.code, failure.message);
        if (address === null) continue;
        session = { address, authenticated };
        isTraversed ||= natTraversal;
        if (roundTripMs !== null) roundTrips.push({ from: address, ms: roundTripMs });
      }
      return summarise(name, session, isTraversed, count, roundTrips);
    },
  };
}

async function askByOneself(context: CommandContext, home: Store): Promise<Asking> {
  const { services, signal } = context;
  const access = await requireDirectory(context);
  const identity = await openIdentity(context);
  const observed = observeNetwork(createUdpNetwork());
  const peer = await services.createPeer({
    ...identity,
    ...access,
    store: withoutDownloads(home),
    ...oneShotOptions(context, home),
    environment: { network: observed.network },
    ...(await journalOption(context)),
  });
  tellWarnings(context, peer);
  keepStanding(context, peer);
  /** BOUNDED by the names that are asked. */
  const sessions = new Map<string, Session>();
  peer.on('session.opened', (fact) => {
    if (fact.direction === 'outgoing') sessions.set(fact.name, fact);
  });
  return {
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
    async ask(name, count) {
      for (let round = 0; round < count; round++) {
        if (round > 0) await abortable(setTimeout(PAUSE_MS), signal);
        const { error } = await tellWaiting(context, peer, name, abortable(peer.sync(name, { signal }), signal));
        if (error !== undefined) throw new MurmureError(error.code, error.message);
      }
      const session = sessions.get(name);
      const fromThere = observed.roundTrips.filter(
        ({ from }) => session !== undefined && sameAddress(from, session.address),
      );
      const isTraversed = session !== undefined && observed.traversedTo(session.address);
      return summarise(name, session, isTraversed, count, fromThere);
    },
  };
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
