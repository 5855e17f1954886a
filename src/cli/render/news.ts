/** What a person need not be told again: a session that fails in the same way every few seconds is no news after the first time. */
import type { PeerFact } from '../../index.ts';
import { otherSideOf } from './event.ts';

/** Of whom it is remembered what was told last. */
const MOST = 1_000;

export class News {
  /** What was told last of whom, as long as it is so. BOUNDED by MOST. */
  readonly #told = new Map<string, string>();

  /** To be asked once about each fact. */
  isNews(fact: PeerFact): boolean {
    switch (fact.type) {
      case 'session.failed':
        return this.#isNew(otherSideOf(fact), fact.failure.message);
      case 'sync.finished': {
        const { peer, error } = fact.report;
        if (error !== undefined) return this.#isNew(peer, error.message);
        this.#forget(peer);
        return true;
      }
      case 'key.changed':
        return this.#isNew(keyOf(fact.name), fact.type);
      case 'session.opened':
        this.#forget(otherSideOf(fact));
        return true;
      case 'peer.answers':
      case 'trust.changed':
        this.#forget(fact.name);
        return true;
      default:
        return true;
    }
  }

  #isNew(who: string, what: string): boolean {
    const isNew = this.#told.get(who) !== what;
    // Set again, it is the last one.
    this.#told.delete(who);
    this.#told.set(who, what);
    const [first] = this.#told.keys();
    if (this.#told.size > MOST && first !== undefined) this.#told.delete(first);
    return isNew;
  }

  #forget(name: string): void {
    this.#told.delete(name);
    this.#told.delete(keyOf(name));
  }
}

/** No name begins so: control characters are refused everywhere. */
function keyOf(name: string): string {
  return `\u0000key ${name}`;
}
