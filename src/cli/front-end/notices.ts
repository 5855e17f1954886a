/** What the person is told about the last thing done: the front end's notices in words. */
import type { Action, Notice } from '../../../machines/front-end-context.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { counted, sentenceAbout, shortHash } from '../render/text.ts';

/** Not yet safe to show: names are as received. `isRunning`: somebody runs the peer. */
export function noticeText(notice: Notice | undefined, isRunning: boolean): string {
  switch (notice?.type) {
    case undefined:
      return '';
    case 'message.published':
      return isRunning ? 'Published.' : 'Stored here. Others see it as soon as the peer runs again.';
    case 'message.scheduled':
      return `Others see it from ${new Date(notice.dueMs).toLocaleTimeString('en-GB')} on. Until then, Z takes it back.`;
    case 'message.unscheduled':
      return 'Taken back before anybody saw it.';
    case 'message.withdrawn':
      return 'Withdrawn. Peers drop the message when they download next.';
    case 'follow.changed':
      return notice.following
        ? `You now follow ${notice.name}.`
        : `You no longer follow ${notice.name}. What was downloaded stays.`;
    case 'mute.changed':
      return notice.muted
        ? `${notice.name} is muted: the timeline no longer shows these messages.`
        : `${notice.name} is no longer muted.`;
    case 'mark.changed':
      return markText(notice);
    case 'block.changed':
      return notice.blocked
        ? `${notice.name} is blocked: you neither see these messages nor answer this peer, and no longer follow it.`
        : `${notice.name} is no longer blocked.`;
    case 'key.accepted':
      return `The new key of ${notice.name} is accepted.`;
    case 'messages.read':
      return notice.count === 0
        ? 'There were no unread messages.'
        : `Marked ${counted(notice.count, 'message')} as read.`;
    case 'wish.failed':
    case 'failure':
      return notice.failure.message;
    case 'syncs.begun':
      return `Asking ${notice.names.length === 1 ? notice.names[0] : counted(notice.names.length, 'peer')} for new messages …`;
    case 'sync.finished':
      return syncText(notice);
    case 'hello.sent':
      return `Sent a Hello to ${formatAddress(notice.address)}. If it is answered, a session opens.`;
    case 'hello.answered':
      return `${formatAddress(notice.address)} has answered: a session${notice.name === '' ? '' : ` with ${notice.name}`} is open.`;
    case 'addresses.found':
      return `${notice.name} is at ${notice.addresses.map(formatAddress).join(', ')}`;
    case 'draft.kept':
      return notice.isLasting
        ? 'Your draft is saved. Press the same key again to continue it.'
        : 'Your draft is kept until you quit. Press the same key again to continue it.';
    case 'nobody.found':
      return nobodyText(notice.action);
    case 'link.opened':
      return `Opened ${notice.href}`;
    case 'key.opened':
      return 'The key is open: the peer starts.';
    case 'settings.edited':
      return 'A new "notify" takes effect at once, other settings the next time you start murmure.';
  }
}

function markText({ kind, subject, marked }: Extract<Notice, { type: 'mark.changed' }>): string {
  if (kind === 'bookmark') return marked ? 'Bookmarked: B shows your bookmarks.' : 'The bookmark is removed.';
  if (kind === 'conversation')
    return marked
      ? 'This conversation is muted. Press M on one of its messages to hear it again.'
      : 'This conversation is no longer muted.';
  if (kind === 'word')
    return marked
      ? `Messages with “${subject}” are muted. Press W to change that.`
      : `Messages with “${subject}” are shown again.`;
  return '';
}

function syncText({ report, about }: Extract<Notice, { type: 'sync.finished' }>): string {
  const { peer, root, status, error } = report;
  if (error !== undefined) return sentenceAbout(peer, error.message);
  if (about !== 'root') return renderSyncReport(report, (_format, text) => text);
  const what = root === null ? 'empty' : shortHash(root);
  return `The root of ${peer} is ${what}${status === 'unchanged' ? ', as before' : ''}.`;
}

function nobodyText(action: Action): string {
  if (action === 'unfollow' || action === 'sync-all')
    return 'You do not follow anybody yet. Press f to follow somebody.';
  return action === 'follow' ? 'There is nobody else to follow.' : 'No other peers are known yet.';
}
