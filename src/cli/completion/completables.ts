/** What can be typed, as the command line itself knows it: the source of completion scripts. */
import type { Command, Argument as CommanderArgument, Option } from 'commander';

/** Values that only the program knows; the scripts ask it for them with `murmure complete KIND`. */
export const VALUE_KINDS = ['peer', 'hash', 'profile', 'setting', 'list'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export interface Completable {
  /** The words that lead here: `key show`. Empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Described[];
  readonly options: readonly CompletableOption[];
  /** What the arguments are, in their order, as far as they can be completed. */
  readonly arguments: readonly Argument[];
  /** The last of them may be repeated. */
  readonly isVariadic: boolean;
}

/** Words to choose from are given as such. */
export type Argument = 'file' | ValueKind | readonly string[] | undefined;

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface Described {
  readonly name: string;
  readonly summary: string;
}

export interface CompletableOption extends Described {
  /** Its other name, of one letter. */
  readonly short?: string | undefined;
  /** What follows it: a file, a folder, something the program knows or nobody can guess, or nothing. */
  readonly value: 'file' | 'folder' | 'text' | ValueKind | undefined;
}

/** The program, and every command below it. Options of the program hold everywhere. */
export function completables(program: Command): Completable[] {
  const found: Completable[] = [];
  const open: { command: Command; path: string }[] = [{ command: program, path: '' }];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { command, path } = next;
    const below = command.createHelp().visibleCommands(command);
    const help = { name: '--help', short: '-h', summary: 'show help', value: undefined };
    const own = command.options.flatMap(optionOf).filter(({ name }) => name !== '--version' || path === '');
    const options = path === '' ? [...own, help] : own;
    found.push({
      path,
      commands: below.map((child) => ({
        name: child.name(),
        summary: oneLine(child.summary() || child.description()),
      })),
      options,
      arguments: command.registeredArguments.map(argumentOf),
      isVariadic: command.registeredArguments.at(-1)?.variadic ?? false,
    });
    for (const child of below) {
      if (child.name() !== 'help') open.push({ command: child, path: `${path} ${child.name()}`.trim() });
    }
  }
  return found;
}

function optionOf({ long, short, description, flags }: Option): CompletableOption[] {
  if (!long) return [];
  const value = /<(\w+)/.exec(flags)?.[1];
  return [
    { name: long, short, summary: oneLine(description), value: value === undefined ? undefined : kindOf(long, value) },
  ];
}

function kindOf(option: string, value: string): CompletableOption['value'] {
  if (option === '--profile') return 'profile';
  if (value === 'dir') return 'folder';
  return value === 'file' || value === 'hash' ? value : 'text';
}

const WORDS: Readonly<Record<string, readonly string[]>> = { shell: SHELLS, directory: ['directory'] };

function argumentOf(argument: CommanderArgument): Argument {
  const name = argument.name();
  if (name === 'file' || name === 'folder') return 'file';
  return WORDS[name] ?? VALUE_KINDS.find((kind) => kind === name);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
