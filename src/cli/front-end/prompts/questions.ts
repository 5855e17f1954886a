/** How the ordinary questions are put: what Inquirer's prompts are told. */
import { styleText } from 'node:util';
import type { confirm, input, password, search, select } from '@inquirer/prompts';
import { safeLine } from '../../../feed/safe-text.ts';
import type { Option, WhyInvalid } from '../dialogue.ts';

type ConfigOf<Prompt extends (config: never, context?: never) => unknown> = Parameters<Prompt>[0];

/** Inquirer does not know what Escape does. */
const withEscape = (does: string) => ({ style: { keysHelpTip: () => `↑ ↓ move  Enter choose  Esc ${does}` } });

/** One of a few. */
export function choice<T extends string>(message: string, options: readonly Option<T>[]) {
  return {
    message,
    choices: options.map(({ value, label }) => ({ value, name: label })),
    loop: false,
    theme: withEscape('leave'),
  } satisfies ConfigOf<typeof select<T>>;
}

/** What was typed so far: a question that has to be put again, as after Ctrl-Z and fg, goes on with it. */
interface Typed {
  text: string;
}

/** One of many names, found by typing what is somewhere in it; neither capitals nor accents count. */
export function nameChoice(message: string, names: readonly string[], typed: Typed = { text: '' }) {
  const matching = (term = '') => names.filter((name) => folded(name).includes(folded(term.trim())));
  const source = (term = '') => {
    typed.text = term;
    return matching(term).map((value) => ({ value, name: safeLine(value) }));
  };
  const begun = typed.text === '' ? {} : { initialValue: typed.text };
  return { message, source, ...begun, theme: withEscape('back') } satisfies ConfigOf<typeof search<string>>;
}

export interface LineQuestion {
  readonly message: string;
  readonly whyInvalid: WhyInvalid;
  readonly suggestion?: string | undefined;
  readonly typed?: Typed;
}

export function line({ message, whyInvalid, suggestion, typed = { text: '' } }: LineQuestion) {
  const validate = (text: string) => whyInvalid(text) ?? true;
  // It is called with each letter.
  const transformer = (text: string, { isFinal }: { isFinal: boolean }) => {
    typed.text = text;
    return isFinal ? styleText('cyan', text) : text;
  };
  const begun =
    typed.text !== ''
      ? { default: typed.text, prefill: 'editable' as const }
      : suggestion === undefined
        ? {}
        : { default: suggestion };
  return { message, validate, transformer, ...begun } satisfies ConfigOf<typeof input>;
}

/** Not even how long it is can be seen over one's shoulder. */
export function secret(message: string) {
  const unseen = { style: { maskedText: '(what you type is not shown)' } };
  return { message, toggleMask: false, theme: unseen } satisfies ConfigOf<typeof password>;
}

/** `suggestion` is what Enter alone answers. */
export function yesOrNo(message: string, suggestion: boolean) {
  return { message, default: suggestion } satisfies ConfigOf<typeof confirm>;
}

function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
