/** Lists of people: `@NAME` stands for the members of one, wherever peers are named. */
import type { Store } from '../../store/store.ts';
import { UnknownListError, UsageError } from '../errors.ts';
import { nearest } from './nearest.ts';

const LIST_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.-]{0,63}$/u;

/** @throws UsageError unless a list can be called so */
export function requireListName(name: string): void {
  if (!LIST_NAME.test(name))
    throw new UsageError(`a list is called by letters, digits, ".", "_" and "-", not "${name}"`);
}

/** For a command that is about one peer. @throws UsageError for a list, UnknownListError */
export function requireNoList(store: Pick<Store, 'lists' | 'peer'>, name: string): void {
  if (!name.startsWith('@') || store.peer(name) !== undefined) return;
  const members = withLists(store, [name]);
  const who = members.length === 0 ? '' : `, such as ${members.slice(0, 3).join(', ')}`;
  throw new UsageError(`"${name}" is a list, and this command is about one peer: name a member of the list${who}`);
}

/** The names, with the members of a list in the place of its name; each once. @throws UnknownListError */
export function withLists(store: Pick<Store, 'lists' | 'peer'>, names: readonly string[]): readonly string[] {
  if (!names.some((name) => name.startsWith('@'))) return names;
  const lists = store.lists();
  const members = (name: string): readonly string[] => {
    if (!name.startsWith('@')) return [name];
    const list = name.slice(1);
    const found = lists.get(list);
    if (found !== undefined) return found;
    // A peer may be called so.
    if (store.peer(name) !== undefined) return [name];
    throw new UnknownListError(list, nearest(list, lists.keys()));
  };
  return [...new Set(names.flatMap(members))];
}

/**
 * For commands about what this home has: the members of a list that it knows nothing of are left out. If it knows none of them, all are
 * named, so that the command says so. @throws UnknownListError
 */
export function withKnownOfLists(store: Pick<Store, 'lists' | 'peer'>, names: readonly string[]): readonly string[] {
  const everybody = withLists(store, names);
  const known = everybody.filter((name) => names.includes(name) || store.peer(name) !== undefined);
  return known.length === 0 ? everybody : known;
}
