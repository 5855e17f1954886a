/** Watches what one program hears and says, and tells which sentences of docs/protocol.md it breaks. */
import { decodeDatagram } from '../../src/wire/datagram.ts';
import { formatAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import { Remote } from './remote.ts';
import { questionOf, rules } from './rules.ts';

export interface Violation {
  readonly rule: string;
  readonly atMs: number;
  readonly to: string;
  readonly what: string;
}

const HOUR = 3_600_000;
/** BOUNDED: ids that are remembered. */
const MOST_QUESTIONS = 65_536;

export class Oracle {
  readonly violations: Violation[] = [];
  readonly #remotes = new Map<string, Remote>();
  readonly #questions = new Map<number, string>();
  readonly #traversals = new Map<string, Set<string>>();

  heard(bytes: Uint8Array, from: SocketAddress, atMs: number): void {
    const remote = this.#remote(from);
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) {
      remote.bytesHeard += bytes.length;
      return;
    }
    const { datagram } = decoded.value;
    remote.hear(datagram, bytes.length, atMs);
    const isInSession = atMs - remote.admittedAtMs <= HOUR;
    if (datagram.type !== 'NatTraversalClient' || !isInSession) return;
    const target = formatAddress(datagram.address);
    const senders = this.#traversals.get(target) ?? new Set();
    this.#traversals.set(target, senders.add(formatAddress(from)));
  }

  said(bytes: Uint8Array, to: SocketAddress, atMs: number): void {
    const remote = this.#remote(to);
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) {
      this.violations.push({ rule: 'well-formed', atMs, to: formatAddress(to), what: decoded.why });
      return;
    }
    const { datagram, signature, signed } = decoded.value;
    const program = { traversals: this.#traversals, questions: this.#questions };
    const said = {
      datagram,
      isSigned: signature !== undefined,
      signed,
      bytes: bytes.length,
      to: remote,
      atMs,
      program,
    };
    for (const { id, fault } of rules) {
      const what = fault(said);
      if (what !== undefined) this.violations.push({ rule: id, atMs, to: formatAddress(to), what });
    }
    remote.say(datagram, signed, bytes.length, atMs);
    if (remote.asked.has(datagram.id)) this.#remember(datagram.id, questionOf(datagram));
  }

  #remember(id: number, question: string): void {
    this.#questions.set(id, question);
    if (this.#questions.size > MOST_QUESTIONS) this.#questions.delete(this.#questions.keys().next().value as number);
  }

  #remote(address: SocketAddress): Remote {
    const text = formatAddress(address);
    const known = this.#remotes.get(text) ?? new Remote(address);
    this.#remotes.set(text, known);
    return known;
  }
}
