/** What a sync brought, for a person: one line. */
import { safeLine } from '../../feed/safe-text.ts';
import type { SyncReport } from '../../index.ts';
import type { Paint } from '../output/output.ts';
import { byteSize, counted, duration } from './text.ts';

/** Why a sync failed is not in it: that is said on stderr. */
export function renderSyncReport(report: SyncReport, paint: Paint): string {
  const who = paint('bold', safeLine(report.peer));
  const took = paint('dim', `(${cost(report)})`);
  switch (report.status) {
    case 'unchanged':
      return `${who}: nothing new, ${counted(report.totalMessages, 'message')} ${took}`;
    case 'updated':
      return `${who}: ${paint('green', changes(report))}, ${counted(report.totalMessages, 'message')} in all ${took}`;
    case 'failed':
      return `${who}: ${paint('red', 'failed')} ${took}`;
  }
}

function changes({ newMessages, withdrawnMessages }: SyncReport): string {
  const withdrawn = withdrawnMessages === 0 ? '' : `, ${counted(withdrawnMessages, 'message')} withdrawn`;
  return `${counted(newMessages, 'new message')}${withdrawn}`;
}

function cost({ nodesFetched, bytesFetched, datagramsSent, retransmissions, durationMs }: SyncReport): string {
  const repeated = retransmissions === 0 ? '' : `, ${retransmissions} of them repeated`;
  const fetched = `${counted(nodesFetched, 'node')}, ${byteSize(bytesFetched)}`;
  return `${fetched}, ${counted(datagramsSent, 'datagram')} sent${repeated}, ${duration(durationMs)}`;
}
