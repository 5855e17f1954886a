/** `murmure doctor`: whether everything that murmure needs is there, and what to do where it is not. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { Check, Finding } from '../doctor/check.ts';
import { checkDirectory } from '../doctor/directory-checks.ts';
import { checkHome } from '../doctor/home-checks.ts';
import { checkNetwork } from '../doctor/network-checks.ts';
import { type Identity, openIdentity } from '../home/open-home.ts';
import { compareSeverity, exitCodeOf } from '../output/exit-codes.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('doctor')
    .summary('check your setup')
    .description(
      'Checks Node.js, your home, the network and the directory, and suggests what to do. Ends with the exit code of the worst failure.',
    )
    .addHelpText('after', examples('doctor', 'doctor --directory https://directory.example'))
    .action(() => run(doctor));
}

const MARKS = { ok: 'green', failed: 'red', skipped: 'dim' } as const;
const WIDTH = 12;

/** A line for each check; ends with the code of the worst that failed. */
export async function doctor(context: CommandContext): Promise<number> {
  const failed: string[] = [];
  // Once, so that a passphrase is asked for once.
  let opened: Promise<Identity> | undefined;
  const identity = () => {
    opened ??= openIdentity(context);
    return opened;
  };
  // The checks of the home may ask for a passphrase.
  for (const check of checkHome(context, identity)) await report(check);
  using progress = context.output.progress();
  for (const check of [...checkNetwork(), ...checkDirectory(context, identity)]) {
    progress.tell(`checking: ${check.name}`);
    await report(check);
  }
  const worst = failed.sort(compareSeverity).at(-1);
  return worst === undefined ? 0 : exitCodeOf(worst);

  async function report(check: Check): Promise<void> {
    const finding = await examine(context, check);
    const { status, detail, advice } = finding;
    context.output.data({ check: check.name, status, detail, advice: advice ?? null }, (paint) => {
      const line = `${paint(MARKS[status], status.padEnd(7))} ${check.name.padEnd(WIDTH)} ${safeLine(detail)}`;
      return advice === undefined ? line : `${line}\n${' '.repeat(WIDTH - 3)}→ ${safeLine(advice)}`;
    });
    if (status === 'failed') failed.push(finding.code ?? 'unexpected');
  }
}

/** What a check throws is what it found; what stops the run does so. */
async function examine({ signal }: CommandContext, { run }: Check): Promise<Finding> {
  try {
    return await abortable(run(), signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Sentences of ours end with what to do.
    const { message } = error as Error;
    const [detail = message, ...rest] = message.split(/[;:] (?!.*[;:] )/);
    const code = error instanceof MurmureError ? error.code : 'unexpected';
    return { status: 'failed', code, detail, advice: rest.join(' ') || 'run it again with --verbose' };
  }
}
