/** Protocol §4: datagrams, and what answers them. */
import { type Datagram, encodeDatagram, typeCode } from '../../wire/datagram.ts';
import { hashOf } from '../../wire/hash.ts';
import { BOTH, type Check, PEER, passes, skipped, type Verdict } from '../check.ts';
import type { Heard } from '../probe.ts';
import type { Session, Subject } from '../subject.ts';

/** For what is asked once. */
const PATIENCE_MS = 8_000;
const UNKNOWN_REQUEST = 77;
const UNKNOWN_ANSWER = 200;
const NOBODYS_NODE = hashOf(new TextEncoder().encode('a node that nobody has'));

/** In our session; without one nothing is to be seen. */
export async function inSession(subject: Subject, work: (session: Session) => Promise<Verdict>): Promise<Verdict> {
  const session = await subject.session();
  return session === undefined ? skipped('it answers no Hello') : work(session);
}

function isAnswered(answer: Heard | undefined, type: Datagram['type']): Verdict {
  return passes(answer?.datagram.type === type, `answered with ${answer?.datagram.type ?? 'nothing'}`);
}

/** Nothing comes of it but the answer to a Hello that is sent after it. */
export function staysSilent(subject: Subject, stimulus: (session: Session) => unknown): Promise<Verdict> {
  return inSession(subject, async (session) => {
    const provoked = await session.probe.provoked(() => stimulus(session));
    if (provoked === undefined) return passes(false, 'after that it answers no Hello any more');
    const types = provoked.map(({ datagram }) => datagram.type);
    return passes(types.length === 0, types.length === 0 ? 'it is silent' : `answered with ${types.join(', ')}`);
  });
}

function padded(bytes: Uint8Array, more: number, filling: number): Uint8Array {
  const longer = new Uint8Array(bytes.length + more).fill(filling);
  longer.set(bytes);
  return longer;
}

export const datagramChecks: readonly Check[] = [
  {
    id: 'hello-answered',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'Hello is answered with HelloReply, always',
    run: async (subject) => {
      const session = await subject.session();
      return passes(session !== undefined, session === undefined ? 'not answered' : 'answered with HelloReply');
    },
  },
  {
    id: 'answer-id',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'An answer carries the id of its request',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const id = 0x01020307;
        const seen = await probe.provoked(() => probe.send({ type: 'RootRequest', id }));
        const ids = seen?.map(({ datagram }) => datagram.id.toString(16)) ?? [];
        return passes(
          ids.includes(id.toString(16)),
          `asked under ${id.toString(16)}, answered under ${ids.join(', ') || 'none'}`,
        );
      }),
  },
  {
    id: 'root-answered',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'RootRequest is answered with Root',
    run: (subject) =>
      inSession(subject, async ({ probe }) => isAnswered(await probe.ask({ type: 'RootRequest' }), 'Root')),
  },
  {
    id: 'datum-answered',
    section: '4',
    level: 'MUST',
    roles: PEER,
    rule: 'GetDatum is answered with Datum: the hash that was asked for, and its value',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const [hash] = (await subject.tree())?.nodes.keys() ?? [];
        if (hash === undefined) return skipped('it gave no node');
        const answer = await probe.ask({ type: 'GetDatum', hash });
        const isRight = answer?.datagram.type === 'Datum' && answer.datagram.hash === hash;
        return passes(isRight, `answered with ${answer?.datagram.type ?? 'nothing'}`);
      }),
  },
  {
    id: 'no-datum-answered',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'GetDatum for a node that it does not have is answered with NoDatum, with that hash',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const answer = await probe.ask({ type: 'GetDatum', hash: NOBODYS_NODE });
        const isRight = answer?.datagram.type === 'NoDatum' && answer.datagram.hash === NOBODYS_NODE;
        return passes(isRight, `answered with ${answer?.datagram.type ?? 'nothing'}`);
      }),
  },
  {
    id: 'zeros-are-no-signature',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'Zeros after the body are no signature: the datagram is unsigned',
    run: (subject) =>
      inSession(subject, async ({ probe }) =>
        isAnswered(
          await probe.ask(
            { type: 'GetDatum', hash: NOBODYS_NODE },
            { bytes: (datagram) => padded(encodeDatagram(datagram), 64, 0) },
          ),
          'NoDatum',
        ),
      ),
  },
  {
    id: 'short-trailer',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: '1 to 63 bytes after the body are no signature: the datagram is unsigned',
    run: (subject) =>
      inSession(subject, async ({ probe }) =>
        isAnswered(
          await probe.ask(
            { type: 'GetDatum', hash: NOBODYS_NODE },
            { bytes: (datagram) => padded(encodeDatagram(datagram), 63, 7) },
          ),
          'NoDatum',
        ),
      ),
  },
  {
    id: 'hello-excess',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'What follows the name in a Hello is ignored',
    run: async (subject) => {
      const probe = await subject.probe();
      const hello = probe.hello();
      const body = padded(encodeDatagram(hello).subarray(7), 8, 0);
      await probe.send({ type: 'Unknown', id: hello.id, code: typeCode(hello), body });
      await probe.until(() => probe.heard.some(({ datagram }) => datagram.type === 'HelloReply'), PATIENCE_MS);
      return isAnswered(
        probe.heard.find(({ datagram }) => datagram.type === 'HelloReply'),
        'HelloReply',
      );
    },
  },
  {
    id: 'unknown-request',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'An unknown type of request is answered with Error, with its id',
    run: (subject) =>
      inSession(subject, async ({ probe }) =>
        isAnswered(await probe.ask({ type: 'Unknown', code: UNKNOWN_REQUEST, body: new Uint8Array(0) }), 'Error'),
      ),
  },
  {
    id: 'unknown-answer',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'An unknown type of answer is ignored',
    run: (subject) =>
      staysSilent(subject, ({ probe }) =>
        probe.send({ type: 'Unknown', id: probe.newId(), code: UNKNOWN_ANSWER, body: new Uint8Array(0) }),
      ),
  },
];
