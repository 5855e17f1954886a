/** `murmure directory backup` and `restore`: the registry as one file. */
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
    .argument('<file>', 'write it here; nothing may be there yet')
    .summary('copy the registry to a file')
    .description(
      'Copies all names, keys and addresses to a file, as they are at one moment; directories may go on running. What is copied is the registry in the home, or with --registry (MURMURE_REGISTRY) that of the engine. Keep the PEM files of the home beside it.',
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
    .argument('<file>', 'what `backup` has written, or another registry.db')
    .summary('take names over from such a file')
    .description(
      'Takes the names of a backup over into the registry in the home, or with --registry (MURMURE_REGISTRY) into that of the engine. A name that is there already stays as it is. Stop the directory of this home first; those on an engine may run.',
    )
    .addHelpText(
      'after',
      examples('directory restore names.db', 'directory --registry redis://10.0.0.5:6379 restore names.db'),
    )
    .action((file: string) =>
      run(
        async (context) => {
          const { migrate } = await import('../../directory/migrate.ts');
          await createHomeFolder(context.settings.home);
          const { bindings, skipped } = await migrate(`sqlite:${pathOf(file)}`, placeOf(context, registryOption()));
          context.output.data({ bindings, skipped }, () => `${bindings} names restored, ${skipped} were there already`);
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
