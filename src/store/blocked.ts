/** Whom this home neither serves, greets nor shows. */
import { MurmureError } from '../wire/murmure-error.ts';
import type { Store } from './store.ts';

export function blockedNames(store: Pick<Store, 'peers'>): string[] {
  return store
    .peers()
    .filter(({ blocked }) => blocked)
    .map(({ name }) => name);
}

/** @throws MurmureError `usage` */
export function requireUnblocked(store: Pick<Store, 'peer'>, name: string): void {
  if (store.peer(name)?.blocked !== true) return;
  throw new MurmureError('usage', `you have blocked "${name}": use "murmure unblock ${name}" first`);
}
