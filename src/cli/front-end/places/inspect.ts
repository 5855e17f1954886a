/** The menu of what the protocol does, step by step. */
import type { Action, Place } from '../../../../machines/front-end-context.ts';
import { truncate } from '../../render/wrap.ts';
import type { Sources } from '../sources.ts';
import { helpKey, type PlaceScreen, wayBack } from './place.ts';

const OWN_TREE = 'own tree';

/** In the order of the menu. */
const entries: readonly { readonly id: string; readonly action: Action; readonly label: string }[] = [
  { id: 'peers', action: 'peers', label: 'list the peers' },
  { id: 'addresses', action: 'addresses', label: 'look up the addresses of a peer' },
  { id: 'hello', action: 'hello', label: 'send a Hello to an address' },
  { id: 'root', action: 'root', label: 'send a RootRequest to a peer' },
  { id: 'sync', action: 'sync', label: "download a peer's tree" },
  { id: OWN_TREE, action: 'tree', label: 'show my own tree' },
  { id: 'tree', action: 'tree', label: "show a peer's tree" },
  { id: 'messages', action: 'messages', label: "show a peer's messages" },
  { id: 'quit', action: 'quit', label: 'quit murmure' },
];

export function inspectPlace(_place: Place, { peer, paint }: Sources): PlaceScreen {
  const items = entries.map(({ id, label }, index) => ({
    id,
    lines: (columns: number) => [truncate(`${paint('bold', String(index + 1))}  ${label}`, columns)],
  }));
  const numbers = entries.map(({ id }, index) => ({
    key: String(index + 1),
    label: '',
    action: 'choose' as const,
    item: id,
  }));
  return {
    title: () => 'inspect',
    from: 'top',
    isText: false,
    empty: '',
    keys: [
      { key: 'enter', label: 'start', action: 'choose' },
      ...numbers,
      { key: 'e', label: 'events', action: 'log' },
      ...wayBack,
      helpKey,
    ],
    items: () => items,
    // The person is asked whom the others are about.
    subject: (_action, item) => (item === OWN_TREE ? peer.name : ''),
    meant: (action, item) => (action === 'choose' ? entries.find(({ id }) => id === item)?.action : action),
  };
}
