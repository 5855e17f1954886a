/** `murmure directory`: runs a directory until it is stopped. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { safeLine } from '../../feed/safe-text.ts';
import type { DirectoryOptions } from '../../index.ts';
import { formatAddress, parseAddress } from '../../wire/socket-address.ts';
import { untilAborted } from '../abortable.ts';
import { collect, examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { createHomeFolder } from '../home/home.ts';
import { resolveHostPort, resolveHostPorts } from '../input/host-port.ts';
import { readPem } from '../input/text-file.ts';
import { isUnspecified, requireAddresses, requirePath } from '../input/validate.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { journalOption } from '../peer/journal-option.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('directory')
    .summary('run a directory')
    .description('Runs a directory, where peers find each other, until you stop it. Port 0 means any free port.')
    .option('--listen <host:port>', 'answer HTTPS here (default: 127.0.0.1:0)')
    .option('--udp <host:port>', 'answer UDP here; may be repeated (default: 127.0.0.1:0)', collect)
    .option('--public-address <ip:port>', 'announce this UDP address instead; may be repeated', collect)
    .option('--cert <file>', 'certificate, PEM (default: a self-signed one, kept in the home)')
    .option('--key <file>', 'private key of the certificate, PEM')
    .addHelpText(
      'after',
      examples(
        'directory --listen 127.0.0.1:8443',
        'directory --listen 0.0.0.0:443 --udp 0.0.0.0:8443 --public-address 203.0.113.7:8443 --cert cert.pem --key key.pem',
      ),
    )
    .action((options: DirectoryCommandOptions) => run((context) => directory(context, options), { bounded: false }));
}

interface DirectoryCommandOptions {
  readonly listen?: string;
  readonly udp?: readonly string[];
  readonly publicAddress?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Exit codes as for `serve`: SIGTERM ends it with 0, SIGINT with 130. */
export async function directory(context: CommandContext, options: DirectoryCommandOptions): Promise<number> {
  const { settings, services, output, signal } = context;
  checkOptions(options);
  const udp = options.udp === undefined ? undefined : await resolveHostPorts('--udp', options.udp);
  if (options.publicAddress === undefined) requireReachable(udp ?? []);
  const { home } = settings;
  await createHomeFolder(home);
  await using running = await services.createDirectory({
    home: home.folder,
    logger: createLogger(context),
    ...(await journalOption(context)),
    ...(options.listen !== undefined && { listen: await resolveHostPort('--listen', options.listen) }),
    ...(udp !== undefined && { udp }),
    ...(options.publicAddress !== undefined && { publicAddresses: options.publicAddress }),
    ...(await certificateOption(options)),
  });

  const { url, serverKey } = running;
  const bound = running.udp.map(({ ip, port }) => ({ ip, port }));
  const ca = resolve(options.cert ?? home.directoryCaFile);
  output.data({ event: 'ready', url, udp: bound, ca, serverKey }, (paint) =>
    [
      `${paint('green', 'ready')}: ${paint('bold', url)}, UDP on ${running.udp.map(formatAddress).join(', ')}`,
      `Peers connect with --directory ${url} --ca ${safeLine(ca)}`,
    ].join('\n'),
  );
  await untilAborted(signal);
  return exitCodeOfStop(signal);
}

function checkOptions({ publicAddress, cert, key }: DirectoryCommandOptions): void {
  requireAddresses('--public-address', publicAddress ?? []);
  if (cert !== undefined) requirePath('--cert', cert);
  if (key !== undefined) requirePath('--key', key);
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --key belong together: give both or neither');
}

/** Peers are told where the directory is: "everywhere" is no place. */
function requireReachable(udp: readonly string[]): void {
  for (const text of udp) {
    const address = parseAddress(text);
    if (address.ok && isUnspecified(address.value)) {
      throw new UsageError(
        `peers cannot send to ${text}: give the address that they can reach, with --public-address IP:PORT`,
      );
    }
  }
}

async function certificateOption({
  cert,
  key,
}: DirectoryCommandOptions): Promise<Pick<DirectoryOptions, 'certificate'>> {
  if (cert === undefined || key === undefined) return {};
  return { certificate: { cert: await readPem(cert), key: await readPem(key) } };
}

function createLogger({ settings, stderr }: CommandContext) {
  const level = settings.verbose ? 'debug' : settings.quiet ? 'error' : 'warn';
  // Names and paths in it are what strangers sent.
  return pino({ name: 'directory', level }, { write: (line) => void stderr.write(`${safeLine(line.trimEnd())}\n`) });
}
