/** What is muted, by whom, by which word, in which conversation, and until when. */
import { beforeEach, describe, expect, test } from 'vitest';
import { audibleMessages, conversationSubject, mutingOf, wordSubject } from '../../../src/store/muting.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Mark, Store } from '../../../src/store/store.ts';
import { fetchTree, messageNode, NOON, NOON_MS, treeOf } from './support.ts';

let store: Store;
beforeEach(() => {
  store = openSqliteStore(':memory:');
});

const word = (text: string, untilMs?: number): Mark => ({ kind: 'word', subject: wordSubject(text), untilMs });
const at = (nowMs: number) => mutingOf(store, { ownName: 'me', nowMs });
const heard = (nowMs = NOON_MS) =>
  store
    .messages()
    .filter((message) => at(nowMs)(message) === undefined)
    .map(({ body }) => body);

describe('a word', () => {
  test('is whole, and has neither accents nor capitals', () => {
    const bodies = ['Un café noir', 'UN CAFE', 'la cafétéria', 'thé'];
    fetchTree(store, 'bob', treeOf(bodies.map((body, i) => messageNode(body, NOON + i))));
    store.setMarks([word('CAFÉ')]);
    expect(heard()).toEqual(['la cafétéria', 'thé']);
  });

  test('may be several, in this order', () => {
    const bodies = ['the night train', 'a train at night', 'Night-Train!'];
    fetchTree(store, 'bob', treeOf(bodies.map((body, i) => messageNode(body, NOON + i))));
    store.setMarks([word('night train')]);
    expect(heard()).toEqual(['a train at night']);
  });

  test('of signs alone is none', () => {
    expect(wordSubject('?!')).toBe('');
  });

  test('mutes nobody in their own home', () => {
    store.publish('me', { date: NOON, inReplyTo: null, body: 'football' }, NOON_MS);
    store.setMarks([word('football')]);
    expect(heard()).toEqual(['football']);
  });
});

describe('a conversation', () => {
  const [question, answer] = [
    messageNode('question'),
    messageNode('an answer', NOON + 1, messageNode('question').hash),
  ];
  const deep = messageNode('deeper', NOON + 2, answer.hash);

  test('is muted with all that answers, by whichever of its messages it was named', () => {
    fetchTree(store, 'bob', treeOf([question, answer, deep, messageNode('something else', NOON + 3)]));
    const subject = conversationSubject(store, deep.hash);
    expect(subject).toBe(question.hash);
    store.setMarks([{ kind: 'conversation', subject, untilMs: undefined }]);
    expect(heard()).toEqual(['something else']);
  });

  test('is known by what its first message answers, though that is not here', () => {
    fetchTree(store, 'bob', treeOf([answer, deep]));
    const subject = conversationSubject(store, deep.hash);
    expect(subject).toBe(question.hash);
    store.setMarks([{ kind: 'conversation', subject, untilMs: undefined }]);
    fetchTree(store, 'carol', treeOf([messageNode('another answer', NOON + 4, question.hash)]));
    expect(heard()).toEqual([]);
  });

  test('of a thousand messages is gone through once', () => {
    let last = question;
    const nodes = [question];
    for (let i = 0; i < 900; i++) {
      last = messageNode(`answer ${i}`, NOON + i, last.hash);
      nodes.push(last);
    }
    fetchTree(store, 'bob', treeOf(nodes));
    store.setMarks([{ kind: 'conversation', subject: question.hash, untilMs: undefined }]);
    let asked = 0;
    const message = (hash: string) => {
      asked += 1;
      return store.message(hash);
    };
    const why = mutingOf(
      { message, peers: () => store.peers(), marks: (kind) => store.marks(kind) },
      { ownName: 'me', nowMs: NOON_MS },
    );
    expect(store.messages({ limit: 1_000 }).every((one) => why(one) !== undefined)).toBe(true);
    expect(asked).toBeLessThan(1_000);
  });
});

test('what is muted until a date is heard from then on', () => {
  fetchTree(store, 'bob', treeOf([messageNode('rain')]));
  fetchTree(store, 'carol', treeOf([messageNode('sun')]));
  const tomorrow = NOON_MS + 86_400_000;
  store.setMarks([word('rain', tomorrow)]);
  store.setMuted('carol', true, NOON_MS, tomorrow);
  expect(heard()).toEqual([]);
  expect(heard(tomorrow).sort()).toEqual(['rain', 'sun']);
  // Muted again for good, it stays so.
  expect(store.setMarks([word('rain')])).toBe(0);
  store.setMuted('carol', true, NOON_MS);
  expect(heard(tomorrow)).toEqual([]);
});

test('a list is as long as it may be, whatever is left out, and tells how much that is', () => {
  const bodies = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? `sun ${i}` : `rain ${i}`));
  fetchTree(store, 'bob', treeOf(bodies.map((body, i) => messageNode(body, NOON - 100 + i))));
  store.setMarks([word('rain')]);
  const { messages, hidden } = audibleMessages(store, { limit: 5 }, at(NOON_MS));
  expect(messages.map(({ body }) => body)).toEqual(['sun 20', 'sun 24', 'sun 28', 'sun 32', 'sun 36']);
  expect(hidden).toBe(15);
  expect(audibleMessages(store, { limit: 100 }, at(NOON_MS))).toMatchObject({ hidden: 30 });
});

test('lists of people have members, each once', () => {
  store.addToList('friends', ['bob', 'alice']);
  store.addToList('friends', ['bob']);
  store.addToList('work', ['carol']);
  expect([...store.lists()]).toEqual([
    ['friends', ['alice', 'bob']],
    ['work', ['carol']],
  ]);
  store.removeFromList('work', ['carol']);
  expect([...store.lists().keys()]).toEqual(['friends']);
});
