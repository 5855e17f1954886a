/**
 * Two peers and a bad channel, as a value: A says Hello to B, asks for its root and for the node below it; B proves A's address meanwhile. The
 * machines are those of the program, moved by XState's pure `transition`. Whoever explores it decides what happens next.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, transition } from 'xstate';
import type { Random } from '../../machines/effects.ts';
import { incomingSessionMachine } from '../../machines/incoming-session.machine.ts';
import { requestMachine } from '../../machines/request.machine.ts';
import type { Question, RequestOrder } from '../../machines/request-context.ts';
import {
  appendSignature,
  type Datagram,
  decodeDatagram,
  encodeDatagram,
  isRequest,
  typeCode,
} from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { nobody } from '../machines/walk-machine.ts';

const A: SocketAddress = { ip: '192.0.2.1', port: 1 };
const B: SocketAddress = { ip: '192.0.2.2', port: 2 };
const SIGNATURE = new Uint8Array(64).fill(1);
/** A message as large as they get. */
export const NODE = new Uint8Array(1_024).fill(2);
const ROOT = hashOf(NODE);
/** Nothing in the machines depends on how late it is here: whatever waits may come at any moment. */
const NOW = 1;

const OWNER = nobody('owner');
const SOCKET = nobody('socket');
const always = (id: number): Random => ({ uint32: () => id, fraction: () => 0.5 });

type Who = 'a' | 'b' | 'proof';

export interface InFlight {
  readonly to: 'a' | 'b';
  readonly bytes: Uint8Array;
}

export interface SmallWorld {
  readonly actors: Readonly<Partial<Record<Who, AnyMachineSnapshot>>>;
  /** Delays that may be over at any moment, by whose they are. */
  readonly timers: readonly { readonly of: Who; readonly event: EventObject; readonly id: string }[];
  readonly channel: readonly InFlight[];
  readonly lossesLeft: number;
  readonly copiesLeft: number;
  /** What A asks for now. */
  readonly stage: number;
  /** A was refused, and has said Hello once more. */
  readonly isRegreeted: boolean;
  readonly isCredulous: boolean;
  readonly end: 'none' | 'has the node' | 'gave up';
  /** Of B and its proof together. */
  readonly bytesToA: number;
  readonly bytesToB: number;
  /** A was proven, or could have been. */
  readonly isProven: boolean;
  /** What no world may do; empty: nothing. */
  readonly wrongs: readonly string[];
}

const QUESTIONS: readonly Question[] = [
  { type: 'Hello', flags: 0, name: 'a' },
  { type: 'RootRequest' },
  { type: 'GetDatum', hash: ROOT },
];

function orderOf(question: Question, to: SocketAddress): RequestOrder {
  return {
    question,
    to,
    socket: SOCKET,
    answerKey: 'key',
    answerName: undefined,
    firstTimeoutMs: 1,
    roundTripMs: undefined,
    maxSends: question.type === 'Hello' ? 4 : 5,
    zeroEndingIds: false,
    requester: undefined,
    ticket: 0,
    sentBefore: 0,
    heard: 0,
  };
}

const machines: Readonly<Record<Who, AnyStateMachine>> = {
  a: requestMachine as AnyStateMachine,
  b: incomingSessionMachine as AnyStateMachine,
  proof: requestMachine as AnyStateMachine,
};

/** `isCredulous`: B takes A’s address for proven from the start, which it must not. */
export function newWorld(lossesLeft: number, copiesLeft: number, isCredulous = false): SmallWorld {
  const empty: SmallWorld = {
    actors: {},
    timers: [],
    channel: [],
    lossesLeft,
    copiesLeft,
    stage: 0,
    isRegreeted: false,
    isCredulous,
    end: 'none',
    bytesToA: 0,
    bytesToB: 0,
    isProven: false,
    wrongs: [],
  };
  const world = start(empty, 'a', { slot: 0, owner: OWNER, random: always(0x0a0a0a07) });
  return ask(world);
}

function ask(world: SmallWorld): SmallWorld {
  const question = QUESTIONS[world.stage];
  return question === undefined
    ? world
    : tell(world, 'a', { type: 'request.open', order: orderOf(question, B), atMs: NOW } as EventObject);
}

function start(world: SmallWorld, who: Who, input: unknown): SmallWorld {
  const [snapshot, actions] = initialTransition(machines[who], input as never);
  return carryOut({ ...world, actors: { ...world.actors, [who]: snapshot } }, who, actions as never);
}

function tell(world: SmallWorld, who: Who, event: EventObject): SmallWorld {
  const before = world.actors[who];
  if (before === undefined) return world;
  const [snapshot, actions] = transition(machines[who], before as never, event as never);
  return carryOut({ ...world, actors: { ...world.actors, [who]: snapshot } }, who, actions as never);
}

interface Executable {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind of action has its own
  readonly params: any;
}

/** Effects are done at once, so that the channel and the timers are all that is open. */
function carryOut(from: SmallWorld, who: Who, actions: readonly Executable[]): SmallWorld {
  let world = from;
  for (const { type, params } of actions) {
    switch (type) {
      case 'xstate.raise':
        if (params.delay !== undefined)
          world = {
            ...world,
            timers: [...without(world, who, params.id), { of: who, event: params.event, id: params.id }],
          };
        break;
      case 'xstate.cancel':
        world = { ...world, timers: without(world, who, params.sendId ?? params.id ?? params) };
        break;
      case 'xstate.sendTo':
        world = heard(world, who, params.event);
        break;
      case 'xstate.spawnChild':
        world = prove(world, params.input);
        break;
      case 'sign':
        world = tell(world, who, { type: 'datagram.signed', id: params.id, signature: SIGNATURE } as EventObject);
        break;
      case 'verify':
        world = tell(world, who, { type: 'answer.verified', id: params.id, valid: true } as EventObject);
        break;
      case 'findKey':
        world = tell(world, who, { type: 'key.found', key: 'key', trusted: true } as EventObject);
        break;
      case 'verifyHello':
        world = tell(world, who, { type: 'hello.verified', id: params.id, valid: true } as EventObject);
        break;
      case 'readNodes': {
        const nodes = params.requests.map(({ id, hash }: { id: number; hash: string }) => ({
          id,
          hash,
          value: hash === ROOT ? NODE : undefined,
        }));
        world = tell(world, who, { type: 'nodes.read', nodes } as EventObject);
        break;
      }
      case 'sendSigned':
        world = post(world, 'a', appendSignature(encodeDatagram(params.datagram), SIGNATURE));
        break;
    }
  }
  return world;
}

const without = (world: SmallWorld, who: Who, id: string) =>
  world.timers.filter((timer) => timer.of !== who || timer.id !== id);

/** B's Hello to A, by which it proves A's address. */
function prove(world: SmallWorld, input: { readonly maxSends: number } | undefined): SmallWorld {
  if (input?.maxSends === undefined) return world;
  const begun = start(world, 'proof', { slot: 0, owner: OWNER, random: always(0x0b0b0b07) });
  const order = { ...orderOf({ type: 'Hello', flags: 0, name: 'b' }, A), maxSends: input.maxSends };
  return tell(begun, 'proof', { type: 'request.open', order, atMs: NOW } as EventObject);
}

// biome-ignore lint/suspicious/noExplicitAny: whatever they tell each other
function heard(world: SmallWorld, who: Who, event: any): SmallWorld {
  if (event.type === 'datagrams.send') {
    return (event.datagrams as Uint8Array[]).reduce((now, bytes) => post(now, who === 'a' ? 'b' : 'a', bytes), world);
  }
  if (event.type === 'error.owed')
    return post(world, 'a', encodeDatagram({ type: 'Error', id: event.id, text: event.text }));
  if (event.type !== 'request.ended') return world;
  const { outcome } = event;
  if (who === 'proof') {
    const proven = outcome.kind === 'answered';
    const output = { proven, address: A, name: 'a', key: 'key', provenBy: proven ? outcome.ids : [], atMs: NOW };
    const actors = { ...world.actors };
    delete actors.proof;
    return tell({ ...world, actors, isProven: world.isProven || proven }, 'b', {
      type: 'xstate.done.actor.address-proof',
      output,
    } as EventObject);
  }
  if (outcome.kind === 'answered') return next(world, outcome.answer);
  // An Error means that the other side forgot the session: Hello once more, then on.
  if (outcome.kind === 'refused' && !world.isRegreeted) return ask({ ...world, stage: 0, isRegreeted: true });
  return { ...world, end: 'gave up' };
}

function next(world: SmallWorld, answer: Datagram): SmallWorld {
  if (answer.type === 'Datum') {
    const isRight = answer.hash === ROOT && hashOf(answer.value) === ROOT;
    return {
      ...world,
      end: 'has the node',
      wrongs: isRight ? world.wrongs : [...world.wrongs, 'A took a node that is another one'],
    };
  }
  return ask({ ...world, stage: world.stage + 1 });
}

function post(world: SmallWorld, to: 'a' | 'b', bytes: Uint8Array): SmallWorld {
  const sent = { ...world, channel: [...world.channel, { to, bytes }] };
  if (to === 'b') return sent;
  const decoded = decodeDatagram(bytes);
  const bytesToA = world.bytesToA + bytes.length;
  const isLarge = decoded.ok && decoded.value.datagram.type === 'Datum' && !world.isProven;
  // The first greeting is free (protocol §5).
  const isTooMuch = !world.isProven && bytesToA > 3 * world.bytesToB + 2 * 77;
  const wrongs = [
    ...(isLarge ? ['B sent a node to an address that is not proven'] : []),
    ...(isTooMuch ? ['B sent too much to an address that is not proven'] : []),
  ];
  return { ...sent, bytesToA, wrongs: [...world.wrongs, ...wrongs] };
}

/** A datagram comes out of the channel. */
export function arrive(world: SmallWorld, index: number, stays = false): SmallWorld {
  const { to, bytes } = world.channel[index] as InFlight;
  const channel = stays ? world.channel : world.channel.toSpliced(index, 1);
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return { ...world, wrongs: [...world.wrongs, decoded.why] };
  const received = decoded.value;
  const { datagram } = received;
  const rest = { ...world, channel, copiesLeft: world.copiesLeft - (stays ? 1 : 0) };
  const answer = { type: 'answer.received', answer: received, from: to === 'a' ? B : A, atMs: NOW } as EventObject;
  if (to === 'a') {
    if (datagram.type !== 'Hello') return tell(rest, 'a', answer);
    const reply = encodeDatagram({ type: 'HelloReply', id: datagram.id, flags: 0, name: 'a' });
    return post(rest, 'b', appendSignature(reply, SIGNATURE));
  }
  const size = bytes.length;
  const counted = { ...rest, bytesToB: rest.bytesToB + size };
  if (!isRequest(typeCode(datagram))) return tell(counted, 'proof', answer);
  const delivery = { received, from: A, size, atMs: NOW, socket: SOCKET };
  if (counted.actors.b === undefined) {
    if (datagram.type !== 'Hello')
      return post(counted, 'a', encodeDatagram({ type: 'Error', id: datagram.id, text: 'no session' }));
    const input = {
      address: A,
      ownName: 'b',
      ownRoot: ROOT,
      owner: OWNER,
      socket: SOCKET,
      random: always(0x0c0c0c07),
      flags: 0,
      hello: delivery,
      isGreetingFree: true,
      proven: counted.isCredulous,
      provenBy: [],
    };
    return start(counted, 'b', input);
  }
  const event =
    datagram.type === 'GetDatum'
      ? { type: 'nodes.requested', requests: [datagram], size, atMs: NOW }
      : { type: 'request.received', ...delivery };
  return tell(counted, 'b', event as EventObject);
}

export function lose(world: SmallWorld, index: number): SmallWorld {
  return { ...world, channel: world.channel.toSpliced(index, 1), lossesLeft: world.lossesLeft - 1 };
}

export function fire(world: SmallWorld, index: number): SmallWorld {
  const timer = world.timers[index];
  if (timer === undefined) return world;
  return tell({ ...world, timers: world.timers.toSpliced(index, 1) }, timer.of, timer.event);
}

/** Equal for worlds that cannot be told apart. */
export function keyOf(world: SmallWorld): string {
  const { actors, timers, channel, bytesToA: _, bytesToB: __, ...rest } = world;
  const states = Object.entries(actors).map(([who, { value, context }]) => [who, value, context]);
  const flying = channel.map(({ to, bytes }) => `${to} ${Buffer.from(bytes).toString('base64')}`).sort();
  const waiting = timers.map(({ of, id }) => `${of} ${id}`).sort();
  return JSON.stringify([rest, states, flying, waiting], (key, value) =>
    IGNORED.has(key) ? undefined : value instanceof Uint8Array ? hashOf(value) : value,
  );
}

/** References, and what only counts. */
const IGNORED = new Set([
  'owner',
  'socket',
  'random',
  'waitedMs',
  'faults',
  'reported',
  'timeoutMs',
  'bytesReceived',
  'bytesSent',
  'received',
  'answer',
  'signed',
]);
