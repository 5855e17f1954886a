/** `murmure status`: where the peer that runs on this home stands. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { LocalStatus } from '../../local-api/schemas.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { NotServingError } from '../errors.ts';
import { requireName } from '../home/home.ts';
import type { Paint } from '../output/output.ts';
import { reachRunningPeer } from '../peer/running-peer.ts';
import { columns, span } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('status')
    .summary('show the state of the running peer')
    .description(
      'Shows the peer that runs on this home, in "murmure serve" or in the front end: how it is listed, when its directory last answered, its sessions, and when each peer you follow was last asked.',
    )
    .addHelpText('after', examples('status', 'status --json'))
    .action(() => run(status));
}

async function status(context: CommandContext): Promise<void> {
  const { settings, signal, output, nowMs } = context;
  await requireName(settings.home);
  const api = await reachRunningPeer(context);
  if (api === undefined) throw new NotServingError(settings.home.folder);
  try {
    const found = await abortable(api.status(), signal);
    output.data(statusLine(found, nowMs()), (paint) => render(found, nowMs(), paint));
  } finally {
    await api.close();
  }
}

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

function statusLine(found: LocalStatus, nowMs: number) {
  const { name, version, process, runBy, startedMs, addresses, root, directory, directoryUrl, retirement } = found;
  return {
    name,
    version,
    runBy,
    process,
    startedAt: iso(startedMs),
    uptimeMs: Math.max(0, nowMs - startedMs),
    root,
    udp: addresses,
    listed: directory.listed,
    directory: {
      url: directoryUrl,
      status: directory.status,
      lastAnswer: iso(directory.answeredMs),
      error: directory.failure,
    },
    sessions: sessionsByPeer(found),
    following: found.following.map(({ peer, state, lastSyncMs, nextPollMs, failure }) => {
      return { peer, state, lastSync: iso(lastSyncMs), nextPoll: iso(nextPollMs), error: failure };
    }),
    readers: found.readers,
    publishing: retirement === null,
    error: retirement,
  };
}

type Address = LocalStatus['addresses'][number];
interface PeerSessions {
  readonly peer: string;
  readonly isDirectory: boolean;
  /** Where we ask it. */
  readonly outgoing: Address[];
  /** Whence it asks us. */
  readonly incoming: Address[];
}

/** Those without a name come last. */
function sessionsByPeer({ sessions }: LocalStatus): PeerSessions[] {
  const found = new Map<string, PeerSessions>();
  for (const { peer, isDirectory, direction, address } of sessions) {
    const key = `${isDirectory} ${peer}`;
    const entry = found.get(key) ?? { peer, isDirectory, outgoing: [], incoming: [] };
    found.set(key, entry);
    entry[direction].push(address);
  }
  const rank = ({ peer }: PeerSessions) => (peer === '' ? 1 : 0);
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || (a.peer < b.peer ? -1 : 1));
}

function render(found: LocalStatus, nowMs: number, paint: Paint): string {
  const { name, version, process, runBy, startedMs, directory, directoryUrl, retirement, following } = found;
  const label = (text: string) => paint('dim', text.padEnd(11));
  const list = (addresses: readonly Address[]) => addresses.map(formatAddress).join(', ');
  const sessions = sessionsByPeer(found).map(({ peer, isDirectory, outgoing, incoming }) => [
    safeLine(peer) || (isDirectory ? 'the directory' : 'somebody'),
    outgoing.length === 0 ? '' : `we ask at ${list(outgoing)}`,
    incoming.length === 0 ? '' : `asks from ${list(incoming)}`,
  ]);
  const followed = following.map(({ peer, state, lastSyncMs, nextPollMs, failure }) => [
    safeLine(peer),
    state === 'silent' ? paint('yellow', failure?.code === 'authentication' ? 'is refused' : 'does not answer') : state,
    lastSyncMs === null ? 'never synced' : `synced ${span(nowMs - lastSyncMs)} ago`,
    nextPollMs === null ? '' : `asked again in ${span(nextPollMs - nowMs)}`,
    failure === null ? '' : safeLine(failure.message),
  ]);
  const table = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length === 0
      ? []
      : [
          '',
          paint('bold', title),
          columns(
            rows.map((row) => [...row]),
            (cell) => cell,
          ),
        ];
  const readers = found.readers.map(({ peer, state }) => [
    safeLine(peer),
    state === 'silent' ? paint('yellow', 'does not answer: what you publish cannot be pushed to it') : 'reads from you',
  ]);
  const runner = runBy === 'serve' ? 'murmure serve' : 'the front end';
  return [
    `${paint('bold', safeLine(name))}: ${runner} ${version}, process ${process}, running for ${span(nowMs - startedMs)}`,
    `${label('listens at')}${list(found.addresses)}`,
    `${label('listed at')}${listedText(directory)}`,
    `${label('directory')}${safeLine(directoryUrl)} ${directoryText(directory, nowMs)}`,
    ...(retirement === null ? [] : [paint('yellow', `publishes nothing: ${safeLine(retirement.message)}`)]),
    ...table('sessions', sessions),
    ...table('following', followed),
    ...table('readers of the last day', readers),
  ].join('\n');
}

function listedText({ status: state, listed }: LocalStatus['directory']): string {
  if (listed.length === 0) return 'not listed';
  const at = listed.map(formatAddress).join(', ');
  return state === 'connected' ? at : `${at}, when the directory answered last`;
}

const STATES = { connecting: 'connecting', unreachable: 'unreachable', unlisted: 'does not list you' };

function directoryText({ status: state, answeredMs, failure }: LocalStatus['directory'], nowMs: number): string {
  const answered = answeredMs === null ? 'has not answered yet' : `last answered ${span(nowMs - answeredMs)} ago`;
  const why = failure === null ? '' : `: ${safeLine(failure.message)}`;
  return `${answered}${state === 'connected' ? '' : ` (${STATES[state]})`}${why}`;
}
