/** `murmure completion`: a script that completes command lines, for a shell to read; and `complete`, which that script calls. */
import { readdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { examples, type Run } from '../command.ts';
import { completables, SHELLS, type Shell, VALUE_KINDS, type ValueKind } from '../completion/completables.ts';
import { completionScript } from '../completion/scripts.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { settingNames } from '../settings/config-file.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a script that completes commands, options, files, peers, hashes and profiles.')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', `${SETTING_UP}\n${examples('completion bash', 'completion fish')}`)
    .action((shell: string) => run((context) => completion(context, program, shell)));
  program
    .command('complete', { hidden: true })
    .argument('<kind>', VALUE_KINDS.join(', '))
    .action((kind: string) => run((context) => complete(context, kind)));
}

const SETTING_UP = `
Setting it up:
  bash  source <(murmure completion bash)
  zsh   murmure completion zsh > _murmure, in a folder of $fpath
  fish  murmure completion fish | source`;

async function completion({ output }: CommandContext, program: Command, shell: string): Promise<void> {
  if (!isOneOf(SHELLS, shell)) throw new UsageError(`there is no completion for "${shell}": choose bash, zsh or fish`);
  const script = completionScript(shell satisfies Shell, completables(program));
  output.data({ shell, script }, () => script.trimEnd());
}

/** A value a line; nothing at all where there is no home to look into. */
async function complete(context: CommandContext, kind: string): Promise<void> {
  if (!isOneOf(VALUE_KINDS, kind)) throw new UsageError(`"${kind}" is not one of ${VALUE_KINDS.join(', ')}`);
  for (const value of await valuesOf(context, kind).catch(() => []))
    context.output.data({ value }, () => safeLine(value));
}

/** Recent ones: nobody picks from more. */
const OFFERED_HASHES = 50;
const OFFERED_DIGITS = 12;

async function valuesOf({ settings }: CommandContext, kind: ValueKind): Promise<string[]> {
  if (kind === 'profile') return readdir(settings.profilesFolder);
  if (kind === 'setting') return [...settingNames];
  using store = (await openStore(settings.home)).store;
  const peers = store.peers().map(({ name }) => name);
  const lists = [...store.lists().keys()];
  if (kind === 'peer') return [...peers, ...lists.map((list) => `@${list}`)];
  if (kind === 'list') return lists;
  return store.messages({ limit: OFFERED_HASHES }).map(({ hash }) => hash.slice(0, OFFERED_DIGITS));
}

function isOneOf<T extends string>(values: readonly T[], text: string): text is T {
  return (values as readonly string[]).includes(text);
}
