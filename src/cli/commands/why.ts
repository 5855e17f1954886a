/** `murmure why`: where a session or a download stands, and what brought it there; from a journal, or from a running `serve`. */
import { safeLine } from '../../feed/safe-text.ts';
import { Explainer, type Explanation } from '../../journal/explain.ts';
import { readJournal } from '../../journal/journal-file.ts';
import { replay } from '../../journal/replay.ts';
import type { CommandContext } from '../context.ts';
import { UnknownPeerError } from '../errors.ts';
import { requirePath, requireValidName } from '../input/validate.ts';
import type { Paint } from '../output/output.ts';
import { readLiveState } from '../peer/explanation-file.ts';

export async function why({ output, settings }: CommandContext, name: string, file: string | undefined): Promise<void> {
  requireValidName(name);
  if (file !== undefined) requirePath('FILE', file);
  const explanations = file === undefined ? readLiveState(settings.home, name) : fromJournal(file, name);
  if (explanations.length === 0) throw new UnknownPeerError(name);
  for (const explanation of explanations) output.data(explanation, (paint) => render(explanation, paint));
}

function fromJournal(file: string, name: string): readonly Explanation[] {
  const journal = readJournal(file);
  const explainer = new Explainer();
  let explanations: readonly Explanation[] = [];
  const last = journal.entries.at(-1)?.seq;
  replay(journal, {
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
