/** Full-text search, conversations and arrivals, and when messages are indexed. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { matches, parseSearch, searchWords } from '../../../src/store/search-words.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { FIRST_ARRIVAL } from '../../../src/store/store.ts';
import { EMPTY_ROOT } from '../../../src/wire/hash.ts';
import { encodeMessage } from '../../../src/wire/node.ts';
import {
  fetchTree,
  freshFolder,
  messageNode,
  NOON,
  NOON_MS,
  node,
  openFile,
  openInMemory,
  treeOf,
  treeOfBodies,
} from './support.ts';

describe('words', () => {
  test.for([
    ['Été à la plage', ['ete', 'a', 'la', 'plage']],
    ['ÅNGSTRÖM, naïve; Ἀθῆναι', ['angstrom', 'naive', 'αθηναι']],
    ['ﬁn x² Ⅻ', ['fin', 'x2', 'xii']],
    ['don’t re-use C++', ['don', 't', 're', 'use', 'c']],
    ['東京タワー が か', ['東', '京', 'タ', 'ワ', 'ー', 'が', 'か']],
    ['हिन्दी 한국어', ['हिन्दी', '한국어']],
    ['zero\u200bwidth \u202eback', ['zerowidth', 'back']],
    ['🎶 …', []],
  ] as const)('of %j', ([text, words]) => {
    expect(searchWords(text)).toEqual(words);
  });

  test('of a query: quoted ones are a phrase, the last quote may be missing', () => {
    expect(parseSearch('one "two Three" fou')).toEqual([['one'], ['two', 'three'], ['fou']]);
    expect(parseSearch('"open end')).toEqual([['open', 'end']]);
    expect(parseSearch('" - 🎶')).toEqual([]);
  });
});

describe('a store', () => {
  describe('search', () => {
    const bodies = [
      'Un été à Orléans',
      'The summer of fun: été',
      'fun of the summer',
      'SUMMERTIME and the living is easy',
      '東京タワー',
      'quotes " AND OR NOT * ( ) NEAR',
    ];
    const found = (query: string) => {
      const store = openInMemory();
      fetchTree(store, 'alice', treeOf(bodies.map((body, i) => messageNode(body, NOON - 100 + i))));
      return store.search({ text: query }).map(({ body }) => bodies.indexOf(body));
    };

    test.for([
      ['ete', [0, 1]],
      ['ÉTÉ', [0, 1]],
      ['e\u0301te', [0, 1]],
      ['orle', [0]],
      ['rleans', []],
      ['o', []],
      ['summer', [1, 2, 3]],
      ['summer fun', [1, 2]],
      ['"summer of fun"', [1]],
      ['"of fun', [1]],
      ['"the summer" of', [1, 2]],
      ['東京', [4]],
      ['タワ', [4]],
      ['京東', []],
      ['NOT near', [5]],
      ['and', [3, 5]],
      ['" * (', []],
      ['words*) OR 1', []],
      ['', []],
    ] as const)('for %j', ([query, expected]) => {
      expect(found(query)).toEqual(expected);
    });

    test('gives the newest, at most so many, newest last', () => {
      const store = openInMemory();
      fetchTree(store, 'alice', treeOf([messageNode('word 3', NOON - 3), messageNode('word 9', NOON - 9)]));
      fetchTree(store, 'bob', treeOf([messageNode('word 5', NOON - 5)]));
      store.publish('me', { date: NOON, inReplyTo: null, body: 'word 0' }, NOON_MS);
      const search = (limit: number) => store.search({ text: 'word', limit }).map(({ body, author }) => [author, body]);
      expect(search(2)).toEqual([
        ['alice', 'word 3'],
        ['me', 'word 0'],
      ]);
      expect(search(9)).toHaveLength(4);
    });

    test('what is withdrawn, by others or by oneself, is no longer found', () => {
      const store = openInMemory();
      const { hash } = store.publish('me', { date: NOON, inReplyTo: null, body: 'word of mine' }, NOON_MS);
      fetchTree(store, 'alice', treeOfBodies('word one', 'word two', 'word three'));
      expect(store.search({ text: 'word' })).toHaveLength(4);
      fetchTree(store, 'alice', treeOfBodies('word one', 'word two', '🎶', 'word that nobody has searched for yet'));
      fetchTree(store, 'alice', treeOfBodies('word two'));
      store.withdraw('me', hash, NOON_MS);
      expect(store.search({ text: 'word' }).map(({ body }) => body)).toEqual(['word two']);
      fetchTree(store, 'alice', { root: EMPTY_ROOT, nodes: [] });
      expect(store.search({ text: 'word' })).toEqual([]);
    });
  });

  test('replies are found, each once, oldest first', () => {
    const store = openInMemory();
    const { hash } = store.publish('me', { date: NOON, inReplyTo: null, body: 'question' }, NOON_MS);
    const answer = (body: string, date: number) => node(encodeMessage({ date, inReplyTo: hash, body }));
    const shared = answer('both', NOON - 5);
    fetchTree(store, 'alice', treeOf([answer('late', NOON - 1), shared]));
    fetchTree(store, 'bob', treeOf([shared, answer('early', NOON - 9), messageNode('other')]));
    expect(store.replies(hash).map(({ author, body }) => [author, body])).toEqual([
      ['bob', 'early'],
      ['alice', 'both'],
      ['alice', 'late'],
    ]);
    fetchTree(store, 'alice', { root: EMPTY_ROOT, nodes: [] });
    expect(store.replies(hash).map(({ author, body }) => [author, body])).toEqual([
      ['bob', 'early'],
      ['bob', 'both'],
    ]);
    expect(store.replies('ab'.repeat(32))).toEqual([]);
  });

  test('whoever looks for what came later sees everything once, whatever is withdrawn in between', () => {
    const store = openInMemory();
    expect(store.lastArrival()).toEqual(FIRST_ARRIVAL);
    const seen: string[] = [];
    let last = store.lastArrival();
    const look = () => {
      const { messages, mark } = store.arrivalsAfter(last, 100);
      last = mark;
      seen.push(...messages.map(({ body }) => body));
    };
    fetchTree(store, 'alice', treeOfBodies('a', 'b'));
    look();
    fetchTree(store, 'alice', treeOfBodies('a'));
    fetchTree(store, 'alice', treeOfBodies('a', 'c'));
    store.publish('me', { date: NOON, inReplyTo: null, body: 'own' }, NOON_MS);
    look();
    fetchTree(store, 'bob', treeOf([node(Uint8Array.of(77))]));
    look();
    fetchTree(store, 'alice', treeOfBodies('a', 'd'));
    look();
    expect(seen).toEqual(['a', 'b', 'c', 'own', 'd']);
    expect(store.arrivalsAfter(FIRST_ARRIVAL, 2).messages).toHaveLength(2);
  });
});

describe('what comes is indexed later', () => {
  const many = treeOf(Array.from({ length: 600 }, (_, i) => messageNode(`word ${i}`)));
  const indexed = (file: string) => {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      return db.prepare('SELECT indexed FROM home').get()?.indexed;
    } finally {
      db.close();
    }
  };

  test('a search misses nothing of it, whichever process stored it', () => {
    const file = join(freshFolder(), 'store.db');
    const [one, other] = [openFile(file), openFile(file)];
    fetchTree(one, 'alice', many);
    expect(indexed(file)).toBe(0);
    expect(other.search({ text: 'word', limit: 1_000 })).toHaveLength(600);
    expect(indexed(file)).toBe(600);
    one.publish('me', { date: NOON, inReplyTo: null, body: 'word of mine' }, NOON_MS);
    expect(other.search({ text: 'word', limit: 1_000 })).toHaveLength(601);
    expect(one.search({ text: 'word', limit: 1_000 })).toHaveLength(601);
  });

  test('slice by slice while there is nothing else to do, and when a home is opened in which some is left', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const file = join(freshFolder(), 'store.db');
    const store = openFile(file);
    fetchTree(store, 'alice', many);
    vi.advanceTimersToNextTimer();
    expect(indexed(file)).toBe(256);
    store.close();
    expect(vi.getTimerCount()).toBe(0);
    openFile(file);
    vi.runAllTimers();
    expect(indexed(file)).toBe(600);
  });

  test('where the disk is too full for that, what came last is compared word by word, and found with the rest', () => {
    const file = join(freshFolder(), 'store.db');
    {
      using store = openSqliteStore(file);
      fetchTree(store, 'alice', treeOf([messageNode('word of alice', NOON - 1)]));
      store.search({ text: 'word' });
      fetchTree(store, 'bob', many);
    }
    const store = openSqliteStore(file, { maxPages: 1 });
    onTestFinished(() => store.close());
    expect(store.search({ text: 'word', limit: 1_000 })).toHaveLength(601);
    expect(store.search({ text: '"word 599"' }).map(({ author }) => author)).toEqual(['bob']);
    expect(store.search({ text: 'alice' })).toHaveLength(1);
    expect(indexed(file)).toBe(1);
  });

  test('a home that cannot be written at the moment is none the worse', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const file = join(freshFolder(), 'store.db');
    const store = openSqliteStore(file, { busyTimeoutMs: 1 });
    onTestFinished(() => store.close());
    fetchTree(store, 'alice', many);
    const db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE');
    vi.runAllTimers();
    db.close();
    expect(indexed(file)).toBe(0);
    expect(store.search({ text: '"word 599"' })).toHaveLength(1);
  });
});

test('the index finds what comparing the words of each message finds', () => {
  const store = openInMemory();
  const vocabulary = [
    'été',
    'ETE',
    'eté!',
    'mer',
    'merci',
    '東京',
    '京',
    'ﬁ',
    'fi',
    'x',
    'ü\u0301',
    'हि',
    'ह',
    'a-b',
    '🎶',
  ];
  const texts = Array.from({ length: 300 }, (_, i) =>
    [i % 15, (i * 7) % 15, (i * 11 + 3) % 15].map((at) => vocabulary[at]).join(i % 2 === 0 ? ' ' : ''),
  );
  const tree = treeOf(texts.map((text, i) => messageNode(text, NOON - i)));
  fetchTree(store, 'alice', tree);
  for (const one of vocabulary) {
    for (const other of ['', ...vocabulary]) {
      for (const text of [`${one} ${other}`, `"${one} ${other}"`]) {
        const phrases = parseSearch(text);
        const fitting = phrases.length === 0 ? [] : texts.filter((body) => matches(searchWords(body), phrases));
        const found = store.search({ text, limit: texts.length }).map(({ body }) => body);
        expect({ text, found }).toEqual({ text, found: fitting.toReversed() });
      }
    }
  }
});
