/** What the figures say of a directory's capacity: the table of docs/operating.md, and what many more peers would need. */
import { timing } from '../../../machines/timing.ts';
import type { Figure } from '../../support/congestion/plot.ts';
import type { Figures, LoadFigures } from './load.ts';

export interface Measured extends LoadFigures {
  readonly setup: 'SQLite' | 'Redis, one instance' | 'Redis, three instances';
  readonly names: number;
  /** Memory of the engine. */
  readonly engineBytes: number | undefined;
}

type Kind = 'register' | 'prove' | 'renew' | 'lookUp' | 'root' | 'changes';

const KINDS: Readonly<Record<Kind, string>> = {
  register: 'registrations',
  prove: 'first Hellos, address proven',
  renew: 'renewing Hellos, address proven',
  lookUp: 'look-ups of a name',
  root: 'RootRequests',
  changes: 'requests for changes',
};
/** Whom a peer follows, on average. */
export const FOLLOWED = 20;
const HOUR_S = 3_600;
const HOUR_MS = 1_000 * HOUR_S;
const START = '<!-- npm run bench -- --directory writes from here -->';
const END = '<!-- to here -->';

/** Markdown. */
export function capacity(measured: readonly Measured[]): string {
  const isComparing = new Set(measured.map(({ names }) => names)).size > 1;
  const parts = [operations(measured), lists(measured), ...(isComparing ? [flatness(measured), needs(measured)] : [])];
  return parts.join('\n\n');
}

/** The page with this table in its place. */
export function withCapacity(page: string, table: string): string {
  const [before, after] = [page.indexOf(START), page.indexOf(END)];
  return `${page.slice(0, before + START.length)}\n\n${table}\n\n${page.slice(after)}`;
}

function operations(measured: readonly Measured[]): string {
  const rows = measured.map((one) => [
    one.setup,
    thousands(one.names),
    ...(Object.keys(KINDS) as Kind[]).map((kind) => operation(one[kind])),
  ]);
  return table(['registry', 'peers', ...Object.values(KINDS)], rows);
}

function operation({ perSecond, latencyMs, microseconds }: Figures): string {
  return `${thousands(perSecond)} / ${latencyMs.toFixed(0)} ms / ${microseconds.toFixed(0)} µs`;
}

function lists(measured: readonly Measured[]): string {
  const rows = measured.map(({ setup, names, list, textList, memory, engineBytes }) => [
    setup,
    thousands(names),
    `${list.seconds.toFixed(2)} s, ${megabytes(list.bytes)}`,
    `${textList.seconds.toFixed(2)} s, ${megabytes(textList.bytes)}`,
    `${Math.max(list.blockedMs, textList.blockedMs).toFixed(0)} ms`,
    `${megabytes(memory.now)}, at most ${megabytes(memory.peak)}`,
    engineBytes === undefined ? '–' : megabytes(engineBytes),
  ]);
  const heads = [
    'the list as JSON, compressed',
    'as text',
    'blocks others for at most',
    'memory of an instance',
    'of the engine',
  ];
  return table(['registry', 'peers', ...heads], rows);
}

/** The processor time of an operation with the most peers, as a multiple of that with the fewest. */
function flatness(measured: readonly Measured[]): string {
  const setups = [...Map.groupBy(measured, ({ setup }) => setup)];
  const rows = setups.map(([setup, sizes]) => [
    setup,
    ...(Object.keys(KINDS) as Kind[]).map((kind) => {
      const [first, last] = [sizes[0], sizes.at(-1)].map((one) => one?.[kind].microseconds ?? Number.NaN);
      return `× ${((last as number) / (first as number)).toFixed(2)}`;
    }),
    `${thousands(bytesPerPeer(sizes))} bytes`,
  ]);
  const [fewest, most] = [measured[0], measured.at(-1)].map((one) => thousands(one?.names ?? Number.NaN));
  return table([`processor time, from ${fewest} to ${most} peers`, ...Object.values(KINDS), 'memory per peer'], rows);
}

function bytesPerPeer(sizes: readonly Measured[]): number {
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return (last.memory.now - first.memory.now) / (last.names - first.names);
}

/** What a peer asks of its directories, an hour. */
export const PER_HOUR = {
  renewals: HOUR_MS / timing.registrationRenewal,
  roots: HOUR_MS / timing.directoryCheck,
  /** Of a third of them. */
  keepAlives: HOUR_MS / timing.keepAliveInterval / 3,
  /** With every sweep: of those who follow somebody. */
  changes: HOUR_MS / timing.sweepInterval,
};

/** Seconds of a processor that a peer costs in an hour; without its requests for changes. */
function cpuPerHour({ register, renew, root, keepAlive }: LoadFigures): number {
  const { renewals, roots, keepAlives } = PER_HOUR;
  return (
    (renewals * (register.microseconds + renew.microseconds) +
      roots * root.microseconds +
      keepAlives * keepAlive.microseconds) /
    1e6
  );
}

function needs(measured: readonly Measured[]): string {
  const shared = measured.filter(({ setup }) => setup === 'Redis, one instance');
  const last = shared.at(-1);
  if (last === undefined) return '';
  const rows = [1e5, 1e6, 1e8].map((peers) => {
    const cores = (peers * cpuPerHour(last)) / HOUR_S;
    const asking = (peers * PER_HOUR.changes * last.changes.microseconds) / 1e6 / HOUR_S;
    // Everybody is told when somebody whom it follows has renewed.
    const toldBytes =
      (peers * (PER_HOUR.changes * last.quietBytes + FOLLOWED * PER_HOUR.renewals * last.peerBytes)) / HOUR_S;
    const renewals = (peers * PER_HOUR.renewals) / HOUR_S;
    const engineBytesPerPeer = (last.engineBytes ?? Number.NaN) / last.names;
    return [
      thousands(peers),
      rounded(cores),
      rounded(asking),
      `${megabytes(toldBytes)}/s`,
      thousands(renewals),
      megabytes(peers * bytesPerPeer(shared)),
      megabytes(peers * last.connectionBytes),
      megabytes(peers * engineBytesPerPeer),
    ];
  });
  const heads = [
    'peers',
    'cores for renewals, RootRequests and keep-alives',
    'cores for requests for changes',
    'answers to requests for changes',
    'writes a second to the engine',
    'memory of each instance',
    'of all instances, for connections that stay open',
    'memory of the engine',
  ];
  return table(heads, rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function thousands(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** To two digits. */
function rounded(value: number): string {
  return value < 100 ? value.toPrecision(2) : thousands(Number(value.toPrecision(2)));
}

function megabytes(bytes: number): string {
  return bytes < 10e9 ? `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB` : `${thousands(bytes / 1e9)} GB`;
}

/** Processor time by the number of peers. */
export function figureOf(measured: readonly Measured[]): Figure {
  const one = measured.filter(({ setup }) => setup === 'Redis, one instance');
  const toY = Math.max(
    ...one.flatMap((figures) => (Object.keys(KINDS) as Kind[]).map((kind) => figures[kind].microseconds)),
  );
  const step = 10 ** Math.floor(Math.log10(toY));
  const setups = [...Map.groupBy(measured, ({ setup }) => setup)];
  return {
    title: 'Processor time that a peer’s renewal costs directories and engine',
    xLabel: 'peers that are registered',
    yLabel: 'microseconds',
    kind: 'lines',
    xTicks: one.map(({ names }) => ({ x: Math.log10(names), label: thousands(names) })),
    yTicks: Array.from({ length: Math.ceil(toY / step) + 1 }, (_, i) => ({ y: i * step, label: `${i * step}` })),
    series: setups.map(([name, sizes]) => ({
      name,
      points: sizes.map(({ names, renew }) => ({ x: Math.log10(names), y: renew.microseconds })),
    })),
  };
}
