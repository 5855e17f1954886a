/** Screens to read: a tree, recent events, the settings, and what every key does. */
import type { Place } from '../../../../machines/front-end-context.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { type Hash, isEmptyRoot } from '../../../wire/hash.ts';
import type { Paint } from '../../output/output.ts';
import { renderTreeLine, treeLines } from '../../render/tree.ts';
import { truncate, wrapText } from '../../render/wrap.ts';
import { settingText } from '../../settings/settings.ts';
import { helpLines } from '../help.ts';
import type { ReadStore, Sources } from '../sources.ts';
import { everywhere, helpKey, type PlaceScreen, textItems, wayBack } from './place.ts';

/** The longest name of one, and a space. */
const SETTING_COLUMNS = 17;
/** A few nodes can expand to billions (protocol §9). */
const MOST_NODES = 2_000;
const NOT_DOWNLOADED = 'This tree was not downloaded yet: press s on the page of this peer.';

export function treePlace({ subject: name }: Place, sources: Sources): PlaceScreen {
  const { store, peer, paint } = sources;
  const root = name === peer.name ? store.ownFeed().root : store.currentRoot(name);
  const items = textItems(root === undefined ? [NOT_DOWNLOADED] : linesOfTree(store, root, paint), cut);
  return {
    title: () => `tree of ${safeLine(name)}`,
    from: 'top',
    isText: true,
    empty: '',
    keys: [{ key: 'enter', label: 'messages', action: 'messages' }, ...wayBack, helpKey, ...everywhere],
    items: () => items,
    subject: () => name,
  };
}

function linesOfTree(store: ReadStore, root: Hash, paint: Paint): string[] {
  if (isEmptyRoot(root)) return ['The tree is empty: there are no messages yet.'];
  const lines = treeLines(store, root, Number.POSITIVE_INFINITY)
    .take(MOST_NODES + 1)
    .toArray();
  const rendered = lines.slice(0, MOST_NODES).map((line) => renderTreeLine(line, paint));
  return lines.length > MOST_NODES ? [...rendered, 'There is more. "murmure tree" shows the whole tree.'] : rendered;
}

export function logPlace(_place: Place, { live, paint }: Sources): PlaceScreen {
  return {
    title: () => 'recent events',
    from: 'bottom',
    isText: true,
    empty: '',
    keys: [...wayBack, helpKey, ...everywhere.filter(({ action }) => action !== 'log')],
    items: () => {
      const lines = live.log.map(({ atMs, text, isWarning }) => {
        const time = new Date(atMs).toTimeString().slice(0, 8);
        return `${paint('dim', time)}  ${isWarning ? paint('yellow', safeLine(text)) : safeLine(text)}`;
      });
      return textItems(lines.length === 0 ? ['Nothing has happened yet.'] : lines, (line, width) =>
        wrapText(line, width, 10),
      );
    },
    subject: () => '',
  };
}

export function settingsPlace(_place: Place, { settings, paint }: Sources): PlaceScreen {
  const lines = settings.map(({ setting, value, from, source }) => {
    const shown = value === null ? paint('dim', 'not set') : safeLine(settingText(value));
    const origin = from === 'default' ? '' : `  (${from}${source === null ? '' : ` ${safeLine(source)}`})`;
    return `${paint('bold', setting.padEnd(SETTING_COLUMNS))}${shown}${paint('dim', origin)}`;
  });
  const items = textItems(
    [...lines, '', 'A change of "notify" takes effect at once, any other change the next time you start murmure.'],
    (line, width) => wrapText(line, width, 4),
  );
  return {
    title: () => 'settings',
    from: 'top',
    isText: true,
    empty: '',
    keys: [{ key: 'o', label: 'open config.toml', action: 'edit-settings' }, ...wayBack, helpKey, ...everywhere],
    items: () => items,
    subject: () => '',
  };
}

export function helpPlace(_place: Place, { paint }: Sources): PlaceScreen {
  const items = textItems(helpLines(paint), (line, width) => wrapText(line, width, 14));
  return {
    title: () => 'help',
    from: 'top',
    isText: true,
    empty: '',
    keys: [...wayBack, ...everywhere],
    items: () => items,
    subject: () => '',
  };
}

function cut(line: string, width: number): string[] {
  return [truncate(line, width)];
}
