/** What a program may send, and when: each rule a sentence of docs/protocol.md. Pure; nothing of our machines is used. */
import { BULK_FLAG, NODES_BYTES } from '../../src/wire/bulk.ts';
import { type Datagram, isRequest, typeCode } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { formatAddress } from '../../src/wire/socket-address.ts';
import type { Remote } from './remote.ts';

export interface Said {
  readonly datagram: Datagram;
  readonly isSigned: boolean;
  /** Header and body. */
  readonly signed: Uint8Array;
  readonly bytes: number;
  readonly to: Remote;
  readonly atMs: number;
  readonly program: Program;
}

/** What concerns all addresses. */
export interface Program {
  /** Addresses for which NatTraversalClient asked: by whom. */
  readonly traversals: ReadonlyMap<string, ReadonlySet<string>>;
  /** Which question each id was used for. */
  readonly questions: ReadonlyMap<number, string>;
}

export interface Rule {
  readonly id: string;
  /** As it stands in docs/protocol.md. */
  readonly sentence: string;
  /** What is wrong with saying this now; undefined: nothing. */
  readonly fault: (said: Said) => string | undefined;
}

const HOUR = 3_600_000;
/** An answer was begun within the hour, and may take a moment to be signed. */
const SLACK = 30_000;
const SWEEP = 5_000;
const AMPLIFICATION = 3;
const HELLO_SENDS = 4;
/** Five sends, and five that are no timeouts. */
const OTHER_SENDS = 10;

/** Of datagrams of these types. */
function about<T extends Datagram['type']>(
  types: readonly T[],
  fault: (datagram: Datagram & { readonly type: T }, said: Said) => string | undefined,
): Rule['fault'] {
  return (said) =>
    (types as readonly string[]).includes(said.datagram.type)
      ? fault(said.datagram as Datagram & { readonly type: T }, said)
      : undefined;
}

const when = (isWrong: boolean, what: string): string | undefined => (isWrong ? what : undefined);

/** What is asked, whatever the id; a Hello may lose its flags, and a GetNodes may carry a later proof. */
export function questionOf(datagram: Datagram): string {
  const { id: _, ...rest } = datagram;
  if (rest.type === 'Hello') return `Hello ${rest.name}`;
  return rest.type === 'GetNodes' ? JSON.stringify(rest.entries) : JSON.stringify(rest);
}

export const rules: readonly Rule[] = [
  {
    id: 'answers-a-request',
    sentence: 'id: the answer carries that of its request; 0 if nobody asked',
    fault: about(['HelloReply', 'Root', 'Datum', 'NoDatum', 'Nodes', 'Error'], (answer, { to }) =>
      when(
        answer.id !== 0 && to.requestOf(answer) === undefined,
        `${answer.type} answers nothing that came from there`,
      ),
    ),
  },
  {
    id: 'one-answer-each',
    sentence: 'One request is one UDP datagram, and so is its answer.',
    fault: about(['HelloReply', 'Root', 'Datum', 'NoDatum', 'Error'], (answer, { to }) => {
      const request = to.requestOf(answer);
      return when(
        answer.id !== 0 && request !== undefined && request.answered >= request.count,
        `${answer.type} again, though it was asked for ${request?.count} times`,
      );
    }),
  },
  {
    id: 'answers-the-hash',
    sentence:
      'An answer counts only if id, source and type fit an open request, and for Datum and NoDatum the hash; a node must have that hash.',
    fault: about(['Datum', 'NoDatum'], (answer, { to }) => {
      const request = to.requestOf(answer)?.datagram;
      const isOther = request?.type === 'GetDatum' && request.hash !== answer.hash;
      return when(
        isOther || (answer.type === 'Datum' && hashOf(answer.value) !== answer.hash),
        `${answer.type} of another hash`,
      );
    }),
  },
  {
    id: 'asks-in-session',
    sentence: "Once B has answered A's Hello, A may ask B, for 1 h",
    fault: about(['RootRequest', 'GetDatum', 'GetNodes', 'NatTraversalClient'], ({ type }, { to, atMs }) =>
      when(atMs - to.reachedAtMs > HOUR + SLACK, `${type} to somebody who has answered no Hello for an hour`),
    ),
  },
  {
    id: 'answers-in-session',
    sentence: 'Whoever asks without a session is told so: `no session: say Hello first`.',
    fault: about(['Root', 'Datum', 'NoDatum', 'Nodes'], ({ type, id }, { to, atMs }) =>
      when(
        id !== 0 && atMs - to.admittedAtMs > HOUR + SLACK,
        `${type} to somebody whose Hello was not answered for an hour`,
      ),
    ),
  },
  {
    id: 'pushes-in-session',
    sentence: 'After publishing, a signed Root with id 0 goes to everybody with whom there is a session',
    fault: about(['Root'], ({ id }, { to, atMs, isSigned }) =>
      when(
        id === 0 && (!isSigned || atMs - to.reachedAtMs > HOUR + SLACK),
        'Root was pushed unsigned, or to somebody who has answered no Hello for an hour',
      ),
    ),
  },
  {
    id: 'amplifies-three-times',
    sentence: 'Until then an address gets at most 3 times (`amplification`) the bytes that came from it',
    fault: ({ datagram, bytes, to }) => {
      const isAnswer = !isRequest(typeCode(datagram)) && datagram.id !== 0;
      const isFirst = datagram.type === 'HelloReply' && to.helloReplies === 0;
      const all = to.bytesAnswered + bytes;
      return when(
        isAnswer && !isFirst && !to.isProven && all > AMPLIFICATION * to.bytesHeard,
        `${all} bytes of answers for ${to.bytesHeard}, and nothing is proven`,
      );
    },
  },
  {
    id: 'hello-four-times',
    sentence: 'Hello is sent at most 4 times (`helloSends`)',
    fault: about(['Hello'], ({ id }, { to }) =>
      when((to.asked.get(id)?.sends ?? 0) >= HELLO_SENDS, 'Hello a fifth time under one id'),
    ),
  },
  {
    id: 'asks-five-times',
    sentence: 'Anything else is sent at most 5 times (`requestSends`), the same bytes each time',
    fault: about(['RootRequest', 'GetDatum', 'GetNodes'], ({ type, id }, { to, signed }) => {
      const earlier = to.asked.get(id);
      if (earlier?.datagram.type !== type) return undefined;
      return when(
        earlier.sends >= OTHER_SENDS || Buffer.compare(earlier.signed, signed) !== 0,
        `${type} too often, or with other bytes under the same id`,
      );
    }),
  },
  {
    id: 'asks-until-answered',
    sentence: 'until it is answered',
    fault: about(['GetDatum'], ({ id }, { to }) =>
      when(to.asked.get(id)?.isAnswered === true, 'GetDatum once more, after it was answered'),
    ),
  },
  {
    id: 'ids-are-not-zero',
    sentence: 'Requests carry ids that cannot be guessed, never 0.',
    fault: about(['Hello', 'RootRequest', 'GetDatum', 'GetNodes'], (request, { program }) => {
      const earlier = program.questions.get(request.id);
      return when(
        request.id === 0 || (earlier !== undefined && earlier !== questionOf(request)),
        `${request.type} under an id that is 0, or was used for something else`,
      );
    }),
  },
  {
    id: 'signs',
    sentence: 'We sign Hello and RootRequest, not GetDatum.',
    fault: about(['Hello', 'RootRequest', 'GetDatum'], ({ type }, { isSigned }) =>
      when(isSigned !== (type !== 'GetDatum'), `${type} ${isSigned ? 'signed' : 'unsigned'}`),
    ),
  },
  {
    id: 'signs-answers',
    sentence: 'HelloReply and Root of a peer with a key count only under its signature.',
    fault: about(['HelloReply', 'Root'], ({ type }, { isSigned }) => when(!isSigned, `${type} unsigned`)),
  },
  {
    id: 'few-errors',
    sentence: 'Ours have at most 64 bytes, and go to one source at most 5 times (`errorsPerSource`)',
    fault: about(['Error'], ({ text }, { to, atMs }) => {
      // Within one sweep, wherever that began: twice as many may come close together.
      const recent = to.errorsAtMs.filter((earlier) => atMs - earlier < SWEEP).length;
      return when(Buffer.byteLength(text) > 64 || recent >= 10, 'an Error too long, or one too many');
    }),
  },
  {
    id: 'traversal-was-asked-for',
    sentence:
      'The directory forwards only for senders with a session, only to listed addresses, at a limited rate, and whatever the id.',
    fault: about(['NatTraversalServer'], ({ address }, { to, program }) =>
      when(
        !program.traversals.get(formatAddress(to.address))?.has(formatAddress(address)),
        'NatTraversalServer that nobody in session asked for',
      ),
    ),
  },
  {
    id: 'bulk-is-agreed',
    sentence: 'Nodes are asked for in bulk only between two that both promise it',
    fault: about(['GetNodes', 'Nodes'], ({ type }, { to }) =>
      when((to.theirFlags & BULK_FLAG) === 0, `${type} to somebody whose Hello does not promise bulk`),
    ),
  },
  {
    id: 'bulk-carries-proof',
    sentence:
      'GetNodes is answered only if it carries the id of one of the last two Hellos by which the address was proven, and otherwise dropped',
    fault: about(['GetNodes', 'Nodes'], (datagram, { to }) => {
      if (datagram.type === 'GetNodes')
        return when(!to.theirHellos.has(datagram.proof), 'GetNodes with a proof that is no Hello of theirs');
      const request = to.requestOf(datagram)?.datagram;
      return when(
        request?.type === 'GetNodes' && !to.proofs.has(request.proof),
        'Nodes for a proof that is no Hello of ours',
      );
    }),
  },
  {
    id: 'bulk-as-granted',
    sentence: 'No more datagrams answer than are granted',
    fault: about(['Nodes'], (nodes, { to, bytes }) => {
      const request = to.requestOf(nodes);
      const grant = request?.datagram.type === 'GetNodes' ? request.datagram.grant : 0;
      const isTooMuch = nodes.sequence >= grant || (request?.answered ?? 0) >= grant * (request?.count ?? 0);
      return when(isTooMuch || bytes > NODES_BYTES, 'more Nodes than were granted, or too large');
    }),
  },
];
