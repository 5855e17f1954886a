/** What the lab's store remembers beside trees and messages: whom it talked to, and what the person has marked. BOUNDED by the page's life. */
import type { PublicKey } from '../../identity/public-key.ts';
import type { Habit, Mark, MarkKind } from '../../store/store.ts';

export class MemoryNotes {
  readonly #readers = new Map<string, number>();
  readonly #addresses = new Map<string, string>();
  readonly #habits = new Map<string, Habit>();
  readonly #trusted = new Set<string>();
  readonly #marks = new Map<string, Mark>();
  readonly #lists = new Map<string, Set<string>>();

  noteReader(name: string, nowMs: number): void {
    this.#readers.delete(name);
    this.#readers.set(name, nowMs);
  }

  readersSince(ms: number, nowMs: number): string[] {
    const since = [...this.#readers].filter(([, atMs]) => Math.min(atMs, nowMs) >= ms);
    return since.map(([name]) => name).reverse();
  }

  addressOf(name: string): string | undefined {
    return this.#addresses.get(name);
  }

  noteAddress(name: string, address: string): void {
    this.#addresses.set(name, address);
  }

  habitOf(address: string, key: PublicKey | null): Habit | undefined {
    return this.#habits.get(`${address} ${key ?? ''}`);
  }

  noteHabit(address: string, key: PublicKey | null, habit: Habit): void {
    this.#habits.set(`${address} ${key ?? ''}`, habit);
  }

  trustsUnsigned(name: string, key: PublicKey): boolean {
    return this.#trusted.has(`${key} ${name}`);
  }

  setTrustUnsigned(name: string, key: PublicKey, trusts: boolean): void {
    if (trusts) this.#trusted.add(`${key} ${name}`);
    else this.#trusted.delete(`${key} ${name}`);
  }

  marks(kind: MarkKind): Mark[] {
    return [...this.#marks.values()].filter((mark) => mark.kind === kind);
  }

  markedAmong(kind: MarkKind, subjects: readonly string[]): Set<string> {
    return new Set(subjects.filter((subject) => this.#marks.has(`${kind} ${subject}`)));
  }

  setMarks(marks: readonly Mark[]): number {
    const before = this.#marks.size;
    for (const mark of marks) this.#marks.set(`${mark.kind} ${mark.subject}`, mark);
    return this.#marks.size - before;
  }

  removeMark(kind: MarkKind, subject: string): boolean {
    return this.#marks.delete(`${kind} ${subject}`);
  }

  noticedUntilMs(): number {
    return 0;
  }

  lists(): Map<string, readonly string[]> {
    const filled = [...this.#lists].filter(([, members]) => members.size > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(filled.map(([list, members]) => [list, [...members].sort()]));
  }

  addToList(list: string, peers: readonly string[]): void {
    const members = this.#lists.get(list) ?? new Set();
    for (const peer of peers) members.add(peer);
    this.#lists.set(list, members);
  }

  removeFromList(list: string, peers: readonly string[]): void {
    for (const peer of peers) this.#lists.get(list)?.delete(peer);
  }

  protected removeFromLists(peer: string): void {
    for (const list of this.#lists.keys()) this.removeFromList(list, [peer]);
  }
}
