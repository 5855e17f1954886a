/** Runs the front end: the machine decides what comes next, a dialogue asks, and the peer does what it is asked to. */

import { randomUUID } from 'node:crypto';
import { type AnyEventObject, createActor } from 'xstate';
import { frontEndMachine } from '../../../machines/front-end.machine.ts';
import {
  type Action,
  hasSubject,
  isAboutMessage,
  type Notice,
  type Place,
} from '../../../machines/front-end-context.ts';
import type { HeardFact } from '../../../machines/front-end-setup.ts';
import type { Wish } from '../../../machines/wishes.ts';
import { toMessage } from '../../feed/message.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { JournalSink, PeerFact } from '../../index.ts';
import { record } from '../../journal/record.ts';
import type { FollowedStanding } from '../../peer/status.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Call, Gate } from '../../runtime/gate.ts';
import { mutingOf } from '../../store/muting.ts';
import { notificationKind, notifications } from '../../store/notifications.ts';
import type { Hash } from '../../wire/hash.ts';
import { failureFrom, MurmureError } from '../../wire/murmure-error.ts';
import { MAX_BODY_BYTES } from '../../wire/node.ts';
import { openInBrowser } from '../input/browser.ts';
import { describeChange, keyOf } from '../messages/trusting.ts';
import { whyUnfit } from '../messages/why-unfit.ts';
import { WHAT_WITHDRAWING_CANNOT_DO } from '../messages/withdrawing.ts';
import type { Paint } from '../output/output.ts';
import { messageItem } from '../render/message-item.ts';
import { doubtsAmong } from '../render/name-doubts.ts';
import type { SettingOrigin } from '../settings/settings.ts';

import { act, type EditSettings, namesFor } from './act.ts';
import { askWord } from './ask-word.ts';
import { CancelledError, type Dialogue } from './dialogue.ts';
import type { DraftKeeper, Drafts } from './drafts.ts';
import { Live } from './live.ts';
import { noticeText } from './notices.ts';
import { type OpenAddress, openLinkIn } from './open-link.ts';
import { answeredAuthor } from './places/message-list.ts';
import { type PositionKeeper, positionInMemory } from './reading-position.ts';
import { countUnread, showPlace } from './show-place.ts';
import { type AskedPeer, cached, type ReadStore, type Sources, type Unlocking } from './sources.ts';

export interface FrontEndOptions {
  readonly peer: AskedPeer;
  readonly store: ReadStore;
  /** Where followed peers stand, if another process runs the peer. */
  readonly following?: readonly FollowedStanding[] | undefined;
  readonly dialogue: Dialogue;
  readonly paint: Paint;
  /** Default: drafts are lost at the end, and the person is told so. */
  readonly drafts?: DraftKeeper;
  /** Default: it begins at what is unread. */
  readonly readingPosition?: PositionKeeper;
  readonly notificationsPosition?: PositionKeeper;
  readonly settings?: readonly SettingOrigin[];
  /** URL of the directory, to be named on the screen. */
  readonly directory?: string;
  readonly editSettings?: EditSettings;
  /** Where the key may turn out to be locked, once another process has ended that had opened it. */
  readonly unlocking?: Unlocking | undefined;
  /** Opens a web address in the person's browser. */
  readonly openAddress?: OpenAddress;
  readonly journal?: JournalSink | undefined;
  readonly clock?: Clock;
  /** Tells its wishes from those of others who ask the same peer. Default: a random one. */
  readonly id?: string;
}

const questions: Readonly<Partial<Record<Action, string>>> = {
  follow: 'Whom do you want to follow?',
  unfollow: 'Whom do you want to unfollow?',
  mute: 'Whom do you want to mute?',
  unmute: 'Whom do you want to unmute?',
  block: 'Whom do you want to block?',
  unblock: 'Whom do you want to unblock?',
  trust: 'Whose new key?',
  sync: 'Whose messages do you want to download?',
  addresses: 'Whose addresses?',
  root: 'Whose root?',
  peer: 'Which peer?',
  messages: 'Whose messages?',
  tree: 'Whose tree?',
  search: 'Search for:',
  hello: 'Send a Hello to (IP:PORT):',
};

/** Resolves when the person has left. Rejects if the dialogue breaks off for another reason than Ctrl-C. */
export async function runFrontEnd(options: FrontEndOptions): Promise<void> {
  const { peer, store, dialogue, paint, journal, clock = systemClock, drafts: keeper } = options;
  const input = { id: options.id ?? randomUUID(), drafts: keeper?.drafts ?? {}, keepsDrafts: keeper !== undefined };
  const recording = record({ root: 'front-end', sink: journal, seed: undefined, clock, input });
  const gate = new Gate(clock, recording?.recorder);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  using live = new Live(peer, clock, options.following);
  const { settings = [], directory = '', openAddress = openInBrowser, unlocking } = options;
  const now = () => clock.now();
  const muting = cached({ live }, () => mutingOf(store, { ownName: peer.name, nowMs: now() }));
  const newsFor = (withMuted: boolean) => notifications(store, { ownName: peer.name, nowMs: now(), withMuted });
  const sources: Sources = {
    ...{ peer, store, live, paint, settings, directory, unlocking, now, muting },
    readingPosition: options.readingPosition ?? positionInMemory(),
    notificationsPosition: options.notificationsPosition ?? positionInMemory(),
    seen: (hash) => gate.submit(actor, { type: 'message.seen', hash }),
    noticed: (hash) => gate.submit(actor, { type: 'notification.seen', hash }),
    notifications: cached({ live }, () => newsFor(live.showsMuted)),
    // Counted once for all screens: that takes longer than anything else on them.
    unread: cached({ live }, () => {
      const news = live.showsMuted ? newsFor(false) : sources.notifications();
      return { ...countUnread(sources), notifications: news.filter(({ isNew }) => isNew).length };
    }),
  };

  /** Asks, and enters the answer; a question that is not answered was cancelled. */
  const ask = async ({ self, enter }: Call, question: () => Promise<AnyEventObject>): Promise<void> => {
    // The machine's step ends before the question's own events begin.
    await null;
    try {
      enter(self, await question());
    } catch (error) {
      if (error instanceof CancelledError) enter(self, { type: 'prompt.cancelled', isExit: error.isExit });
      else reject(error);
    }
  };

  /** Does something, and enters what came of it. */
  const work = async ({ self, enter }: Call, task: () => Promise<AnyEventObject>): Promise<void> => {
    await null;
    try {
      enter(self, await task());
    } catch (error) {
      enter(self, { type: 'work.failed', failure: failureFrom(error) });
    }
  };

  const machine = frontEndMachine.provide({
    actions: gate.effects({
      sendToPeer: async ({ self, enter }: Call, { wish }: { wish: Wish }) => {
        // The peer's actors run on their own, not within this one's action.
        await null;
        try {
          peer.ask(wish);
        } catch (error) {
          const ticket = 'ticket' in wish ? wish.ticket : '';
          enter(self, { type: 'wish.failed', failure: failureFrom(error), ticket });
        }
      },
      showScreen: (args: Call, { place, notice }: NoticeParams & { place: Place }) =>
        ask(args, async () => {
          live.notice = noticeText(notice, peer.ended === undefined);
          const { drafts } = actor.getSnapshot().context;
          const screen = showPlace(place, sources, Object.keys(drafts).length);
          for (;;) {
            const { action: chosen, item, isOwn = false } = await dialogue.screen(screen);
            const action = screen.meant === undefined ? chosen : screen.meant(chosen, item);
            if (action === undefined || action === 'choose')
              throw new Error(`"${item}" leads nowhere from ${place.kind}`);
            const subject = isOwn ? peer.name : hasSubject(action) ? screen.subject(action, item) : '';
            // There may be something to be done, and no item to do it on.
            if (subject !== '' && item !== '' && !isOwn) screen.visited?.(item);
            // Without a message nothing can be done with one.
            if (subject !== '' || !isAboutMessage(action))
              return { type: 'action.chosen', action, subject, cursor: item };
          }
        }),
      refresh: (_: Call, { notice }: NoticeParams) => {
        live.notice = noticeText(notice, peer.ended === undefined);
        live.changed();
      },
      ring: () => dialogue.ring(),
      askText: (args: Call, { subject, draft }: { subject: string; draft: string }) =>
        ask(args, async () => {
          const onChange = (text: string) => gate.submit(actor, { type: 'text.changed', text });
          const above = (columns: number) => messageLines(subject, sources, columns);
          const question = subject === '' ? 'Your message' : 'Your reply';
          let delayMs = 0;
          const onDelay = (ms: number) => {
            delayMs = ms;
          };
          const writing = { draft, whyInvalid: whyUnfit, maxBytes: MAX_BODY_BYTES, onChange, onDelay, above };
          const text = await dialogue.write(question, writing);
          return { type: 'text.given', text, ...(delayMs > 0 && { dueMs: clock.now() + delayMs }) };
        }),
      keepDrafts: (_: Call, { drafts }: { drafts: Drafts }) => keeper?.keep(drafts),
      askLine: (args: Call, { action }: { action: Action }) =>
        ask(args, async () =>
          action === 'mute-word'
            ? askWord({ store, dialogue, nowMs: now() })
            : { type: 'text.given', text: await dialogue.line(questions[action] ?? '', () => undefined) },
        ),
      listPeers: (args: Call, { action }: { action: Action }) =>
        work(args, async () => ({ type: 'peers.listed', names: await namesFor(action, sources) })),
      askPeer: (args: Call, { action, names }: { action: Action; names: readonly string[] }) =>
        ask(args, async () => ({ type: 'peer.chosen', name: await dialogue.pick(questions[action] ?? 'Who?', names) })),
      act: (args: Call, { action, subject }: { action: Action; subject: string }) =>
        work(args, async () => {
          const notice = await act(action, subject, sources, {
            editSettings: options.editSettings,
            unlocking,
            dialogue,
          });
          return { type: 'work.done', ...(notice && { notice }) };
        }),
      askWithdrawal: async (args: Call, { subject }: { subject: string }) => {
        if (store.message(subject as Hash)?.author !== peer.name) {
          return work(args, async () => {
            throw new MurmureError('usage', 'you can withdraw only messages that you wrote yourself');
          });
        }
        await ask(args, async () => {
          dialogue.show(`${messageLines(subject, sources, 80).join('\n')}\n\n${WHAT_WITHDRAWING_CANNOT_DO}\n\n`);
          return { type: 'withdrawal.answered', yes: await dialogue.confirm('Withdraw it?', false) };
        });
      },
      askLink: (args: Call, { subject }: { subject: string }) =>
        ask(args, () => openLinkIn(subject as Hash, { store, dialogue, open: openAddress })),
      askTrust: async (args: Call, { subject: name }: { subject: string }) => {
        let key: PublicKey;
        const pinned = store.peer(name)?.key;
        try {
          key = keyOf(
            name,
            (await live.list()).find((listed) => listed.name === name),
          );
          if (key === pinned) throw new MurmureError('usage', `the key of "${name}" is the one that is known here`);
        } catch (error) {
          return args.enter(args.self, { type: 'work.failed', failure: failureFrom(error) });
        }
        await ask(args, async () => {
          const lines = describeChange(name, { key, pinned, unsigned: false });
          dialogue.show(`${lines.join('\n')}\n${ASK_THEM_FIRST}\n\n`);
          return { type: 'trust.answered', yes: await dialogue.confirm('Accept the new key?', false), key };
        });
      },
      askQuit: (args: Call, { lostDrafts }: { lostDrafts: number }) =>
        ask(args, async () => ({ type: 'quit.answered', yes: await dialogue.confirm(quitQuestion(lostDrafts)) })),
    }),
  });

  const actor = createActor(machine, { id: 'front-end', clock: gate.clock, input });
  actor.subscribe({ complete: resolve, error: reject });
  const stopListening = peer.on('*', (fact) => {
    const heard = heardFact(fact, (messages) => countNotifications(messages, sources));
    if (heard !== undefined) gate.submit(actor, heard);
  });
  using _fullScreen = dialogue.fullScreen();
  actor.start();
  try {
    await promise;
  } finally {
    stopListening();
    recording?.recorder.end(actor);
    actor.stop();
  }
}

const ASK_THEM_FIRST = 'First ask them, in some other way, whether the new fingerprint is right.';

interface NoticeParams {
  readonly notice: Notice | undefined;
}

/** As much of a fact as concerns the dialogue. */
function heardFact(fact: PeerFact, count: (hashes: readonly Hash[]) => number): HeardFact | undefined {
  switch (fact.type) {
    case 'message.published':
    case 'message.withdrawn':
    case 'message.scheduled':
    case 'message.unscheduled':
    case 'block.changed':
    case 'follow.changed':
    case 'mute.changed':
    case 'mark.changed':
    case 'key.accepted':
    case 'messages.read':
    case 'wish.failed':
    case 'sync.finished':
      return fact;
    case 'session.opened': {
      const { type, direction, name, address } = fact;
      return { type, direction, name, address };
    }
    case 'messages.received': {
      const { type, peer, hashes } = fact;
      // A first download brings thousands: nobody is called for each of them.
      return { type, peer, count: hashes.length, notifications: count(hashes.slice(-NEWEST)) };
    }
    default:
      return undefined;
  }
}

function countNotifications(hashes: readonly Hash[], { store, peer, now }: Sources): number {
  const query = { ownName: peer.name, nowMs: now() };
  const messages = hashes.flatMap((hash) => store.message(hash) ?? []);
  return messages.filter((message) => notificationKind(message, store, query) !== undefined).length;
}

/** Of the messages that arrive together, so many can ring. */
const NEWEST = 20;

function quitQuestion(lostDrafts: number): string {
  if (lostDrafts === 0) return 'Quit?';
  return `Quit? ${lostDrafts === 1 ? 'Your draft' : `Your ${lostDrafts} drafts`} will be lost.`;
}

/** A message, to be seen while one decides what to do with it. */
function messageLines(hash: string, { peer, store, live, paint, now }: Sources, columns: number): readonly string[] {
  const message = hash === '' ? undefined : store.message(hash as Hash);
  if (message === undefined) return [];
  const nowMs = now();
  return messageItem(toMessage(message, nowMs), {
    paint,
    nowMs,
    depth: 0,
    ownName: peer.name,
    names: [peer.name, ...store.peers().map(({ name }) => name)],
    exactDate: live.showsExactDates,
    keyChanged: live.changedKeys.has(message.author),
    doubts: doubtsAmong(peer.name, store)(message.author),
    answered: answeredAuthor(message, store),
  }).lines(columns);
}
