/** `murmure mute` and `unmute`: what the timeline leaves out. It is downloaded all the same. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { conversationSubject, isMuted, mutingOf, mutings, wordSubject } from '../../store/muting.ts';
import type { Store } from '../../store/store.ts';
import { collect, examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { withKnownOfLists, withLists } from '../input/peer-lists.ts';
import { type LookUpOptions, requirePeers, requireStoredPeers } from '../input/peer-names.ts';
import { requireDate } from '../input/validate.ts';
import { changeMark } from '../messages/change-mark.ts';
import { findMessage } from '../messages/message-hash.ts';
import { askRunningPeer } from '../peer/running-peer.ts';
import { untilText } from '../render/message-marks.ts';
import { shortHash } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('mute')
    .summary('hide peers, words or conversations')
    .description(
      'Hides messages from timeline, watch, unread and notifications: those of peers, unless you name them there; those with a word in them, whatever its accents and case; and those of a conversation. They are still downloaded, and timeline --muted shows them. Without arguments, it lists what is muted.',
    )
    .argument('[peer...]', 'whom to mute; @LIST for all of a list')
    .option('--word <word>', 'hide messages with this word, or these words in this order; may be repeated', collect)
    .option('--thread <hash>', 'hide the conversation that this message belongs to; may be repeated', collect)
    .option('--until <date>', 'only until this ISO 8601 date, e.g. 2026-01-31 or 2026-01-31T12:00Z')
    .option('--force', 'mute them without asking the directory whether the names are right')
    .addHelpText(
      'after',
      examples('mute', 'mute alice bob', 'mute --word football --until 2026-07-20', 'mute --thread 3f9a2c'),
    )
    .action((peers: string[], options: MuteOptions) => run((context) => mute(context, peers, options)));
  program
    .command('unmute')
    .summary('show what was muted again')
    .description('Shows the messages of muted peers, with muted words, or of muted conversations again.')
    .argument('[peer...]', 'whom to unmute; @LIST for all of a list')
    .option('--word <word>', 'show messages with this word again; may be repeated', collect)
    .option('--thread <hash>', 'show the conversation that this message belongs to; may be repeated', collect)
    .addHelpText('after', examples('unmute alice', 'unmute --word football', 'unmute --thread 3f9a2c'))
    .action((peers: string[], options: Subjects) => run((context) => unmute(context, peers, options)));
}

/** What is muted besides peers. */
interface Subjects {
  readonly word?: readonly string[];
  readonly thread?: readonly string[];
}

interface MuteOptions extends Subjects, LookUpOptions {
  readonly until?: string;
}

async function mute(context: CommandContext, peers: readonly string[], options: MuteOptions): Promise<void> {
  const { word = [], thread = [], until } = options;
  const untilMs = until === undefined ? undefined : requireDate('--until', until);
  if (untilMs !== undefined && untilMs <= context.nowMs())
    throw new UsageError(`--until takes a date that has not come yet, not "${until}"`);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  if (peers.length + word.length + thread.length === 0) {
    if (until !== undefined) throw new UsageError('--until needs something to mute: a peer, --word or --thread');
    return listMuted(context, store);
  }
  if (peers.includes(name))
    throw new UsageError(`"${name}" is yourself: take single messages back with "murmure withdraw"`);
  const words = word.map(requireWord);
  const conversations = thread.map((hash) => conversationSubject(store, findMessage(store, hash).hash));
  const untilListed = 'its messages will be hidden once they arrive';
  const wanted = withLists(store, peers);
  const names = await requirePeers(context, { ...options, names: wanted, store, ownName: name, untilListed });
  await setMuted(context, store, names, true, untilMs);
  for (const subject of words) await changeMark(context, store, { kind: 'word', subject, untilMs }, true);
  for (const subject of conversations)
    await changeMark(context, store, { kind: 'conversation', subject, untilMs }, true);
  tell(context, { words, conversations }, true, untilMs);
}

async function unmute(context: CommandContext, peers: readonly string[], options: Subjects): Promise<void> {
  const { word = [], thread = [] } = options;
  if (peers.length + word.length + thread.length === 0)
    throw new UsageError('name a peer, or give --word or --thread: "murmure mute" lists what is muted');
  const { name: ownName, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const names = requireStoredPeers(store, withKnownOfLists(store, peers));
  const words = word.map(requireWord);
  const conversations = thread.map((hash) => mutedConversation(context, store, ownName, hash));
  await setMuted(context, store, names, false);
  for (const subject of words) {
    const wasMuted = await changeMark(context, store, { kind: 'word', subject, untilMs: undefined }, false);
    if (!wasMuted) context.output.note(`The word “${subject}” was not muted.`);
  }
  for (const subject of conversations)
    await changeMark(context, store, { kind: 'conversation', subject, untilMs: undefined }, false);
  tell(context, { words, conversations }, false);
}

function requireWord(text: string): string {
  const subject = wordSubject(text);
  if (subject === '') throw new UsageError(`--word takes a word, of letters or digits, not "${text}"`);
  return subject;
}

/** The mark by which the conversation of this message is muted. @throws UsageError */
function mutedConversation({ nowMs }: CommandContext, store: Store, ownName: string, text: string): string {
  const message = findMessage(store, text);
  const marks = { marks: store.marks.bind(store), message: store.message.bind(store), peers: () => [] };
  // One's own message may begin it.
  const muting = mutingOf(marks, { ownName, nowMs: nowMs() })({ ...message, author: '', body: '' });
  if (muting === undefined)
    throw new UsageError(`the conversation of ${shortHash(message.hash)} is not muted: "murmure mute" lists what is`);
  return muting.subject;
}

async function setMuted(
  context: CommandContext,
  store: Store,
  names: readonly string[],
  muted: boolean,
  untilMs?: number,
): Promise<void> {
  const { output, nowMs } = context;
  const until = untilMs === undefined ? {} : { untilMs };
  const wishes = names.map((name) => ({ type: 'mute.wanted', name, muted, ...until }) as const);
  const answers = names.length === 0 ? [] : await askRunningPeer(context, wishes, 'mute.changed');
  if (answers === undefined) for (const name of names) store.setMuted(name, muted, nowMs(), untilMs);
  for (const peer of names) {
    const said = muted
      ? `The timeline no longer shows ${safeLine(peer)}${untilText(untilMs)}.`
      : `The timeline shows ${safeLine(peer)} again.`;
    output.data({ peer, muted, ...dateOf(untilMs) }, () => said);
  }
}

interface Marked {
  readonly words: readonly string[];
  readonly conversations: readonly string[];
}

function tell({ output }: CommandContext, { words, conversations }: Marked, muted: boolean, untilMs?: number): void {
  const how = muted ? 'no longer shows' : 'shows';
  const end = muted ? `${untilText(untilMs)}.` : ' again.';
  for (const word of words)
    output.data({ word, muted, ...dateOf(untilMs) }, () => `The timeline ${how} messages with “${word}”${end}`);
  for (const thread of conversations) {
    const line = { thread, muted, ...dateOf(untilMs) };
    output.data(line, () => `The timeline ${how} the conversation that begins with ${shortHash(thread)}${end}`);
  }
}

function listMuted({ output, nowMs }: CommandContext, store: Store): void {
  const atMs = nowMs();
  const peers = store.peers().filter((peer) => isMuted(peer, atMs));
  const words = mutings(store, 'word', atMs);
  const conversations = mutings(store, 'conversation', atMs);
  for (const { name: peer, mutedUntilMs } of peers)
    output.data(
      { peer, muted: true, ...dateOf(mutedUntilMs) },
      (paint) => `peer          ${paint('bold', safeLine(peer))}${untilText(mutedUntilMs)}`,
    );
  for (const { subject: word, untilMs } of words)
    output.data(
      { word, muted: true, ...dateOf(untilMs) },
      (paint) => `word          ${paint('bold', safeLine(word))}${untilText(untilMs)}`,
    );
  for (const { subject: thread, untilMs } of conversations) {
    const body = safeLine(store.message(thread)?.body ?? '', 60);
    output.data({ thread, muted: true, ...dateOf(untilMs) }, (paint) =>
      `conversation  ${paint('bold', shortHash(thread))}${untilText(untilMs)}  ${paint('dim', body)}`.trimEnd(),
    );
  }
  if (peers.length + words.length + conversations.length === 0) output.note('Nothing is muted.');
}

function dateOf(untilMs: number | undefined): { until?: string } {
  return untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() };
}
