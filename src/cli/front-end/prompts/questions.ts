/** How the ordinary questions are put: what Inquirer's prompts are told. */
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

/** One of many names, found by typing what is somewhere in it; neither capitals nor accents count. */
export function nameChoice(message: string, names: readonly string[]) {
  const matching = (term = '') => names.filter((name) => folded(name).includes(folded(term.trim())));
  const source = (term: string | undefined) => matching(term).map((value) => ({ value, name: safeLine(value) }));
  return { message, source, theme: withEscape('back') } satisfies ConfigOf<typeof search<string>>;
}

export function line(message: string, whyInvalid: WhyInvalid, suggestion?: string) {
  const validate = (text: string) => whyInvalid(text) ?? true;
  return { message, validate, ...(suggestion !== undefined && { default: suggestion }) } satisfies ConfigOf<
    typeof input
  >;
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
