/** What can be typed, as the command line itself knows it: the source of completion scripts. */
import type { Command, Option } from 'commander';

export interface Completable {
  /** The words that lead here: `key show`. Empty for the program itself. */
  readonly path: string;
  readonly commands: readonly Described[];
  readonly options: readonly CompletableOption[];
  /** What the arguments are, as far as a shell can complete them. */
  readonly argument: 'file' | 'shell' | undefined;
}

export interface Described {
  readonly name: string;
  readonly summary: string;
}

export interface CompletableOption extends Described {
  /** What follows it: a file, a folder, something nobody can guess, or nothing. */
  readonly value: 'file' | 'folder' | 'text' | undefined;
}

/** The program, and every command below it. Options of the program hold everywhere. */
export function completables(program: Command): Completable[] {
  const found: Completable[] = [];
  const open: { command: Command; path: string }[] = [{ command: program, path: '' }];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { command, path } = next;
    const below = command.createHelp().visibleCommands(command);
    const help = { name: '--help', summary: 'explain it', value: undefined };
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
  const kind = value === 'file' ? 'file' : value === 'dir' ? 'folder' : value === undefined ? undefined : 'text';
  return [{ name: long, summary: oneLine(description), value: kind }];
}

function argumentOf(command: Command): Completable['argument'] {
  const [first] = command.registeredArguments;
  if (first?.name() === 'file' || first?.name() === 'folder') return 'file';
  return first?.name() === 'shell' ? 'shell' : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
