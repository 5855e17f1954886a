/** `murmure why`: where a session or a download stands, and what brought it there; from a journal, or from the running peer. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { Explainer, type Explanation } from '../../journal/explain.ts';
import { readJournal } from '../../journal/journal-file.ts';
import { replay } from '../../journal/replay.ts';
import type { LocalStatus } from '../../local-api/schemas.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { NotServingError, UnknownPeerError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireNoList } from '../input/peer-lists.ts';
import { requirePath, requireValidName } from '../input/validate.ts';
import type { Paint } from '../output/output.ts';
import { reachRunningPeer } from '../peer/running-peer.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('why')
    .summary('explain a session or a download')
    .description('Shows the state of the sessions and the download with a peer, and the transitions that led to it.')
    .argument('<peer>', 'the other peer')
    .argument('[file]', 'read this journal (default: ask the peer that runs on this home)')
    .addHelpText('after', examples('why alice', 'why alice run.jsonl'))
    .action((peer: string, file: string | undefined) => run((context) => why(context, peer, file)));
}

export async function why(context: CommandContext, name: string, file: string | undefined): Promise<void> {
  const { output, signal } = context;
  requireValidName(name);
  if (file !== undefined) requirePath('FILE', file);
  if (file === undefined && name.startsWith('@')) {
    using store = (await openStore(context.settings.home)).store;
    requireNoList(store, name);
  }
  const explanations =
    file === undefined ? await fromRunningPeer(context, name) : await fromJournal(file, name, signal);
  if (explanations.length === 0) throw new UnknownPeerError(name);
  for (const explanation of explanations) output.data(explanation, (paint) => render(explanation, paint));
}

/** @throws NotServingError, and as `reachRunningPeer` */
async function fromRunningPeer(context: CommandContext, name: string): Promise<readonly Explanation[]> {
  const api = await reachRunningPeer(context);
  if (api === undefined) {
    throw new NotServingError(context.settings.home.folder, 'name a journal that --record wrote');
  }
  try {
    const both = Promise.all([api.status(), api.dealings(name)]);
    const [status, { explanations }] = await abortable(both, context.signal);
    return [...standingOf(status, name), ...explanations];
  } finally {
    await api.close();
  }
}

/** What the actors that deal with it do not tell any more, or never did: a session forgets why it failed, and who is absent has none. */
function standingOf({ following, readers, directory }: LocalStatus, name: string): Explanation[] {
  const followed = following.find(({ peer }) => peer === name);
  const state = followed && STANDINGS[followed.state];
  const isUnread = readers.some(({ peer, state }) => peer === name && state === 'silent');
  const sentences = [
    ...(state === undefined ? [] : [`${name} ${state}.`]),
    ...(followed?.failure ? [`The last download failed: ${followed.failure.message}.`] : []),
    ...(isUnread ? [`${name} reads from you: what you publish cannot be pushed to it.`] : []),
  ];
  if (sentences.length === 0) return [];
  const own =
    directory.failure === null ? [] : [`It may be because of your own connection: ${directory.failure.message}.`];
  return [{ actor: 'peer', state: followed?.state ?? 'silent', sentences: [...sentences, ...own], transitions: [] }];
}

/** Of a followed peer; nothing to be said of the others. */
const STANDINGS: Partial<Record<LocalStatus['following'][number]['state'], string>> = {
  silent: 'does not answer',
  absent: 'is not listed at the directory now, so it is probably offline',
  waiting: 'waits for its turn, or for the directory to say where it is',
};

async function fromJournal(file: string, name: string, signal: AbortSignal): Promise<readonly Explanation[]> {
  const journal = await readJournal(file, signal);
  const explainer = new Explainer();
  let explanations: readonly Explanation[] = [];
  const last = journal.entries.at(-1)?.seq;
  await replay(journal, {
    signal,
    inspect: explainer.inspect,
    after: (entry, root) => {
      if (entry.seq === last) explanations = explainer.explain(root, name, entry.atMs);
    },
  });
  return explanations;
}

function render({ sentences, transitions }: Explanation, paint: Paint): string {
  const [first = '', ...rest] = sentences.map((sentence) => safeLine(sentence));
  const steps = transitions.map(({ atMs, event, guard, from, to }) => {
    const time = paint('dim', new Date(atMs).toISOString().slice(11, 23));
    return `    ${time}  ${from} → ${to}  ${safeLine(event)}${guard === undefined ? '' : ` [${guard}]`}`;
  });
  return [paint('bold', first), ...rest.map((sentence) => `  ${sentence}`), ...steps].join('\n');
}
