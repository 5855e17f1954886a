/**
 * What a program may ask of a peer, and how the peer answers. Both are plain data: the same events can come from another process.
 * A `ticket` names a wish in its answer. Whoever asks chooses it, unique among all who ask this peer; `''`: no answer is awaited.
 */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { MarkKind } from '../src/store/store.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Failure } from './events.ts';

/** Changes what the store holds. */
export type StoreWish =
  | {
      readonly type: 'post.wanted';
      readonly text: string;
      /** The message that it answers. */
      readonly inReplyTo: Hash | null;
      readonly ticket: string;
    }
  /** Takes a message out of the own tree. */
  | { readonly type: 'withdrawal.wanted'; readonly hash: Hash; readonly ticket: string }
  /** Publishes a message later, at `dueMs` (Unix ms). */
  | {
      readonly type: 'schedule.wanted';
      readonly text: string;
      readonly inReplyTo: Hash | null;
      readonly dueMs: number;
      readonly ticket: string;
    }
  /** Takes back what waits to be published. */
  | { readonly type: 'unschedule.wanted'; readonly id: number; readonly ticket: string }
  /** Neither serves, greets nor shows this peer from now on, and no longer follows it. */
  | { readonly type: 'block.wanted'; readonly name: string; readonly blocked: boolean; readonly ticket: string }
  | { readonly type: 'follow.wanted'; readonly name: string; readonly following: boolean; readonly ticket: string }
  /** `untilMs`: not for good. */
  | {
      readonly type: 'mute.wanted';
      readonly name: string;
      readonly muted: boolean;
      readonly untilMs?: number;
      readonly ticket: string;
    }
  /** Marks something, or takes the mark away; `untilMs`: not for good. */
  | {
      readonly type: 'mark.wanted';
      readonly kind: MarkKind;
      readonly subject: string;
      readonly marked: boolean;
      readonly untilMs?: number;
      readonly ticket: string;
    }
  /** Believes this key in the place of the one that is known. */
  | { readonly type: 'trust.wanted'; readonly name: string; readonly key: PublicKey; readonly ticket: string }
  /** Marks messages as read; `all`: whatever is unread on the timeline. */
  | { readonly type: 'read.wanted'; readonly hashes: readonly Hash[] | 'all'; readonly ticket: string };

/** Asks somebody else for something. What comes of it is told in facts about that peer: `sync.finished`, `ping.finished`, `session.opened`. */
export type NetworkWish =
  | { readonly type: 'sync.wanted'; readonly name: string }
  /** For its root alone: nothing is downloaded. */
  | { readonly type: 'ping.wanted'; readonly name: string }
  | { readonly type: 'hello.wanted'; readonly address: SocketAddress };

export type Wish = StoreWish | NetworkWish;

export type WishAnswer =
  | { readonly type: 'message.published'; readonly hash: Hash; readonly root: Hash; readonly ticket: string }
  | { readonly type: 'message.withdrawn'; readonly hash: Hash; readonly root: Hash; readonly ticket: string }
  | { readonly type: 'message.scheduled'; readonly id: number; readonly dueMs: number; readonly ticket: string }
  | {
      readonly type: 'message.unscheduled';
      readonly id: number;
      readonly text: string;
      readonly inReplyTo: Hash | null;
      readonly ticket: string;
    }
  | { readonly type: 'block.changed'; readonly name: string; readonly blocked: boolean; readonly ticket: string }
  | { readonly type: 'follow.changed'; readonly name: string; readonly following: boolean; readonly ticket: string }
  | { readonly type: 'mute.changed'; readonly name: string; readonly muted: boolean; readonly ticket: string }
  | {
      readonly type: 'mark.changed';
      readonly kind: MarkKind;
      readonly subject: string;
      readonly marked: boolean;
      readonly ticket: string;
    }
  | { readonly type: 'key.accepted'; readonly name: string; readonly key: PublicKey; readonly ticket: string }
  /** `count`: how many of them were unread. */
  | { readonly type: 'messages.read'; readonly count: number; readonly ticket: string }
  | { readonly type: 'wish.failed'; readonly failure: Failure; readonly ticket: string };

/** The types of all answers. */
export const WISH_ANSWERS = [
  'message.published',
  'message.withdrawn',
  'message.scheduled',
  'message.unscheduled',
  'block.changed',
  'follow.changed',
  'mute.changed',
  'mark.changed',
  'key.accepted',
  'messages.read',
  'wish.failed',
] as const satisfies readonly WishAnswer['type'][];
