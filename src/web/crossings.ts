/**
 * Several runs on one time axis, joined by the datagrams that went from one to the other: what a socket sent here is what a socket got
 * there, byte for byte. A row is a step that sent or got datagrams, an arrow is what went from one row to another.
 */
import { decodeDatagram } from '../wire/datagram.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { Message, Run } from './run.ts';

export interface Row {
  /** Its place in the order of time. */
  index: number;
  readonly atMs: number;
  readonly lane: number;
  readonly run: Run;
  /** Counted from the first moment that ever was; -1: none, as of a note. */
  readonly moment: number;
  /** Among those of its run. */
  readonly order: number;
  readonly sent: Arrow[];
  /** Said of what a person, or the scenario, did there. */
  readonly note?: string;
}

export interface Arrow {
  readonly from: Row;
  /** Undefined: nobody has got it yet, and perhaps nobody will. */
  readonly to: Row | undefined;
  readonly type: string;
  readonly address: string;
  /** Alike, and together on their way. */
  count: number;
  /** Arrived before. */
  readonly isAgain: boolean;
}

interface Flight {
  arrow: Arrow;
  hasArrived: boolean;
}

/** Rows that are kept; the older half goes at once. */
const MOST_ROWS = 20_000;

export class Crossings {
  /** BOUNDED by MOST_ROWS. */
  rows: Row[] = [];
  readonly lanes: string[] = [];
  /** Of each run, moments that were looked at, from the first that ever was. */
  readonly #seen = new Map<Run, number>();
  /** By the bytes. BOUNDED by the rows. */
  #flights = new Map<string, Flight[]>();
  /** Lanes by the addresses under which they are known. BOUNDED by the lanes and their moves. */
  readonly #owners = new Map<string, number>();

  laneOf(run: Run): number {
    const { name } = run.header;
    const known = this.lanes.indexOf(name);
    return known === -1 ? this.lanes.push(name) - 1 : known;
  }

  /** Where it would have arrived, as far as that is known. */
  ownerOf(address: string): number | undefined {
    return this.#owners.get(address);
  }

  note(run: Run, atMs: number, note: string): void {
    this.#add({
      index: 0,
      atMs,
      lane: this.laneOf(run),
      run,
      moment: -1,
      order: run.moments.length + run.forgotten,
      sent: [],
      note,
    });
    this.#order();
  }

  /** Takes in what the runs have come to since the last time. */
  follow(runs: readonly Run[]): void {
    const fresh = runs.flatMap((run) => this.#freshOf(run)).sort((a, b) => a.atMs - b.atMs);
    // All that was sent first: clocks of two machines may differ, and what arrives would seem to come before it was sent.
    for (const { run, moment, atMs, message } of fresh) {
      if (message.type === 'datagrams.send') this.#sent(run, moment, atMs, message);
    }
    for (const { run, moment, atMs, message } of fresh) {
      if (message.type === 'datagrams.received') this.#received(run, moment, atMs, message);
    }
    if (fresh.length > 0) this.#order();
  }

  #freshOf(run: Run): { run: Run; moment: number; atMs: number; message: Message }[] {
    const from = Math.max(0, (this.#seen.get(run) ?? 0) - run.forgotten);
    this.#seen.set(run, run.moments.length + run.forgotten);
    this.laneOf(run);
    return run.moments.slice(from).flatMap(({ actor, message, atMs }, i) => {
      if (actor.kind !== 'socket' || message === undefined) return [];
      return [{ run, moment: from + i + run.forgotten, atMs, message }];
    });
  }

  #sent(run: Run, moment: number, atMs: number, { event }: Message): void {
    const { datagrams, to } = event as { datagrams: readonly Uint8Array[]; to: SocketAddress };
    const row = this.#add({ index: 0, atMs, lane: this.laneOf(run), run, moment, order: moment, sent: [] });
    const address = formatAddress(to);
    for (const bytes of datagrams) {
      const key = keyOf(bytes);
      const arrow = joined(row, { from: row, to: undefined, type: typeOf(bytes), address, count: 1, isAgain: false });
      const flights = this.#flights.get(key) ?? [];
      flights.push({ arrow, hasArrived: false });
      this.#flights.set(key, flights);
    }
  }

  #received(run: Run, moment: number, atMs: number, { event }: Message): void {
    const { arrivals } = event as { arrivals: readonly { bytes: Uint8Array; from: SocketAddress }[] };
    const row = this.#add({ index: 0, atMs, lane: this.laneOf(run), run, moment, order: moment, sent: [] });
    for (const { bytes, from } of arrivals) {
      const flights = (this.#flights.get(keyOf(bytes)) ?? []).filter(({ arrow }) => arrow.from.lane !== row.lane);
      const before = flights.filter(({ arrow }) => arrow.from.atMs <= atMs);
      const flight = before.findLast(({ hasArrived }) => !hasArrived) ?? before.at(-1) ?? flights[0];
      if (flight === undefined) continue;
      const { from: sender, type, address } = flight.arrow;
      this.#owners.set(formatAddress(from), sender.lane);
      this.#owners.set(address, row.lane);
      if (!flight.hasArrived) leave(flight.arrow);
      flight.arrow = joined(sender, { from: sender, to: row, type, address, count: 1, isAgain: flight.hasArrived });
      flight.hasArrived = true;
    }
  }

  #add(row: Row): Row {
    this.rows.push(row);
    return row;
  }

  #order(): void {
    if (this.rows.length > MOST_ROWS) {
      this.rows = this.rows.slice(-MOST_ROWS / 2);
      const oldest = this.rows[0]?.atMs ?? 0;
      const kept = [...this.#flights].map(([key, flights]) => [
        key,
        flights.filter((it) => it.arrow.from.atMs >= oldest),
      ]);
      this.#flights = new Map(kept.filter(([, flights]) => flights?.length !== 0) as [string, Flight[]][]);
    }
    // What was there is in order already: that takes little.
    this.rows.sort((a, b) => a.atMs - b.atMs || a.lane - b.lane || a.order - b.order);
    for (const [index, row] of this.rows.entries()) row.index = index;
  }
}

/** With an arrow that goes the same way, if there is one. */
function joined(row: Row, arrow: Arrow): Arrow {
  const alike = row.sent.find(
    (it) =>
      it.to === arrow.to && it.type === arrow.type && it.address === arrow.address && it.isAgain === arrow.isAgain,
  );
  if (alike === undefined) row.sent.push(arrow);
  else alike.count += 1;
  return alike ?? arrow;
}

/** One of them has arrived. */
function leave(arrow: Arrow): void {
  arrow.count -= 1;
  if (arrow.count === 0) arrow.from.sent.splice(arrow.from.sent.indexOf(arrow), 1);
}

/** Who sends the same bytes again means the same. */
function keyOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${bytes.length} ${hash} ${bytes[0]} ${bytes[1]} ${bytes[2]} ${bytes[3]}`;
}

function typeOf(bytes: Uint8Array): string {
  const decoded = decodeDatagram(bytes);
  return decoded.ok ? decoded.value.datagram.type : 'malformed';
}
