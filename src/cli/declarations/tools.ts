/** The commands about murmure itself. */
import type { Command } from 'commander';
import type { Run } from './run.ts';

export function addSelfTools(program: Command, run: Run): void {
  program
    .command('doctor')
    .summary('check that everything is in order')
    .description(
      'Checks the runtime, your home, the network and the way to the directory, and says what to do. Ends with the code of the worst failure.',
    )
    .action(() => run(async (context) => (await import('../commands/doctor.ts')).doctor(context)));
  program
    .command('config')
    .summary('show the settings')
    .description('Shows every setting, its value, and whether a flag, the environment or config.toml gives it.')
    .action(() => run(async (context) => (await import('../commands/config.ts')).config(context)));
  program
    .command('completion')
    .summary('completion for your shell')
    .description(
      'Prints a script that completes commands and options. bash: source <(murmure completion bash); zsh: write it to _murmure in a folder of $fpath; fish: murmure completion fish | source',
    )
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) =>
      run(async (context) => (await import('../commands/completion.ts')).completion(context, program, shell)),
    );
}
