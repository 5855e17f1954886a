/** Why the chosen actor is where it is, as `murmure why` says it, and what the protocol says of that. */
import type { RequestContext } from '../../machines/request-context.ts';
import { sentencesOf, sentencesOfEnded, WAITING, type Waiting } from '../journal/reasons.ts';
import type { Actor, Run } from './run.ts';
import { actor, moment, position, reference, run, section } from './state.ts';
import { plain } from './text.ts';

export function Why() {
  const of = actor.value;
  if (of === undefined) return null;
  return (
    <>
      <h3>Why</h3>
      {sentences(run.value, of, position.value).map((sentence) => (
        <p class="sentence" key={sentence}>
          {plain(sentence)}
        </p>
      ))}
      <p class="sections">
        {sectionsOf(of).map((number) => (
          <button type="button" key={number} onClick={() => showSection(number)}>
            protocol §{number}
          </button>
        ))}
      </p>
    </>
  );
}

function sentences(of: Run, which: Actor, at: number): string[] {
  const here = of.lastStep(which, at);
  if (here?.step === undefined) return [];
  const { path } = which;
  const last = here.reason;
  if (which.endedAt <= at) return sentencesOfEnded({ path, last });
  const state = here.step.to;
  const description = descriptions(which)[0] ?? '';
  const { failure } = (here.context ?? {}) as { failure?: { message: string } };
  const waiting = waitingOf(of, which, at);
  const nowMs = moment.value?.atMs ?? here.atMs;
  return sentencesOf({ path, state, description, failure: failure?.message, last, waiting }, nowMs);
}

function waitingOf(of: Run, which: Actor, at: number): Waiting[] {
  const below = [...which.children];
  for (const child of below) below.push(...child.children);
  return below.flatMap((child) => {
    const here = of.isLiving(child, at) ? of.lastStep(child, at) : undefined;
    if (here?.step?.to !== WAITING) return [];
    const { current } = here.context as RequestContext;
    const sentAtMs = here.reason?.atMs ?? here.atMs;
    return current === undefined ? [] : [{ request: current, sentAtMs }];
  });
}

/** Of its state, of the groups that this is in, and of the machine. */
function descriptions(which: Actor): string[] {
  const known = reference.value.states[which.kind] ?? {};
  const keys = (run.value.lastStep(which, position.value)?.step?.to ?? '').split('.');
  return keys.map((_, i) => known[keys.slice(0, keys.length - i).join('.')] ?? '').concat(known[''] ?? '');
}

/** Descriptions name them: "(protocol §5)". */
function sectionsOf(which: Actor): string[] {
  const named = descriptions(which)
    .join(' ')
    .matchAll(/§(\d+)/g);
  return [...new Set(Array.from(named, ([, number]) => number as string))];
}

function showSection(number: string | undefined): void {
  section.value = number;
}

export function Section() {
  const number = section.value;
  if (number === undefined) return null;
  const [heading = '', ...blocks] = (reference.value.sections[number] ?? '').split(/\n{2,}/);
  return (
    <dialog open class="help section" aria-label={`Protocol §${heading}`}>
      <button type="button" class="close" onClick={() => showSection(undefined)}>
        close
      </button>
      <h2>§ {heading}</h2>
      {blocks.map((block, i) => (
        <Block key={i} text={block} />
      ))}
    </dialog>
  );
}

/** Headings, tables and code, and paragraphs: more Markdown is not in there. */
function Block({ text }: { text: string }) {
  if (text.startsWith('#')) return <h3>{text.replace(/^#+ /, '')}</h3>;
  if (/^(\||```| {4}|[-*] |\d+\. )/.test(text)) return <pre>{text}</pre>;
  return <p>{text}</p>;
}
