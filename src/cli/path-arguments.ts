/** Paths on the command line: a shell expands `~` only at the beginning of a word, so not in `--ca=~/ca.pem` and not within quotes. */
import type { Argument, Command, Option } from 'commander';
import { withoutTilde } from './settings/folders.ts';
import type { Environment } from './streams.ts';

/** What a declaration calls a value that is a path: `<file>`, `[folder]`. */
const PATH = /^(?:file|folder|dir)$/;

/** Makes the whole program expand `~` wherever a path is declared. */
export function expandPaths(command: Command, env: Environment): void {
  for (const option of command.options) {
    if (PATH.test(/<([^>.]+)/.exec(option.flags)?.[1] ?? '')) expand(option, env);
  }
  for (const argument of command.registeredArguments) {
    if (PATH.test(argument.name())) expand(argument, env);
  }
  for (const subcommand of command.commands) expandPaths(subcommand, env);
}

function expand(declared: Argument | Option, env: Environment): void {
  declared.argParser<string | readonly string[]>((path, previous) =>
    declared.variadic
      ? [...(Array.isArray(previous) ? previous : []), withoutTilde(path, env)]
      : withoutTilde(path, env),
  );
}
