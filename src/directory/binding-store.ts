/** What can be read from one registry and added to another, whether it is a file or an engine. */
import type { PublicKey } from '../identity/public-key.ts';

/** With ages instead of times: each registry has a clock of its own. */
export interface Binding {
  readonly name: string;
  readonly key: PublicKey | undefined;
  /** Of the directory's running time. */
  readonly ageMs: number;
  /** Newest proof first. */
  readonly addresses: readonly {
    readonly address: string;
    readonly provenAgoMs: number;
    readonly answeredAgoMs: number;
  }[];
}

export interface BindingStore extends AsyncDisposable {
  read(): AsyncIterable<Binding>;
  /** Returns how many were new: a name that is already there is not changed. */
  add(bindings: readonly Binding[]): Promise<number>;
}
