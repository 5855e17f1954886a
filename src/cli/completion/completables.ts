/** What can be typed, as the command line itself knows it: the source of completion scripts. */
import type { Command, Option } from 'commander';

/** Values that only the program knows; the scripts ask it for them with `murmure complete KIND`. */
export const VALUE_KINDS = ['peer', 'hash', 'profile', 'setting', 'list'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export interface Completable {
  /** The words that lead here: `key show`. Empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Described[];
  readonly options: readonly CompletableOption[];
  /** What the arguments are, as far as they can be completed. */
  readonly argument: 'file' | 'shell' | ValueKind | undefined;
}

export interface Described {
  readonly name: string;
  readonly summary: string;
}

export interface CompletableOption extends Described {
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
    const help = { name: '--help', summary: 'show help', value: undefined };
    const own = command.options.flatMap(optionOf).filter(({ name }) => name !== '--version' || path === '');
    const options = path === '' ? [...own, help] : own;
    found.push({
      path,
      commands: below.map((child) => ({
        name: child.name(),
        summary: oneLine(child.summary() || child.description()),
      })),
      options,
      argument: argumentOf(command),
    });
    for (const child of below) {
      if (child.name() !== 'help') open.push({ command: child, path: `${path} ${child.name()}`.trim() });
    }
  }
  return found;
}

function optionOf({ long, description, flags }: Option): CompletableOption[] {
  if (!long) return [];
  const value = /<(\w+)/.exec(flags)?.[1];
  return [{ name: long, summary: oneLine(description), value: value === undefined ? undefined : kindOf(long, value) }];
}

function kindOf(option: string, value: string): CompletableOption['value'] {
  if (option === '--profile') return 'profile';
  if (value === 'dir') return 'folder';
  return value === 'file' || value === 'hash' ? value : 'text';
}

function argumentOf(command: Command): Completable['argument'] {
  const name = command.registeredArguments[0]?.name();
  if (name === 'folder') return 'file';
  return name === 'file' || name === 'shell' ? name : VALUE_KINDS.find((kind) => kind === name);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
