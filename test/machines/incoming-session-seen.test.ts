/** Protocol §5, §9: what others see of a session that somebody opens towards us. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { incomingSessionMachine } from '../../machines/incoming-session.machine.ts';
import { KNOWN_PEER_A } from '../../machines/incoming-session-context.ts';
import { limits, timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { isGenuine, Outside, type Signed, signature } from './outside.ts';

const address = { ip: '192.0.2.1', port: 1 };
const value = new Uint8Array(600).fill(2);
const hash = hashOf(value);
const hello = (id: number, name = 'alice', flags = 0) => ({ type: 'Hello', id, flags, name }) as const;
const rootRequest = (id: number) => ({ type: 'RootRequest', id }) as const;
const getDatum = (id: number, wanted = hash) => ({ type: 'GetDatum', id, hash: wanted }) as const;

let outside: Outside;
let session: Actor<typeof incomingSessionMachine>;
let states: string[];
/** How many signatures were to be verified, and whether nobody answers that. */
let verdicts = 0;
let isSilent = false;

/** `paid`: bytes of the Hello that opens it. */
function begin({ opening = hello(7), signed = 'signed' as Signed, paid = 100, proven = false } = {}): void {
  outside = new Outside();
  isSilent = false;
  const machine = incomingSessionMachine.provide({
    actors: { addressProof: addressProofMachine.provide({ actors: { request: outside.request } }) },
    actions: {
      findKey: (_, { name }) => outside.told.push(`directory: which key has ${name}?`),
      verifyHello: ({ self }, params) => {
        verdicts += 1;
        if (!isSilent) self.send({ type: 'hello.verified', id: params.id, valid: isGenuine(params.signature) });
      },
      sendSigned: (_, { datagram, to, socket }) => {
        const bytes = appendSignature(encodeDatagram(datagram), signature);
        socket.send({ type: 'datagrams.send', datagrams: [bytes], to });
      },
      readNodes: ({ self }, { requests }) => {
        const read = requests.map(({ id, hash: wanted }) => ({
          id,
          hash: wanted,
          value: wanted === hash ? value : undefined,
        }));
        self.send({ type: 'nodes.read', nodes: read });
      },
    },
  });
  const received = {
    datagram: opening,
    signed: encodeDatagram(opening),
    ...(signed !== 'unsigned' && { signature: signed === 'signed' ? signature : new Uint8Array(64).fill(2) }),
  };
  const owner = outside.nobody('peer');
  const { socket } = outside;
  const delivery = { received, from: address, size: paid, atMs: outside.nowMs, socket };
  const input = {
    address,
    ownName: 'bob',
    ownRoot: hash,
    owner,
    socket,
    random: seededRandom(3),
    flags: BULK_FLAG,
    proven,
    isGreetingFree: true,
    provenBy: proven ? [7] : [],
  };
  session = createActor(machine, {
    id: 'incoming-session.192.0.2.1:1',
    clock: outside.clock,
    input: { ...input, hello: delivery },
  });
  states = outside.statesOf(session);
  outside.told.length = 0;
  session.start();
}

const learn = (key: string | undefined = 'key', trusted = true) => session.send({ type: 'key.found', key, trusted });
const hear = (datagram: Datagram, signed: Signed = 'unsigned') => outside.receive(address, datagram, signed);
const sweepAfter = (ms: number) => session.send({ type: 'sweep', atMs: outside.nowMs + ms });
const sent = () => outside.sent.map(({ datagram }) => datagram.type);
/** What went out since `work` began. */
function sentBy(work: () => void): string[] {
  const before = outside.sent.length;
  work();
  return outside.sent.slice(before).map(({ datagram: { type, id }, isSigned }) => {
    return `${type} ${id}${isSigned ? ', signed' : ''}`;
  });
}
function answerProof(name = 'alice', signed: Signed = 'signed'): void {
  const id = outside.sentOf('Hello').at(-1)?.datagram.id as number;
  outside.receive(address, { type: 'HelloReply', id, flags: 0, name }, signed);
}
function prove(options: Parameters<typeof begin>[0] = {}): void {
  begin(options);
  learn();
  answerProof();
  outside.told.length = 0;
}

beforeEach(() => begin());

describe('Hello', () => {
  test('is answered once its signature verifies; our own Hello follows, and its answer proves the address', () => {
    expect(outside.told).toEqual(['directory: which key has alice?']);
    expect(sentBy(learn)).toEqual(['HelloReply 7, signed', expect.stringMatching(/^Hello \d+, signed$/)]);
    expect(outside.told.slice(1)).toEqual(['peer: hello.answered', 'peer: session.accepted']);
    expect(outside.last('session.accepted')).toMatchObject({ name: 'alice', address, key: 'key', proven: false });
    answerProof();
    expect(outside.last('address.proven')).toMatchObject({ name: 'alice', address, key: 'key' });
    expect(states).toEqual(['identifying', 'verifying', 'live.proving', 'live.proven']);
  });

  test('needs no proof from an address at which our own Hello was answered under that name', () => {
    begin({ proven: true });
    expect(sentBy(learn)).toEqual(['HelloReply 7, signed']);
    expect(states.at(-1)).toBe('live.proven');
  });

  test.each([
    ['that is forged', () => begin({ signed: 'forged' }), () => learn()],
    ['that is unsigned, of somebody with a key,', () => begin({ signed: 'unsigned' }), () => learn()],
    ['under a name whose key changed', () => begin(), () => learn('other', false)],
  ])('%s gets nothing at all', (_, start, goOn) => {
    start();
    goOn();
    expect(sent()).toEqual([]);
    expect(outside.told).toEqual(['directory: which key has alice?', 'peer: session.forgotten']);
  });

  test('of somebody without a key is answered unverified', () => {
    begin({ signed: 'unsigned' });
    expect(sentBy(() => session.send({ type: 'key.found', key: undefined, trusted: true }))[0]).toBe(
      'HelloReply 7, signed',
    );
    expect(outside.last('session.accepted')).toMatchObject({ key: undefined });
  });

  test('that comes again is answered again, under its own id', () => {
    prove();
    expect(sentBy(() => hear(hello(8), 'signed'))).toEqual(['HelloReply 8, signed']);
    expect(sentBy(() => hear(hello(9), 'forged'))).toEqual([]);
  });

  test('under another name changes nothing until a Hello of ours is answered under it', async () => {
    prove();
    hear(hello(8, 'carol'), 'signed');
    expect(states.at(-1)).toBe('live.doubting');
    expect(sentBy(() => hear(getDatum(9)))).toEqual(['Datum 9']);
    answerProof('carol');
    expect(outside.told.at(-1)).toBe('directory: which key has carol?');
    expect(sentBy(learn)[0]).toBe('HelloReply 8, signed');
    expect(outside.last('session.accepted')).toMatchObject({ name: 'carol', proven: false });
  });

  test('under another name that nobody confirms is forgotten', async () => {
    prove();
    hear(hello(8, 'carol'), 'signed');
    await outside.clock.advance(60_000);
    expect(states.at(-1)).toBe('live.proven');
    expect(outside.sentOf('Hello')).toHaveLength(1 + limits.doubtSends);
  });
});

describe('requests', () => {
  test('get Error before the Hello is accepted', () => {
    hear(rootRequest(8));
    hear(getDatum(9));
    expect(sent()).toEqual([]);
    const owed = outside.events.filter(({ event }) => event.type === 'error.owed').map(({ event }) => event);
    expect(owed.map(({ id, text, to }) => [id, text, to])).toEqual([
      [8, 'no session', address],
      [9, 'no session: say Hello first', address],
    ]);
  });

  test('are answered with Root, Datum or NoDatum once the address is proven', () => {
    prove();
    expect(sentBy(() => hear(rootRequest(8)))).toEqual(['Root 8, signed']);
    expect(sentBy(() => hear(getDatum(9)))).toEqual(['Datum 9']);
    expect(sentBy(() => hear(getDatum(10, ZERO_HASH)))).toEqual(['NoDatum 10']);
    expect(outside.sentOf('Root')[0]?.datagram.hash).toBe(hash);
    expect(outside.sentOf('Datum')[0]?.datagram.value).toEqual(value);
  });

  test('of a program that takes no unsigned answers are all signed', () => {
    prove({ opening: hello(7, 'alice', KNOWN_PEER_A) });
    expect(sentBy(() => hear(getDatum(9)))).toEqual(['Datum 9, signed']);
    expect(sentBy(() => hear(getDatum(10, ZERO_HASH)))).toEqual(['NoDatum 10, signed']);
  });

  test('of an unknown type get Error', () => {
    prove();
    hear({ type: 'Unknown', id: 11, code: 77, body: new Uint8Array(0) });
    expect(outside.last('error.owed')).toMatchObject({ id: 11, to: address, text: 'unknown request type' });
  });

  test('for a root that we have not published, or no longer, get none', () => {
    prove();
    session.send({ type: 'root.changed', root: ZERO_HASH });
    hear(rootRequest(8));
    expect(outside.sentOf('Root')[0]?.datagram.hash).toBe(ZERO_HASH);
  });
});

describe('while the address is being proven', () => {
  test('two requests wait, and are answered once that ends', () => {
    learn();
    expect(sentBy(() => hear(rootRequest(8)))).toEqual([]);
    expect(sentBy(() => hear(getDatum(9)))).toEqual([]);
    expect(sentBy(answerProof).sort()).toEqual(['Datum 9', 'Root 8, signed']);
    expect(sentBy(() => hear(getDatum(10)))).toEqual(['Datum 10']);
  });

  test('so they are if it is proven by another Hello of ours', async () => {
    learn();
    hear(rootRequest(8));
    hear(getDatum(9));
    session.send({ type: 'session.proven', name: 'alice', key: undefined, provenBy: [7] });
    await outside.clock.advance(60_000);
    expect(states.at(-1)).toBe('live.proven');
    expect(sent().slice(-2).sort()).toEqual(['Datum', 'Root']);
  });

  test('and if that comes after ours stayed unanswered', async () => {
    learn();
    hear(getDatum(9));
    await outside.clock.advance(60_000);
    expect(states.at(-1)).toBe('live.unproven');
    expect(
      sentBy(() => session.send({ type: 'session.proven', name: 'alice', key: undefined, provenBy: [7] })),
    ).toEqual(['Datum 9']);
  });

  test('at most eight wait', () => {
    learn();
    for (let id = 10; id < 30; id++) hear(getDatum(id));
    expect(sentBy(answerProof)).toHaveLength(limits.heldRequests);
  });

  test('a request that is repeated while it waits has one place', () => {
    learn();
    for (let i = 0; i < 20; i++) hear(getDatum(10));
    hear(getDatum(11));
    expect(sentBy(answerProof)).toEqual(['Datum 10', 'Datum 11']);
  });

  test('it gets at most three times the bytes that it sent', async () => {
    learn();
    let paid = 100;
    for (let id = 10; id < 40; id++) {
      hear(getDatum(id));
      paid += 39;
    }
    await outside.clock.advance(60_000);
    const sizes = outside.sent.map(({ datagram, isSigned }) => encodeDatagram(datagram).length + (isSigned ? 64 : 0));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limits.amplification * paid);
    expect(outside.sentOf('Datum').length).toBeGreaterThan(0);
  });

  test('whoever repeats what waits gets our Hello once more, under the same id, if it pays for that', () => {
    begin({ paid: 60 });
    learn();
    const [first] = outside.sentOf('Hello');
    expect(sentBy(() => hear(getDatum(9)))).toEqual([]);
    expect(sentBy(() => hear(getDatum(9)))).toEqual([`Hello ${first?.datagram.id}, signed`]);
    expect(sentBy(answerProof)).toEqual(['Datum 9']);
  });

  test('a request after a proof that failed pays for another one', async () => {
    begin({ paid: 60 });
    learn();
    await outside.clock.advance(60_000);
    expect(states.at(-1)).toBe('live.unproven');
    const before = outside.sentOf('Hello').length;
    for (let id = 10; id < 13; id++) hear(getDatum(id));
    expect(outside.sentOf('Hello')).toHaveLength(before + 1);
    expect(sentBy(answerProof)).toContain('Datum 10');
  });
});

describe('a reader', () => {
  test('is reported when it asks, and then once a minute; who asks which root is the newest may miss the answer', async () => {
    prove();
    hear(rootRequest(8));
    expect(outside.last('reader.seen')).toMatchObject({ name: 'alice', hasNewest: false });
    hear(getDatum(9));
    expect(outside.last('reader.seen')).toMatchObject({ hasNewest: true });
    hear(rootRequest(10));
    expect(outside.told).toEqual(['peer: reader.seen', 'peer: reader.seen']);
    await outside.clock.advance(timing.readerReport);
    hear(getDatum(11, ZERO_HASH));
    expect(outside.told).toHaveLength(3);
    expect(outside.last('reader.seen')).toMatchObject({ hasNewest: false });
  });

  test('is reported at once when it comes for a newer root', () => {
    prove();
    hear(rootRequest(8));
    session.send({ type: 'root.changed', root: ZERO_HASH });
    hear(getDatum(9, ZERO_HASH));
    expect(outside.told).toEqual(['peer: reader.seen', 'peer: reader.seen']);
    expect(outside.last('reader.seen')).toMatchObject({ hasNewest: true });
  });

  test('is whoever is there now, not whoever was there before', () => {
    prove();
    hear(rootRequest(8));
    hear(hello(9, 'carol'), 'signed');
    answerProof('carol');
    learn();
    answerProof('carol');
    hear(rootRequest(10));
    expect(outside.last('reader.seen')).toMatchObject({ name: 'carol' });
  });
});

describe('a Hello of which nobody ever says whose key it is, or whether it is genuine', () => {
  const hearLater = async (id: number) => {
    await outside.clock.advance(timing.identifyingPatience);
    hear(hello(id), 'signed');
  };

  test('ends the session with a later Hello, so that the next one is looked into', async () => {
    hear(hello(8), 'signed');
    expect(states.at(-1)).toBe('identifying');
    await hearLater(9);
    expect(outside.last('session.forgotten')).toMatchObject({ address });
  });

  test('does not keep a session from being renewed', async () => {
    verdicts = 0;
    prove();
    isSilent = true;
    hear(hello(8), 'signed');
    hear(hello(9), 'signed');
    expect(verdicts).toBe(2);
    await hearLater(10);
    expect(verdicts).toBe(3);
  });

  test('ends a session that was to be verified as well', async () => {
    isSilent = true;
    learn();
    expect(states.at(-1)).toBe('verifying');
    await hearLater(9);
    expect(outside.last('session.forgotten')).toMatchObject({ address });
  });
});

describe('after an hour', () => {
  test('whoever asks is told to say Hello again, and is served once it has', () => {
    prove();
    sweepAfter(timing.sessionLifetime - 1);
    expect(states.at(-1)).toBe('live.proven');
    sweepAfter(timing.sessionLifetime);
    expect(outside.told).toEqual(['peer: session.expired']);
    expect(sentBy(() => hear(rootRequest(8)))).toEqual([]);
    // A request of 7 bytes, from an address that has to be proven anew, pays for no more.
    expect(outside.last('error.owed')).toMatchObject({ id: 8, text: 'no session' });
    expect(sentBy(() => hear(getDatum(9)))).toEqual([]);
    expect(outside.last('error.owed')).toMatchObject({ id: 9, text: 'session expired: say Hello again' });
    hear(hello(9), 'signed');
    expect(sentBy(learn)[0]).toBe('HelloReply 9, signed');
  });

  test('and another one it is forgotten', () => {
    prove();
    sweepAfter(timing.sessionLifetime);
    sweepAfter(timing.sessionLifetime + timing.expiredSessionMemory);
    expect(outside.last('session.forgotten')).toMatchObject({ address });
  });
});
