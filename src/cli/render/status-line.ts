/** Where things stand, on one line: what matters least is left out first where there is no room. */
import width from 'fast-string-width';
import { safeLine } from '../../feed/safe-text.ts';
import type { Paint } from '../output/output.ts';
import { counted } from './text.ts';
import { truncate } from './wrap.ts';

export interface Status {
  readonly directory: {
    /** `gone`: the process that runs the peer has ended. */
    readonly status: 'connecting' | 'connected' | 'unreachable' | 'unlisted' | 'gone';
    /** HOST:PORT, `''` if there is none to name. */
    readonly name: string;
  };
  /** Nothing is published from here any more. */
  readonly isStopped?: boolean;
  /** What arrives cannot be stored. */
  readonly cannotKeep?: boolean;
  /** Peers that have another key now. */
  readonly changedKeys?: number;
  /** A followed peer that cannot be reached now, when it was last heard, if ever, and how many more there are. */
  readonly unreachable?: { readonly name: string; readonly heard?: string; readonly others: number } | undefined;
  /** Somebody who reads from here and cannot be reached, and how many more there are. */
  readonly unreachedReader?: { readonly name: string; readonly others: number } | undefined;
  readonly sessions: number;
  readonly downloads: readonly {
    readonly peer: string;
    readonly nodesFetched: number;
    readonly nodesKnown: number;
    /** Nodes a second. */
    readonly rate: number;
  }[];
  readonly unread: number;
  /** There are more than were counted. */
  readonly isMoreUnread?: boolean;
  /** Replies and mentions that are new in their list. */
  readonly notifications: number;
  readonly drafts: number;
}

interface Part {
  readonly text: string;
  /** The smallest goes first. */
  readonly weight: number;
  /** The short form, for a narrow terminal. */
  readonly short?: string;
}

const SEPARATOR = ' · ';

export function renderStatusLine(status: Status, columns: number, paint: Paint): string {
  const parts = partsOf(status, paint);
  while (parts.length > 1 && lengthOf(parts) > columns) {
    const least = parts.reduce((lightest, part) => (part.weight < lightest.weight ? part : lightest));
    // However small the terminal, it shows whether the directory answers.
    parts.splice(parts.indexOf(least), 1, ...(least.short === undefined ? [] : [{ weight: 10, text: least.short }]));
  }
  return truncate(parts.map(({ text }) => text).join(paint('dim', SEPARATOR)), columns);
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { text }) => sum + width(text), SEPARATOR.length * (parts.length - 1));
}

function partsOf(
  {
    directory,
    isStopped,
    cannotKeep,
    changedKeys = 0,
    unreachable,
    unreachedReader,
    sessions,
    downloads,
    unread,
    isMoreUnread,
    notifications,
    drafts,
  }: Status,
  paint: Paint,
): Part[] {
  const [first, ...others] = downloads;
  const parts: (Part | undefined)[] = [
    { weight: 6, text: directoryText(directory, paint), short: directorySign(directory, paint) },
    isStopped ? { weight: 9, text: paint('red', '✗ not publishing (press e to see why)') } : undefined,
    cannotKeep ? { weight: 8.5, text: paint('red', '✗ cannot store what arrives (press e to see why)') } : undefined,
    changedKeys === 0
      ? undefined
      : { weight: 4, text: paint('yellow', `${counted(changedKeys, 'changed key')} (press w)`) },
    unreachable && { weight: 4.5, text: paint('yellow', unreachableText(unreachable)) },
    unreachedReader && { weight: 4.2, text: paint('yellow', unreachedReaderText(unreachedReader)) },
    sessions === 0 ? undefined : { weight: 1, text: counted(sessions, 'session') },
    first && { weight: 5, text: downloadText(first) },
    others.length === 0 ? undefined : { weight: 2, text: `${others.length} more downloads` },
    unread === 0
      ? undefined
      : { weight: 8, text: paint(['bold', 'cyan'], `${number(unread)}${isMoreUnread ? '+' : ''} unread`) },
    notifications === 0 ? undefined : { weight: 7, text: paint('bold', `@ ${counted(notifications, 'notification')}`) },
    drafts === 0 ? undefined : { weight: 3, text: counted(drafts, 'draft') },
  ];
  return parts.filter((part) => part !== undefined);
}

function directorySign({ status }: Status['directory'], paint: Paint): string {
  if (status === 'connected') return paint('green', '✓');
  return status === 'connecting' ? paint('dim', '…') : paint(status === 'gone' ? 'red' : 'yellow', '✗');
}

function directoryText({ status, name }: Status['directory'], paint: Paint): string {
  const named = name === '' ? 'directory' : safeLine(name);
  if (status === 'gone') return paint('red', '✗ the peer has ended');
  if (status === 'connected') return `${paint('green', '✓')} ${named}`;
  if (status === 'connecting') return paint('dim', `… ${named}`);
  const what = status === 'unlisted' ? `not listed at ${named} (press e to see why)` : `${named} unreachable`;
  return paint('yellow', `✗ ${what}`);
}

function unreachableText({ name, heard, others }: NonNullable<Status['unreachable']>): string {
  const last = heard === undefined ? '' : ` (last heard ${heard})`;
  return `${namedWith(name, others)} cannot be reached${last}`;
}

function unreachedReaderText({ name, others }: NonNullable<Status['unreachedReader']>): string {
  return `your ${others === 0 ? 'reader' : 'readers'} ${namedWith(name, others)} cannot be reached`;
}

function namedWith(name: string, others: number): string {
  return `${safeLine(name, 20)}${others === 0 ? '' : ` and ${number(others)} more`}`;
}

function downloadText({ peer, nodesFetched, nodesKnown, rate }: Status['downloads'][number]): string {
  const speed = rate === 0 ? '' : `${SEPARATOR}${rate < 1_000 ? Math.round(rate) : `${(rate / 1_000).toFixed(1)}k`}/s`;
  return `${safeLine(peer, 20)} ${number(nodesFetched)}/${number(nodesKnown)} nodes${speed}`;
}

const number = (value: number) => value.toLocaleString('en');
