/** `murmure directory backup` and `restore`: they save a registry to a file, and add its names to a registry again. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { fileNames } from '../../directory/file-names.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { createHomeFolder } from '../home/home.ts';
import { requirePath } from '../input/validate.ts';

export function declareBackup(directory: Command, run: Run): void {
  const registryOption = () => directory.opts<{ registry?: string }>().registry;
  directory
    .command('backup')
    .argument('<file>', 'the file to write; it must not exist yet')
    .summary('copy the registry to a file')
    .description(
      'Copies all names, keys and addresses to a file, as they are at one moment. Directories can keep running. It copies the registry in the home, or with --registry (MURMURE_REGISTRY) the registry of the engine. Keep the PEM files of the home with the copy.',
    )
    .addHelpText(
      'after',
      examples('directory backup names.db', 'directory --registry redis://10.0.0.5:6379 backup names.db'),
    )
    .action((file: string) =>
      run(
        async (context) => {
          const { backUp } = await import('../../directory/backup.ts');
          const { bindings } = await backUp(placeOf(context, registryOption()), pathOf(file));
          context.output.data({ bindings }, () => `${bindings} names saved`);
        },
        { bounded: false },
      ),
    );
  directory
    .command('restore')
    .argument('<file>', 'a file that `backup` wrote, or another registry.db')
    .summary('add the names of such a file to the registry')
    .description(
      'Adds the names of a backup to the registry in the home, or with --registry (MURMURE_REGISTRY) to the registry of the engine. A name that is already there is not changed. Stop the directory of this home first. Directories on an engine can keep running.',
    )
    .addHelpText(
      'after',
      examples('directory restore names.db', 'directory --registry redis://10.0.0.5:6379 restore names.db'),
    )
    .action((file: string) =>
      run(
        async (context) => {
          const { migrate } = await import('../../directory/migrate.ts');
          const registry = registryOption();
          if (registry === undefined) await createHomeFolder(context.settings.home);
          const { bindings, skipped } = await migrate(`sqlite:${pathOf(file)}`, placeOf(context, registry));
          context.output.data({ bindings, skipped }, () => `${bindings} names restored, ${skipped} were already there`);
        },
        { bounded: false },
      ),
    );
}

function placeOf({ settings }: CommandContext, registry: string | undefined): string {
  return registry ?? `sqlite:${join(settings.home.folder, fileNames.registry)}`;
}

function pathOf(file: string): string {
  requirePath('FILE', file);
  return resolve(file);
}
