/** `murmure directory migrate`: takes the names of one registry over into another. */
import { type Command, Option } from 'commander';
import { examples, type Run } from '../command.ts';
import { withoutTilde } from '../settings/folders.ts';

export function declareMigrate(directory: Command, run: Run): void {
  directory
    .command('migrate')
    .summary('copy a registry to another place')
    .description(
      'Copies names, keys and addresses from one registry to another. A registry is sqlite:FILE, redis://HOST:PORT or rediss://HOST:PORT. Names that the target has already stay as they are there. Stop the directories first.',
    )
    .addOption(new Option('--from <registry>', 'read this registry').makeOptionMandatory())
    .addOption(new Option('--to <registry>', 'write to this registry').makeOptionMandatory())
    .addHelpText(
      'after',
      examples('directory migrate --from sqlite:/var/lib/murmure-directory/registry.db --to redis://10.0.0.5:6379'),
    )
    .action(({ from, to }: { from: string; to: string }) =>
      run(
        async ({ output, settings: { userFolder } }) => {
          const { migrate } = await import('../../directory/migrate.ts');
          const { bindings, skipped } = await migrate(expanded(from, userFolder), expanded(to, userFolder));
          output.data({ bindings, skipped }, () => `${bindings} names copied, ${skipped} were already there`);
        },
        { bounded: false },
      ),
    );
}

/** `sqlite:~/registry.db` names a file of the person's. */
function expanded(registry: string, userFolder: string): string {
  const file = /^sqlite:(.*)$/s.exec(registry)?.[1];
  return file === undefined ? registry : `sqlite:${withoutTilde(file, { HOME: userFolder })}`;
}
