/** Runs the front end: the machine decides what comes next, a dialogue asks, and the peer does what was chosen. */
import { type AnyEventObject, createActor } from 'xstate';
import { type Choice, frontEndMachine } from '../../../machines/front-end.machine.ts';
import { toMessage } from '../../feed/message.ts';
import { safeLine } from '../../feed/safe-text.ts';
import type { JournalSink, Peer } from '../../index.ts';
import { record } from '../../journal/record.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { Gate } from '../../runtime/gate.ts';
import type { Self } from '../../runtime/shared-effects.ts';
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { MAX_BODY_BYTES } from '../../wire/node.ts';
import type { Paint } from '../output.ts';
import { renderMessage } from '../render/message.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { counted } from '../render/text.ts';
import { CancelledError, type Dialogue, type Option } from './dialogue.ts';

export interface FrontEndOptions {
  readonly peer: Peer;
  readonly store: Store;
  readonly dialogue: Dialogue;
  readonly paint: Paint;
  readonly journal?: JournalSink | undefined;
  readonly clock?: Clock;
}

/** Messages shown at a time. */
const SHOWN = 20;

const choices: readonly Option<Choice>[] = [
  { value: 'read', label: 'read the timeline' },
  { value: 'post', label: 'write a message' },
  { value: 'sync', label: 'download from somebody' },
  { value: 'follow', label: 'follow somebody' },
  { value: 'unfollow', label: 'unfollow somebody' },
  { value: 'quit', label: 'quit' },
];

const questions: Readonly<Partial<Record<Choice, string>>> = {
  sync: 'Download from whom?',
  follow: 'Follow whom?',
  unfollow: 'Unfollow whom?',
};

/** Resolves when the person has left. Rejects if the dialogue breaks off for another reason than Ctrl-C. */
export async function runFrontEnd(options: FrontEndOptions): Promise<void> {
  const { peer, store, dialogue, paint, journal, clock = systemClock } = options;
  const input = { name: peer.name, unread: unreadIn(store) };
  const recording = record({ root: 'front-end', sink: journal, seed: undefined, clock, input });
  const gate = new Gate(clock, recording?.recorder);
  const { promise, resolve, reject } = Promise.withResolvers<void>();

  /** Asks, and enters the answer; what was not answered was cancelled. */
  const ask = async ({ self }: Self, question: () => Promise<AnyEventObject>): Promise<void> => {
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
      showHome: (args: Self, { name, unread, notice }: { name: string; unread: number; notice: string }) =>
        ask(args, async () => {
          if (notice !== '') dialogue.show(`${paint('cyan', safeLine(notice))}\n`);
          const news = unread === 0 ? 'nothing new' : counted(unread, 'unread message');
          const choice = await dialogue.choose(`${safeLine(name)}: ${news}`, choices);
          return { type: 'home.chosen', choice };
        }),
      showMessages: (args: Self) =>
        work(args, async () => {
          dialogue.show(showTimeline(store, clock.now(), paint));
          return { type: 'work.done', notice: '' };
        }),
      askText: (args: Self, { draft }: { draft: string }) =>
        ask(args, async () => ({ type: 'text.given', text: await dialogue.write('Your message:', draft, whyTooLong) })),
      publish: (args: Self, { text }: { text: string }) =>
        work(args, async () => {
          peer.post(text);
          return { type: 'work.done', notice: 'published' };
        }),
      listPeers: (args: Self, { choice }: { choice: Choice }) =>
        work(args, async () => ({ type: 'peers.listed', names: await namesFor(choice, peer, store) })),
      askPeer: (args: Self, { choice, names }: { choice: Choice; names: readonly string[] }) =>
        ask(args, async () => ({ type: 'peer.chosen', name: await dialogue.pick(questions[choice] ?? 'Who?', names) })),
      act: (args: Self, { choice, name }: { choice: Choice; name: string }) =>
        work(args, async () => ({ type: 'work.done', notice: await act(choice, name, peer) })),
      askQuit: (args: Self) => ask(args, async () => ({ type: 'quit.answered', yes: await dialogue.confirm('Quit?') })),
    },
  });

  const actor = createActor(machine, { id: 'front-end', clock: gate.clock, input });
  actor.subscribe({ complete: resolve, error: reject });
  const stopListening = peer.on('messages.received', ({ hashes }) =>
    gate.submit(actor, { type: 'messages.arrived', count: hashes.length }),
  );
  actor.start();
  try {
    await promise;
  } finally {
    stopListening();
    recording?.recorder.end(actor);
    actor.stop();
  }
}

function unreadIn(store: Store): number {
  return store.messages({ limit: 1_000 }).filter(({ read }) => !read).length;
}

function showTimeline(store: Store, nowMs: number, paint: Paint): string {
  const messages = store.messages({ limit: SHOWN });
  store.markRead(messages.map(({ hash }) => hash));
  if (messages.length === 0) return 'No messages yet: follow somebody, or write one.\n';
  return `${messages.map((kept) => renderMessage(toMessage(kept, nowMs), paint)).join('\n')}\n`;
}

async function namesFor(choice: Choice, peer: Peer, store: Store): Promise<string[]> {
  const followed = store.peers().filter(({ following }) => following);
  if (choice === 'unfollow') return followed.map(({ name }) => name);
  const known = (await peer.directoryPeers()).map(({ name }) => name);
  return known.filter((name) => name !== peer.name).sort();
}

/** The notice that it ends with. */
async function act(choice: Choice, name: string, peer: Peer): Promise<string> {
  if (choice === 'follow') {
    peer.follow(name);
    return `you follow ${name}`;
  }
  if (choice === 'unfollow') {
    peer.unfollow(name);
    return `you no longer follow ${name}`;
  }
  const report = await peer.sync(name);
  if (report.error !== undefined) throw new MurmureError(report.error.code, report.error.message);
  return renderSyncReport(report, (_format, text) => text);
}

function whyTooLong(text: string): string | undefined {
  const tooMany = Buffer.byteLength(text) - MAX_BODY_BYTES;
  return tooMany > 0 ? `${counted(tooMany, 'byte')} too many: a message has at most ${MAX_BODY_BYTES}` : undefined;
}
