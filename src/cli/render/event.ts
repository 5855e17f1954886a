/** What happens to a running peer: as a line of JSON, and as a line for a person. */
import { safeLine, safeText } from '../../feed/safe-text.ts';
import type { PeerFact } from '../../index.ts';
import { formatAddress, type SocketAddress } from '../../wire/socket-address.ts';
import type { Paint } from '../output/output.ts';
import { renderSyncReport } from './sync-report.ts';
import { counted, shortHash } from './text.ts';

/** An Error can be as long as a datagram, and is a sentence. */
const MAX_TEXT = 400;

function shortened<T extends object>(details: T): T {
  return 'text' in details ? { ...details, text: safeText(String(details.text)).slice(0, MAX_TEXT) } : details;
}

/** `watch` prints messages; here their hashes do. */
function withoutMessages<T extends object>(details: T): Omit<T, 'messages'> {
  const { messages: _, ...others } = details as T & { messages?: unknown };
  return others;
}

/** The line `serve --json` prints: the fact, its type as `event`, and when it was noticed. A sync report is spread out. */
export function eventLine(fact: PeerFact, nowMs: number): Record<string, unknown> {
  const { type, ...details } = fact;
  const what = fact.type === 'sync.finished' ? fact.report : shortened(withoutMessages(details));
  return { event: type, at: new Date(nowMs).toISOString(), ...what };
}

/** As received: a directory has no name, and whoever was greeted by address has none yet. */
export function otherSideOf({ name, address }: { readonly name: string; readonly address?: SocketAddress }): string {
  if (name !== '') return name;
  return address === undefined ? 'the directory' : formatAddress(address);
}

/** One line, or `''` for what a person need not see: it says nothing new, or `renderWarning` says it. */
export function renderEvent(fact: PeerFact, paint: Paint): string {
  switch (fact.type) {
    case 'peer.listed':
      return `the directory lists us at ${fact.addresses.map(formatAddress).join(', ')}`;
    case 'root.published':
      return `published: the root is now ${shortHash(fact.root)}`;
    case 'session.opened': {
      const at = formatAddress(fact.address);
      const who = fact.name === '' ? at : `${paint('bold', safeLine(fact.name))} at ${at}`;
      const what =
        fact.direction === 'incoming' ? `${who} opened a session with us` : `we opened a session with ${who}`;
      return `${what}${fact.authenticated ? '' : paint('yellow', ' [not authenticated]')}`;
    }
    case 'session.failed':
      return `no session with ${paint('bold', safeLine(otherSideOf(fact)))}: ${safeLine(fact.failure.message)}`;
    case 'peer.silent':
      return `${paint('bold', safeLine(fact.name))} does not answer any more at ${formatAddress(fact.address)}: looking for it`;
    case 'peer.answers':
      return `${paint('bold', safeLine(fact.name))} answers again, at ${formatAddress(fact.address)}`;
    case 'sync.finished':
      return fact.report.status === 'unchanged'
        ? ''
        : renderSyncReport(fact.report, paint) + failure(fact.report.error);
    case 'messages.received':
      return `${counted(fact.hashes.length, 'new message')} from ${paint('bold', safeLine(fact.peer))}`;
    case 'trust.changed':
      return `what you trust of ${paint('bold', safeLine(fact.name))} has changed: it is asked again`;
    case 'sync.progressed':
      return `${safeLine(fact.peer)}: ${fact.nodesFetched} nodes fetched, ${fact.nodesWanted} wanted`;
    default:
      return '';
  }
}

/** What a person should know at once, whatever stdout is for; undefined for everything else. */
export function renderWarning(fact: PeerFact): string | undefined {
  switch (fact.type) {
    case 'error.received':
      return `${fact.name ? `"${fact.name}"` : formatAddress(fact.from)} reports: ${safeLine(fact.text, MAX_TEXT)}`;
    case 'key.changed':
      return `"${fact.name}" now has a different key: nothing is accepted from it until you accept the new key with "murmure trust ${fact.name}"`;
    case 'history.wentBack':
      return `"${fact.name}" went back to an earlier state of its messages (${shortHash(fact.root)})`;
    case 'directory.unreachable':
      return `${fact.failure.message}${nextTry(fact)}`;
    case 'publishing.stopped':
      return fact.failure.message;
    case 'socket.failed':
      return `a UDP socket failed: ${fact.why}`;
    case 'peer.warning':
      return fact.message;
    default:
      return undefined;
  }
}

/** A name that another key has is not asked for again: only the user can resolve that. */
function nextTry({ failure }: Extract<PeerFact, { type: 'directory.unreachable' }>): string {
  return failure.code === 'authentication' ? '' : ' (it is tried again every few seconds)';
}

function failure(error: { message: string } | undefined): string {
  return error === undefined ? '' : `: ${safeLine(error.message)}`;
}
