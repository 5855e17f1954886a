/** The life of a post as a sequence: what the actors of its author and of a reader told each other, from the two journals of one run. */
import { fileURLToPath } from 'node:url';
import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate';
import { readJournal } from '../../src/journal/journal-file.ts';
import { replay } from '../../src/journal/replay.ts';
import { eventName, Tracer } from '../../src/journal/trace.ts';
import { decodeDatagram } from '../../src/wire/datagram.ts';
import { type Band, drawSequence, type Row } from './sequence.ts';

const journalOf = (name: string) => fileURLToPath(new URL(`../../test/replay/${name}.jsonl`, import.meta.url));

/** From left to right. Whatever is no actor is an effect: signatures, the store, the program. */
const LANES = {
  alice: ['effects', 'peer', 'incoming-session', 'outgoing-session', 'socket'],
  bob: ['socket', 'request', 'outgoing-session', 'merkle-walk', 'peer', 'effects'],
} as const;
type Side = keyof typeof LANES;

/** Bookkeeping, which would hide what matters. */
const LEFT_OUT = [
  'answers.delivered',
  'push.confirmed',
  'reader.seen',
  'request.ended',
  'root.changed',
  'session.used',
  'sync.progressed',
];

/** Said above the first event of that name after the one before. */
const STORY: readonly (readonly [side: Side, event: string, says: string])[] = [
  ['alice', 'root.published', 'Alice has written. Her new root is signed, and pushed to each of her readers.'],
  [
    'bob',
    'datagrams.received',
    'Bob checks the signature, and starts a walk: which nodes of the new tree are missing?',
  ],
  ['bob', 'bulk.wanted', 'The root itself is. Alice reads it from her store.'],
  [
    'bob',
    'bulk.wanted',
    'One level down, one node is new. All other hashes are known, and so is everything below them.',
  ],
  ['bob', 'bulk.wanted', 'Another level down is the message.'],
  ['bob', 'tree.adopted', 'The tree is complete. The store makes it the current one, and the message can be read.'],
];

interface Told extends Row {
  readonly side: Side;
  readonly atMs: number;
  readonly event: string;
}

export async function lifeOfAPost(): Promise<string> {
  const [alice, bob] = [await toldIn('push-author', 'alice'), await toldIn('push', 'bob')];
  const from = alice.findLastIndex(({ event }) => event === 'root.published');
  const startedAtMs = alice[from]?.atMs ?? 0;
  const to = bob.findLastIndex(({ event }) => event.endsWith(' is done')) + 1;
  const arrived = bob.findIndex(({ atMs, event }) => atMs >= startedAtMs && event === 'datagrams.received');
  const until = bob[to - 1]?.atMs ?? 0;
  const rows = [...alice.slice(from).filter(({ atMs }) => atMs <= until), ...bob.slice(arrived, to)]
    .filter(({ event }) => !LEFT_OUT.includes(event))
    .sort((a, b) => a.atMs - b.atMs);
  return drawSequence({
    title: 'the life of a post',
    description:
      'From the author’s program to the reader’s store: messages between actors, and datagrams (orange) between the two peers. Bold: the state that a message led to. Drawn from the journals of one run.',
    groups: Object.entries(LANES).map(([name, lanes]) => ({
      name,
      lanes: lanes.map((lane) => ({ id: `${name} ${lane}`, name: lane })),
    })),
    bands: bandsOf(rows, startedAtMs),
  });
}

function bandsOf(rows: readonly Told[], startedAtMs: number): Band[] {
  const bands: Band[] = [];
  let next = 0;
  for (const row of rows) {
    const [side, event, says] = STORY[next] ?? [];
    if (row.side === side && row.event === event) {
      bands.push({ says: `${row.atMs - startedAtMs} ms · ${says}`, rows: [] });
      next += 1;
    }
    (bands.at(-1)?.rows as Row[] | undefined)?.push(row);
  }
  if (next < STORY.length) throw new Error(`the journals do not tell "${STORY[next]?.[2]}" any more`);
  return bands;
}

async function toldIn(name: string, side: Side): Promise<Told[]> {
  const rows: Told[] = [];
  const sent = new WeakMap<AnyEventObject, { state?: string }>();
  let handled: { state?: string } | undefined;
  const tracer = new Tracer(({ from, to }) => {
    if (from !== to && handled !== undefined) handled.state = to;
  });
  const inspect = (inspected: InspectionEvent, atMs: number) => {
    if (inspected.type === '@xstate.event') {
      const row = rowOf(
        side,
        inspected.sourceRef as AnyActorRef | undefined,
        inspected.actorRef as AnyActorRef,
        inspected.event,
        atMs,
      );
      sent.set(inspected.event, row);
      rows.push(row);
    } else if (inspected.type === '@xstate.microstep') {
      handled = sent.get(inspected.event);
      tracer.inspect(inspected, atMs);
    }
  };
  await replay(await readJournal(journalOf(name)), { inspect });
  return rows;
}

function rowOf(side: Side, from: AnyActorRef | undefined, to: AnyActorRef, event: AnyEventObject, atMs: number): Told {
  const type = eventName(event.type);
  const isArrival = type === 'datagrams.received';
  const source = isArrival ? `${side === 'alice' ? 'bob' : 'alice'} socket` : `${side} ${kindOf(from)}`;
  const types = datagramsIn(event);
  const name = type.replace(/^.* is done$/, 'done').replace('datagrams.send', 'send');
  const label = isArrival ? types : [name, types].filter(Boolean).join(': ');
  return { side, atMs, event: type, from: source, to: `${side} ${kindOf(to)}`, label, isDatagram: isArrival };
}

function kindOf(actor: AnyActorRef | undefined): string {
  return actor?.id.split('.')[0] ?? 'effects';
}

/** What they are called in the protocol. */
function datagramsIn({ arrivals, datagrams }: AnyEventObject): string {
  const bytes = (arrivals as { bytes: Uint8Array }[] | undefined)?.map((it) => it.bytes) ?? datagrams ?? [];
  const types = (bytes as Uint8Array[]).map((it) => {
    const decoded = decodeDatagram(it);
    return decoded.ok ? decoded.value.datagram.type : 'malformed';
  });
  return types.join(', ');
}
