/** `murmure service`: units for systemd. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { withFile } from '../../identity/file-errors.ts';
import { collect, examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError, UsageError } from '../errors.ts';
import { requireName } from '../home/home.ts';
import { requireAddresses, requirePath } from '../input/validate.ts';
import { systemFailure } from '../output/system-failure.ts';
import { directoryUnit, peerUnit } from '../service/units.ts';
import { requireReachable } from './directory.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('service')
    .summary('run murmure as a service')
    .description('Runs murmure as a systemd service.')
    .addHelpText('after', examples('service install', 'service install directory --public-address 203.0.113.7:443'))
    .command('install')
    .summary('write a unit for systemd')
    .description(
      'Writes a systemd unit, and says how to start it: "serve" as a user service, or, with the word "directory", a directory as a system service under a user of its own.',
    )
    .argument('[directory]', 'the word "directory": a unit for a directory instead of a peer')
    .option('--output <dir>', "the folder for the unit (default: systemd's own)")
    .option('--listen <host:port>', 'where the directory answers HTTPS (default: 0.0.0.0:443)')
    .option('--udp <host:port>', 'where the directory answers UDP (default: 0.0.0.0:443)')
    .option(
      '--public-address <ip:port>',
      'the address at which peers reach the directory over UDP; may be repeated; needed where it answers on all addresses',
      collect,
    )
    .addHelpText('after', examples('service install', 'service install directory --public-address 203.0.113.7:443'))
    .action((what: string | undefined, options: InstallOptions) => run((context) => install(context, what, options)));
}

interface InstallOptions {
  readonly output?: string;
  readonly listen?: string;
  readonly udp?: string;
  readonly publicAddress?: readonly string[];
}

const SYSTEM_UNITS = '/etc/systemd/system';

async function install(context: CommandContext, what: string | undefined, options: InstallOptions): Promise<void> {
  if (options.output !== undefined) requirePath('--output', options.output);
  if (what !== undefined && what !== 'directory')
    throw new UsageError(`there is a service for a peer and one for a directory, not for "${what}"`);
  const made = what === 'directory' ? directoryService(options) : await peerService(context, options);
  await writeUnit(made);
  const hidden = what === 'directory' ? program().find((file) => /^\/(?:home|root|run\/user)\//.test(file)) : undefined;
  if (hidden !== undefined)
    context.output.warn(
      `the service cannot read ${hidden}: install Node and murmure for the whole system, then try again`,
    );
  context.output.data({ file: made.file, start: made.start }, (paint) =>
    [
      `Wrote ${safeLine(made.file)}`,
      'To start it now and at every boot:',
      ...made.start.map((line) => `  ${paint('cyan', line)}`),
    ].join('\n'),
  );
}

interface Service {
  readonly file: string;
  readonly text: string;
  /** Commands that start it. */
  readonly start: readonly string[];
}

async function peerService({ settings }: CommandContext, options: InstallOptions): Promise<Service> {
  if (options.listen !== undefined || options.udp !== undefined || options.publicAddress !== undefined)
    throw new UsageError('--listen, --udp and --public-address belong to "service install directory"');
  await requireName(settings.home);
  return {
    file: path.join(path.resolve(options.output ?? settings.userUnitFolder), 'murmure.service'),
    text: peerUnit({ command: program(), home: settings.home.folder }),
    start: ['systemctl --user daemon-reload', 'systemctl --user enable --now murmure', 'loginctl enable-linger'],
  };
}

/** As the directory itself does, it refuses an address to which nobody can send: a unit that cannot start helps nobody. */
function directoryService(options: InstallOptions): Service {
  const { output, listen = '0.0.0.0:443', udp = '0.0.0.0:443', publicAddress } = options;
  requireAddresses('--public-address', publicAddress ?? []);
  if (publicAddress === undefined) requireReachable([udp]);
  const announced = publicAddress?.flatMap((address) => ['--public-address', address]) ?? [];
  return {
    file: path.join(path.resolve(output ?? SYSTEM_UNITS), 'murmure-directory.service'),
    text: directoryUnit(program(), ['--listen', listen, '--udp', udp, ...announced]),
    start: ['systemctl daemon-reload', 'systemctl enable --now murmure-directory'],
  };
}

/** The Node and the program that run now. */
function program(): string[] {
  return [process.execPath, path.join(import.meta.dirname, '..', `main${path.extname(import.meta.filename)}`)];
}

async function writeUnit({ file, text }: Service): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    if (systemFailure(error) !== undefined) throw withFile(error, file);
    throw new InvalidFileError(file, (error as Error).message);
  }
}
