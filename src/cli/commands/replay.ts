/** `murmure replay`: runs a journal, and says whether it ends as recorded. */
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import type { AnyActorRef } from 'xstate';
import { safeLine } from '../../feed/safe-text.ts';
import type { Journal, JournalEntry } from '../../journal/format.ts';
import { readJournal } from '../../journal/journal-file.ts';
import { type Difference, type ReplayOptions, type ReplayResult, replay as runJournal } from '../../journal/replay.ts';
import { shrink } from '../../journal/shrink.ts';
import { Tracer, type Transition } from '../../journal/trace.ts';
import { actorsFrom, pathOf, stateOf } from '../../runtime/actor-tree.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError, UsageError } from '../errors.ts';
import { requireCount, requirePath } from '../input/validate.ts';
import type { Output, Paint } from '../output/output.ts';
import { systemFailure } from '../output/system-failure.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('replay')
    .summary('replay a journal')
    .description(
      'Replays a journal that --record wrote, and checks that it ends as recorded. If not, it shows the first difference and ends with 7.',
    )
    .argument('<file>', 'the journal')
    .option('--until <seq>', 'stop after this entry and show the state of all actors')
    .option('--from <seq>', 'show the state of all actors after this entry, then every entry that follows')
    .option('--trace <actor>', 'show each transition of this actor, e.g. peer/outgoing-session.alice')
    .option('--drop <seq>', 'leave this entry out: what if that datagram had been lost?')
    .option('--shrink <actor=state>', 'find the fewest entries with which this actor still comes to this state')
    .option('--html <file>', 'write a page that shows the whole run, to open in a browser; it needs no network')
    .addHelpText(
      'after',
      examples(
        'replay run.jsonl --shrink peer/outgoing-session.alice=established',
        'replay run.jsonl',
        'replay run.jsonl --until 120',
        'replay run.jsonl --trace peer/outgoing-session.alice',
        'replay run.jsonl --html run.html',
      ),
    )
    .action((file: string, options: ReplayCommandOptions) => run((context) => replay(context, file, options)));
}

export interface ReplayCommandOptions {
  readonly until?: string;
  readonly from?: string;
  readonly trace?: string;
  readonly drop?: string;
  readonly shrink?: string;
  readonly html?: string;
}

/** 7, as for other invalid data, when the replay differs from what was recorded. */
export async function replay(context: CommandContext, file: string, options: ReplayCommandOptions): Promise<number> {
  const { output, signal } = context;
  requirePath('FILE', file);
  const journal = await readJournal(file, signal);
  if (options.shrink !== undefined) return shrinkTo(journal, options, { output, signal });
  const { until, from, drop } = numbers(options, journal.entries.length);
  if (options.html !== undefined) return replayToPage(context, journal, { ...options, html: options.html, file, drop });
  let wasTraced = false;
  const tracer = new Tracer((transition) => {
    if (transition.actor !== options.trace) return;
    wasTraced = true;
    printTransition(output, transition);
  });
  const replayOptions: ReplayOptions = {
    signal,
    ...(until !== undefined && { until }),
    ...(drop !== undefined && { drop: new Set([drop]) }),
    ...(options.trace !== undefined && { inspect: (event, atMs, seq) => tracer.inspect(event, atMs, seq) }),
    after: (entry, root) => {
      if (entry.seq === from || entry.seq === until) printTree(output, entry, root);
      else if (from !== undefined && entry.seq > from) printEntry(output, entry);
    },
  };
  const result = await runJournal(journal, replayOptions);
  if (options.trace !== undefined && !wasTraced) {
    throw new UsageError(
      `--trace takes an actor of the journal, not "${options.trace}": list them with --until ${result.events}`,
    );
  }
  warnOf(output, file, result);
  const isWhole = until === undefined && drop === undefined;
  output.data(result, (paint) => renderResult(result, paint, { isWhole, drop }));
  return result.identical || !isWhole ? 0 : 7;
}

async function shrinkTo(
  journal: Journal,
  options: ReplayCommandOptions,
  { output, signal }: Pick<CommandContext, 'output' | 'signal'>,
): Promise<number> {
  const { shrink: text = '', ...others } = options;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new UsageError(`--shrink and --${other} do not go together`);
  const [, actor, state] = /^(.+)=(.+)$/.exec(text) ?? [];
  if (actor === undefined || state === undefined) throw new UsageError(`--shrink takes ACTOR=STATE, not "${text}"`);
  const { kept, replays } = await shrink(journal, { actor, state }, signal);
  for (const entry of kept) printEntry(output, entry);
  const result = { events: journal.entries.length, kept: kept.map(({ seq }) => seq), replays };
  output.data(
    result,
    () => `${kept.length} of ${counted(result.events, 'event')}, found in ${counted(replays, 'replay')}`,
  );
  return 0;
}

/** The page shows all of it. With an entry left out, both runs are in it. */
async function replayToPage(
  { output, signal }: CommandContext,
  journal: Journal,
  { html: page, file, drop, ...others }: Omit<ReplayCommandOptions, 'drop' | 'html'> & PageOrder,
): Promise<number> {
  requirePath('--html', page);
  const contradicting = (['until', 'from', 'trace'] as const).find((name) => others[name] !== undefined);
  if (contradicting !== undefined) throw new UsageError(`--html shows the whole run: leave out --${contradicting}`);
  if (resolve(page) === resolve(file))
    throw new UsageError(`--html ${page} would overwrite the journal: name another file`);
  const { journalPage } = await import('../../inspector/journal-page.ts');
  const { html, result } = await journalPage(journal, { name: basename(file), drop, signal });
  try {
    await writeFile(page, html, { mode: 0o600 });
  } catch (error) {
    throw systemFailure(error) === undefined ? new InvalidFileError(page, (error as Error).message) : error;
  }
  warnOf(output, file, result);
  output.warn(
    `${page} holds what the journal holds: messages, and the names and addresses of peers. Give it only to those who may know them`,
  );
  output.data({ ...result, html: page }, (paint) => {
    const text = renderResult(result, paint, { isWhole: drop === undefined, drop });
    return `${text}\n${safeLine(page)}`;
  });
  return result.identical || drop !== undefined ? 0 : 7;
}

interface PageOrder {
  readonly html: string;
  readonly file: string;
  readonly drop: number | undefined;
}

function warnOf(output: Output, file: string, { versions, cut }: ReplayResult): void {
  for (const version of versions) output.warn(version);
  if (cut !== undefined) output.warn(`${file}: ${cut}; the part that is there was replayed`);
}

function numbers(options: ReplayCommandOptions, last: number) {
  const read = (name: 'until' | 'from' | 'drop') => {
    const text = options[name];
    if (text === undefined) return undefined;
    const number = requireCount(`--${name}`, text);
    if (number > last) throw new UsageError(`--${name} ${number}: the journal's last entry is ${last}`);
    return number;
  };
  const found = { until: read('until'), from: read('from'), drop: read('drop') };
  const { from = 0, until = last } = found;
  if (from > until) throw new UsageError(`--from ${from} comes after --until ${until}: there is nothing between them`);
  return found;
}

function renderResult(
  result: ReplayResult,
  paint: Paint,
  { isWhole, drop }: { isWhole: boolean; drop: number | undefined },
): string {
  const what = `${counted(result.events, 'event')}, ${counted(result.datagrams, 'datagram')} sent`;
  if (drop !== undefined) return `${what}, without entry ${drop}`;
  if (result.firstDifference !== undefined)
    return `${what}: ${paint('red', 'different')}\n${renderDifference(result.firstDifference)}`;
  return isWhole ? `${what}: ${paint('green', 'identical')}` : `${what}, as recorded up to here`;
}

function renderDifference({ seq, actor, before, event, expected, got }: Difference): string {
  return [
    `  first seen before entry ${seq}, after ${safeLine(event)}`,
    `  actor     ${safeLine(actor)}${before === '' ? '' : `, in ${before}`}`,
    `  expected  ${safeLine(expected)}`,
    `  got       ${safeLine(got)}`,
  ].join('\n');
}

function printTransition(output: Output, transition: Transition): void {
  output.data(transition, (paint) => {
    const { seq, atMs, event, guard, from, to, actions } = transition;
    const time = paint('dim', `${`${seq}`.padStart(5)} ${new Date(atMs).toISOString().slice(11, 23)}`);
    const condition = guard === undefined ? '' : ` [${guard}]`;
    const did = actions.length === 0 ? '' : paint('dim', ` / ${actions.join(', ')}`);
    return `${time}  ${safeLine(event)}${condition}  ${from} → ${paint('bold', to)}${did}`;
  });
}

function printTree(output: Output, { seq }: JournalEntry, root: AnyActorRef): void {
  const actors = actorsFrom(root).map((actor) => ({ actor: pathOf(actor), state: stateOf(actor) }));
  output.data({ seq, actors }, (paint) => {
    const lines = actors.map(({ actor, state }) => {
      const depth = actor.split('/').length;
      return `${'  '.repeat(depth)}${safeLine(actor.slice(actor.lastIndexOf('/') + 1))}  ${paint('bold', state)}`;
    });
    return [`after entry ${seq}:`, ...lines].join('\n');
  });
}

function printEntry(output: Output, entry: JournalEntry): void {
  const what = 'timer' in entry ? `timer ${entry.timer}` : 'end' in entry ? 'the end' : entry.event.type;
  const to = 'to' in entry ? entry.to : '';
  const effect = 'to' in entry ? entry.effect : undefined;
  const shown = {
    seq: entry.seq,
    atMs: entry.atMs,
    event: what,
    ...(to !== '' && { actor: to }),
    ...(effect && { effect }),
  };
  output.data(shown, (paint) => {
    const time = new Date(entry.atMs).toISOString().slice(11, 23);
    const answers = effect === undefined ? '' : paint('dim', `, answer to ${effect}`);
    return `${`${entry.seq}`.padStart(5)} ${time}  ${safeLine(what)}${to === '' ? '' : ` → ${safeLine(to)}`}${answers}`;
  });
}
