/** What the person does not want to see: peers, words, and conversations. It is stored all the same, and can be shown. */
import type { Hash } from '../wire/hash.ts';
import { searchWords } from './search-words.ts';
import type { Mark, MessageQuery, PeerRecord, Store, StoredMessage } from './store.ts';

/** Why a message is not shown. */
export interface Muting {
  readonly by: 'peer' | 'word' | 'conversation';
  /** The peer's name, the word, or the hash of a message. */
  readonly subject: string;
  /** Undefined: for good. */
  readonly untilMs: number | undefined;
}

export type WhyMuted = (message: StoredMessage) => Muting | undefined;

/** So many messages are gone up from an answer to what it answers. */
const MOST_ANSWERED = 1_000;

export function isMuted({ muted, mutedUntilMs }: Pick<PeerRecord, 'muted' | 'mutedUntilMs'>, nowMs: number): boolean {
  return muted && (mutedUntilMs === undefined || mutedUntilMs > nowMs);
}

/** What a word is muted by: accents and letter case do not count. `''` if there is nothing in it to compare. */
export function wordSubject(text: string): string {
  return searchWords(text).join(' ');
}

/** Muted words or conversations, without those whose time is over. */
export function mutings(store: Pick<Store, 'marks'>, kind: 'word' | 'conversation', nowMs: number): readonly Mark[] {
  return store.marks(kind).filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}

/** Why a message is muted at this moment, if it is: whoever is blocked is muted for good. Nobody mutes what they wrote themselves. */
export function mutingOf(
  store: Pick<Store, 'marks' | 'peers' | 'message'>,
  { ownName, nowMs }: { readonly ownName: string; readonly nowMs: number },
): WhyMuted {
  const peers = new Map(
    store.peers().flatMap((peer) => {
      if (peer.blocked) return [[peer.name, undefined] as const];
      return isMuted(peer, nowMs) ? [[peer.name, peer.mutedUntilMs] as const] : [];
    }),
  );
  const words = mutings(store, 'word', nowMs).map((mark) => ({ ...mark, phrase: mark.subject.split(' ') }));
  const conversations = conversationMuting(store, mutings(store, 'conversation', nowMs));
  return (message) => {
    const { author, body } = message;
    if (author === ownName) return undefined;
    if (peers.has(author)) return { by: 'peer', subject: author, untilMs: peers.get(author) };
    const spoken = words.length === 0 ? [] : searchWords(body);
    const word = words.find(({ phrase }) => hasPhrase(spoken, phrase));
    if (word !== undefined) return { by: 'word', subject: word.subject, untilMs: word.untilMs };
    return conversations(message);
  };
}

/** The newest messages that fit and are not muted. More are looked through until there are enough of them. */
export function audibleMessages(
  store: Pick<Store, 'messages'>,
  query: MessageQuery & { readonly limit: number },
  why: WhyMuted,
): { readonly messages: readonly StoredMessage[]; readonly hidden: number } {
  for (let limit = query.limit; ; limit *= 2) {
    const found = store.messages({ ...query, limit });
    const messages = found.filter((message) => why(message) === undefined);
    if (messages.length < query.limit && found.length === limit) continue;
    const shown = messages.slice(-query.limit);
    const [first] = shown;
    // Of those before the first one that is shown nobody misses any.
    const from = first === undefined || messages.length < query.limit ? 0 : found.indexOf(first);
    return { messages: shown, hidden: found.length - from - shown.length };
  }
}

/** Whole words, one after the other. */
function hasPhrase(words: readonly string[], phrase: readonly string[]): boolean {
  return words.some((_, start) => phrase.every((word, at) => words[start + at] === word));
}

/** A message is of a muted conversation if it is the one that is marked, or answers one that is. */
function conversationMuting(store: Pick<Store, 'message'>, marks: readonly Mark[]): WhyMuted {
  if (marks.length === 0) return () => undefined;
  /** By message: answers to one message need not go the same way each. BOUNDED by the messages that are asked about, and what they answer. */
  const known = new Map<Hash, Mark | undefined>(marks.map((mark) => [mark.subject, mark]));
  return (asked) => {
    const passed: Hash[] = [];
    let message: Pick<StoredMessage, 'hash' | 'inReplyTo'> | undefined = asked;
    let mark: Mark | undefined;
    while (message !== undefined && passed.length < MOST_ANSWERED) {
      const { hash, inReplyTo }: Pick<StoredMessage, 'hash' | 'inReplyTo'> = message;
      if (known.has(hash)) {
        mark = known.get(hash);
        break;
      }
      passed.push(hash);
      // What is answered may be marked without being stored.
      if (inReplyTo !== null) mark = known.get(inReplyTo);
      message = inReplyTo === null || mark !== undefined ? undefined : store.message(inReplyTo);
    }
    for (const hash of passed) known.set(hash, mark);
    return mark && { by: 'conversation', subject: mark.subject, untilMs: mark.untilMs };
  };
}

/** The message by which a conversation is muted: its first one, or what that answers if it is not stored. */
export function conversationSubject(store: Pick<Store, 'message'>, hash: Hash): Hash {
  let subject = hash;
  for (let passed = 0; passed < MOST_ANSWERED; passed += 1) {
    const inReplyTo = store.message(subject)?.inReplyTo;
    if (inReplyTo === null || inReplyTo === undefined) break;
    subject = inReplyTo;
  }
  return subject;
}
