/** What the front end is put together from: a peer to ask, a store to read, and what screens need besides. */
import type { HomePeer } from '../../local-api/home-peer.ts';
import type { WhyMuted } from '../../store/muting.ts';
import type { Notification, NotificationStore } from '../../store/notifications.ts';
import type { Store } from '../../store/store.ts';
import type { Paint } from '../output/output.ts';
import type { SettingOrigin } from '../settings/settings.ts';
import type { Live } from './live.ts';
import type { PositionKeeper } from './reading-position.ts';

/** In this process or another: it is asked in events, and tells in facts. The rest is to be looked at. */
export type AskedPeer = Pick<
  HomePeer,
  | 'name'
  | 'publicKey'
  | 'addresses'
  | 'sessions'
  | 'directory'
  | 'silent'
  | 'unlisted'
  | 'unreachedReaders'
  | 'ended'
  | 'ask'
  | 'on'
  | 'directoryPeers'
  | 'explain'
>;

/** What a home holds, to be read. Whatever changes it is asked of the peer. */
export type ReadStore = NotificationStore &
  Pick<Store, 'replies' | 'scheduled' | 'lists' | 'peer' | 'ownFeed' | 'currentRoot' | 'getNode'>;

/** What is unread on the timeline, and how many notifications are new. */
export interface UnreadCount {
  readonly unread: number;
  readonly isMoreUnread: boolean;
  readonly notifications: number;
}

/** The key of the home, as far as this process needs it. */
export interface Unlocking {
  /** Nobody runs the peer, and this process could if it had the passphrase. */
  readonly isNeeded: boolean;
  /** @throws WrongPassphraseError */
  unlock(passphrase: string): Promise<void>;
}

/** What the screens are made from. */
export interface Sources {
  readonly peer: AskedPeer;
  readonly store: ReadStore;
  readonly live: Live;
  readonly paint: Paint;
  readonly settings: readonly SettingOrigin[];
  /** URL, `''` if it is not to be named. */
  readonly directory: string;
  readonly unlocking: Unlocking | undefined;
  /** The cursor came to a message that was unread. */
  seen(hash: string): void;
  /** The cursor came to a notification that was new. */
  noticed(hash: string): void;
  unread(): UnreadCount;
  /** Muted ones among them as long as those are shown. */
  notifications(): readonly Notification[];
  /** What tells whether a message is muted now. */
  muting(): WhyMuted;
  /** Where on the timeline the cursor was last, also before a restart. */
  readonly readingPosition: PositionKeeper;
  /** The same among the notifications. */
  readonly notificationsPosition: PositionKeeper;
  /** Unix ms. */
  now(): number;
}

/** Made anew when something has changed, not at every key that is pressed. */
export function cached<T>({ live }: Pick<Sources, 'live'>, make: () => T): () => T {
  let version = live.version;
  let value: T | undefined;
  return () => {
    if (value === undefined || version !== live.version) {
      version = live.version;
      value = make();
    }
    return value;
  };
}
