/** Runs the front end: the machine decides what comes next, a dialogue asks, and the peer does what was chosen. */
import { type AnyEventObject, createActor } from 'xstate';
import { type FrontEndEvent, frontEndMachine } from '../../../machines/front-end.machine.ts';
import { type Action, hasSubject, isAboutMessage, type Place } from '../../../machines/front-end-context.ts';
import { toMessage } from '../../feed/message.ts';
import type { JournalSink, Peer, PeerFact } from '../../index.ts';
import { record } from '../../journal/record.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { Gate } from '../../runtime/gate.ts';
import type { Self } from '../../runtime/shared-effects.ts';
import { followedNames } from '../../store/followed.ts';
import type { Store } from '../../store/store.ts';
import type { Hash } from '../../wire/hash.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { MAX_BODY_BYTES } from '../../wire/node.ts';
import { WHAT_WITHDRAWING_CANNOT_DO } from '../messages/withdrawing.ts';
import type { Paint } from '../output/output.ts';
import { messageItem } from '../render/message-item.ts';
import { isMentioned } from '../render/message-marks.ts';
import { counted } from '../render/text.ts';
import type { SettingOrigin } from '../settings/settings.ts';
import { type ActOptions, act } from './act.ts';
import { CancelledError, type Dialogue } from './dialogue.ts';
import type { DraftKeeper, Drafts } from './drafts.ts';
import { Live } from './live.ts';
import { answeredAuthor } from './places/messages.ts';
import { cached, type Desk } from './places/place.ts';
import { countNews, showPlace } from './show-place.ts';

export interface FrontEndOptions {
  readonly peer: Peer;
  readonly store: Store;
  readonly dialogue: Dialogue;
  readonly paint: Paint;
  /** Default: drafts are forgotten at the end. */
  readonly drafts?: DraftKeeper;
  readonly settings?: readonly SettingOrigin[];
  /** URL of the directory, to be named on the screen. */
  readonly directory?: string;
  readonly editSettings?: ActOptions['editSettings'];
  /** So that the peer notices, as if another process did it. Default: in the store alone. */
  readonly withdraw?: (hash: Hash) => void;
  readonly journal?: JournalSink | undefined;
  readonly clock?: Clock;
}

const questions: Readonly<Partial<Record<Action, string>>> = {
  follow: 'Follow whom?',
  unfollow: 'Unfollow whom?',
  mute: 'Mute whom?',
  unmute: 'Unmute whom?',
  sync: 'Download from whom?',
  addresses: 'Whose addresses?',
  root: 'Whose root?',
  peer: 'Look at whom?',
  messages: 'Whose messages?',
  tree: 'Whose tree?',
  search: 'Search for:',
  hello: 'Say Hello to (IP:PORT):',
};

const forgetful: DraftKeeper = { drafts: {}, keep: () => {} };

/** Resolves when the person has left. Rejects if the dialogue breaks off for another reason than Ctrl-C. */
export async function runFrontEnd(options: FrontEndOptions): Promise<void> {
  const { peer, store, dialogue, paint, journal, clock = systemClock, drafts: keeper = forgetful } = options;
  const input = { drafts: keeper.drafts };
  const recording = record({ root: 'front-end', sink: journal, seed: undefined, clock, input });
  const gate = new Gate(clock, recording?.recorder);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  using live = new Live(peer, clock);
  const { settings = [], directory = '' } = options;
  // Counted once for all screens: that takes longer than anything else on them.
  const news = cached({ live }, () => countNews({ peer, store }));
  const desk: Desk = { peer, store, live, paint, settings, directory, news, now: () => clock.now() };

  /** Asks, and enters the answer; what was not answered was cancelled. */
  const ask = async ({ self }: Self, question: () => Promise<AnyEventObject>): Promise<void> => {
    // The machine's step ends before the question's own events begin.
    await null;
    try {
      gate.enter(self, await question());
    } catch (error) {
      if (error instanceof CancelledError) gate.enter(self, { type: 'prompt.cancelled' });
      else reject(error);
    }
  };

  /** Does something, and enters what came of it. */
  const work = async ({ self }: Self, task: () => Promise<AnyEventObject>): Promise<void> => {
    // The peer's actors run on their own, not within this one's action.
    await null;
    try {
      gate.enter(self, await task());
    } catch (error) {
      const failure =
        error instanceof MurmureError
          ? { code: error.code, message: error.message }
          : { code: 'unexpected', message: String(error) };
      gate.enter(self, { type: 'work.failed', failure });
    }
  };

  const machine = frontEndMachine.provide({
    actions: {
      showScreen: (args: Self, { place, notice }: { place: Place; notice: string }) =>
        ask(args, async () => {
          live.notice = notice;
          const { drafts } = actor.getSnapshot().context;
          const { screen, view } = showPlace(place, desk, Object.keys(drafts).length);
          for (;;) {
            const { action: chosen, item } = await dialogue.screen(screen);
            const action = chosen === 'choose' ? view.chosen?.(item) : (chosen as Action);
            if (action === undefined) throw new Error(`"${item}" leads nowhere from ${place.kind}`);
            const subject = hasSubject(action) ? view.subject(action, item) : '';
            if (subject !== '') screen.visited?.(item);
            // Without a message nothing can be done with one.
            if (subject !== '' || !isAboutMessage(action))
              return { type: 'action.chosen', action, subject, cursor: item };
          }
        }),
      refresh: (_: Self, { notice }: { notice: string }) => {
        live.notice = notice;
        live.changed();
      },
      ring: () => dialogue.ring(),
      askText: (args: Self, { subject, draft }: { subject: string; draft: string }) =>
        ask(args, async () => {
          const onChange = (text: string) => gate.submit(actor, { type: 'text.changed', text });
          const above = (columns: number) => messageLines(subject, desk, columns);
          const question = subject === '' ? 'Your message' : 'Your answer';
          const writing = { draft, complain: whyTooLong, maxBytes: MAX_BODY_BYTES, onChange, above };
          return { type: 'text.given', text: await dialogue.write(question, writing) };
        }),
      keepDrafts: (_: Self, { drafts }: { drafts: Drafts }) => keeper.keep(drafts),
      publish: (args: Self, { subject, text }: { subject: string; text: string }) =>
        work(args, async () => {
          const { hash } = peer.post(text, subject === '' ? {} : { inReplyTo: subject as Hash });
          return { type: 'work.done', notice: 'published', cursor: hash };
        }),
      askLine: (args: Self, { action }: { action: Action }) =>
        ask(args, async () => ({
          type: 'text.given',
          text: await dialogue.line(questions[action] ?? '', () => undefined),
        })),
      listPeers: (args: Self, { action }: { action: Action }) =>
        work(args, async () => ({ type: 'peers.listed', names: await namesFor(action, desk) })),
      askPeer: (args: Self, { action, names }: { action: Action; names: readonly string[] }) =>
        ask(args, async () => ({ type: 'peer.chosen', name: await dialogue.pick(questions[action] ?? 'Who?', names) })),
      act: (args: Self, { action, subject }: { action: Action; subject: string }) =>
        work(args, async () => {
          const tell = (notice: string) => gate.submit(actor, { type: 'news.heard', notice });
          const { editSettings, withdraw = (hash: Hash) => void store.withdraw(peer.name, hash, clock.now()) } =
            options;
          return { type: 'work.done', notice: await act(action, subject, desk, { tell, editSettings, withdraw }) };
        }),
      askWithdrawal: async (args: Self, { subject }: { subject: string }) => {
        const message = store.message(subject as Hash);
        if (message?.author !== peer.name) {
          return work(args, async () => {
            throw new MurmureError('usage', 'only what you wrote yourself can be withdrawn');
          });
        }
        await ask(args, async () => {
          dialogue.show(`${messageLines(subject, desk, 80).join('\n')}\n\n${WHAT_WITHDRAWING_CANNOT_DO}\n\n`);
          return { type: 'withdrawal.answered', yes: await dialogue.confirm('Withdraw it?', false) };
        });
      },
      askQuit: (args: Self) => ask(args, async () => ({ type: 'quit.answered', yes: await dialogue.confirm('Quit?') })),
    },
  });

  const actor = createActor(machine, { id: 'front-end', clock: gate.clock, input });
  actor.subscribe({ complete: resolve, error: reject });
  const stopListening = peer.on('messages.received', (fact) => gate.submit(actor, arrival(fact, desk)));
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

function arrival({ hashes }: Extract<PeerFact, { type: 'messages.received' }>, { peer, store }: Desk): FrontEndEvent {
  // A first download brings thousands: nobody is called for each of them.
  const newest = hashes.slice(-20).map((hash) => store.message(hash)?.body ?? '');
  const mentions = newest.filter((body) => isMentioned(body, peer.name)).length;
  return { type: 'messages.arrived', count: hashes.length, mentions };
}

/** A message, to be seen while one decides what to do with it. */
function messageLines(hash: string, { peer, store, live, paint, now }: Desk, columns: number): readonly string[] {
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
    answered: answeredAuthor(message, store),
  }).lines(columns);
}

async function namesFor(action: Action, { peer, store, live }: Desk): Promise<string[]> {
  const known = store.peers();
  if (action === 'unfollow') return followedNames(store, peer.name);
  const stored = known.map(({ name }) => name);
  // Trees and messages are looked at offline, too.
  const listed = await live.list().catch((error: unknown) => {
    if (stored.length === 0) throw error;
    return live.listed ?? [];
  });
  const names = new Set([...stored, ...listed.map(({ name }) => name)]);
  names.delete(peer.name);
  const isFollowed = new Set(followedNames(store, peer.name));
  const wanted = [...names].filter((name) => action !== 'follow' || !isFollowed.has(name));
  return wanted.sort();
}

function whyTooLong(text: string): string | undefined {
  const tooMany = Buffer.byteLength(text) - MAX_BODY_BYTES;
  return tooMany > 0 ? `${counted(tooMany, 'byte')} too many: a message has at most ${MAX_BODY_BYTES}` : undefined;
}
