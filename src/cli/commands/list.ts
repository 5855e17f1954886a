/** `murmure list`: lists of people, which `@NAME` stands for wherever several peers can be named. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { requireUnblocked } from '../../store/blocked.ts';
import type { Store } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UnknownListError, UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { nearest } from '../input/nearest.ts';
import { requireListName, withLists } from '../input/peer-lists.ts';
import { type LookUpOptions, requirePeers } from '../input/peer-names.ts';
import { requireValidName } from '../input/validate.ts';

export function declare(program: Command, run: Run): void {
  const list = program
    .command('list')
    .summary('keep lists of people')
    .description('Keeps lists of people. @NAME stands for all of a list wherever several peers can be named.')
    .helpCommand(false)
    .addHelpText('after', examples('list', 'list add friends alice bob'));
  list
    .command('show', { isDefault: true })
    .summary('show your lists')
    .description('Shows the members of a list, or of all lists.')
    .argument('[list]', 'the name of a list; default: all of them')
    .addHelpText('after', examples('list', 'list show friends'))
    .action((name: string | undefined) => run((context) => show(context, name)));
  list
    .command('add')
    .summary('add people to a list')
    .description('Adds people to a list, and makes the list if it does not exist. It does not follow them.')
    .argument('<list>', 'the name of the list')
    .argument('<peer...>', 'whom to add')
    .option('--force', 'add them without asking the directory whether the names are right')
    .addHelpText('after', examples('list add friends alice bob', 'list add friends carol'))
    .action((name: string, peers: string[], options: LookUpOptions) =>
      run((context) => add(context, name, peers, options)),
    );
  list
    .command('remove')
    .summary('remove people from a list, or a whole list')
    .description('Removes people from a list, or the whole list if nobody is named.')
    .argument('<list>', 'the name of the list')
    .argument('[peer...]', 'whom to remove; default: everybody')
    .addHelpText('after', examples('list remove friends bob', 'list remove friends'))
    .action((name: string, peers: string[]) => run((context) => remove(context, name, peers)));
}

async function show(context: CommandContext, name: string | undefined): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  const wanted = name === undefined ? [...store.lists().keys()] : [nameOf(store, name)];
  for (const list of wanted) tell(context, store, list);
  if (wanted.length === 0) context.output.note('There are no lists yet: "murmure list add NAME PEER" makes one.');
}

async function add(context: CommandContext, name: string, peers: readonly string[], options: LookUpOptions) {
  const list = withoutSign(name);
  requireListName(list);
  const { name: ownName, store: opened } = await openStore(context.settings.home);
  using store = opened;
  if (peers.includes(ownName)) throw new UsageError(`"${ownName}" is yourself: lists are of other people`);
  const untilListed = 'it is on the list all the same';
  const wanted = withLists(store, peers);
  for (const peer of wanted) requireUnblocked(store, peer);
  const names = await requirePeers(context, { ...options, names: wanted, store, ownName, untilListed });
  store.addToList(list, names);
  tell(context, store, list);
}

async function remove(context: CommandContext, name: string, peers: readonly string[]): Promise<void> {
  for (const peer of peers) requireValidName(peer);
  using store = (await openStore(context.settings.home)).store;
  const list = nameOf(store, name);
  const members = store.lists().get(list) ?? [];
  const leaving = peers.length === 0 ? members : withLists(store, peers);
  for (const peer of leaving)
    if (!members.includes(peer)) context.output.note(`"${peer}" was not on the list "${list}".`);
  store.removeFromList(list, leaving);
  tell(context, store, list);
}

function tell({ output }: CommandContext, store: Store, list: string): void {
  const peers = store.lists().get(list) ?? [];
  output.data({ list, peers }, (paint) => {
    const members = peers.length === 0 ? paint('dim', '(nobody)') : peers.map((peer) => safeLine(peer)).join(', ');
    return `${paint('bold', `@${list}`)}  ${members}`;
  });
}

/** One may type it as it is used. */
function withoutSign(name: string): string {
  return name.replace(/^@/, '');
}

/** Of a list that there is. @throws UnknownListError */
function nameOf(store: Store, name: string): string {
  const list = withoutSign(name);
  const lists = store.lists();
  if (!lists.has(list)) throw new UnknownListError(list, nearest(list, lists.keys()));
  return list;
}
