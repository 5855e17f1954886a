/** `murmure directory`: runs a directory until it is stopped. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { pino } from 'pino';
import { safeLine } from '../../feed/safe-text.ts';
import type { Directory, DirectoryOptions } from '../../index.ts';
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
import type { Output } from '../output/output.ts';
import { journalOption } from '../peer/journal-option.ts';
import { declareBackup } from './directory-backup.ts';
import { declareMigrate } from './directory-migrate.ts';

export function declare(program: Command, run: Run): void {
  const command = program
    .command('directory')
    .summary('run a directory')
    .description('Runs a directory, where peers find each other, until you stop it. Port 0 means any free port.')
    .option('--listen <host:port>', 'answer HTTPS here (default: 127.0.0.1:0)')
    .option('--udp <host:port>', 'answer UDP here; may be repeated (default: 127.0.0.1:0)', collect)
    .option(
      '--public-address <ip:port>',
      'the address at which peers reach it over UDP, if that is another one; may be repeated',
      collect,
    )
    .option('--cert <file>', 'certificate, PEM (default: a self-signed one, kept in the home)')
    .option('--key <file>', 'private key of the certificate, PEM')
    .addOption(
      new Option(
        '--registry <url>',
        'share the registry with other directories on this Redis or Valkey: redis://HOST:PORT, or rediss:// for TLS',
      ).env('MURMURE_REGISTRY'),
    )
    .addHelpText(
      'after',
      examples(
        'directory --listen 127.0.0.1:8443',
        'directory --listen 0.0.0.0:443 --udp 0.0.0.0:8443 --public-address 203.0.113.7:8443 --cert cert.pem --key key.pem',
        'directory --registry redis://10.0.0.5:6379 --listen 0.0.0.0:443 --udp 0.0.0.0:443 --public-address 203.0.113.7:443 --cert cert.pem --key key.pem',
      ),
    )
    .action((options: DirectoryCommandOptions) => run((context) => directory(context, options), { bounded: false }));
  declareMigrate(command, run);
  declareBackup(command, run);
}

interface DirectoryCommandOptions {
  readonly listen?: string;
  readonly udp?: readonly string[];
  readonly publicAddress?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly registry?: string;
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
    ...(options.registry !== undefined && { registry: options.registry }),
    ...(await certificateOption(options)),
  });
  using _ = reloadingCertificate(running, options, output);

  const { url, serverKey } = running;
  const bound = running.udp.map(({ ip, port }) => ({ ip, port }));
  const announced = options.publicAddress === undefined ? '' : `, announced as ${options.publicAddress.join(', ')}`;
  const ca = resolve(options.cert ?? home.directoryCaFile);
  output.data({ event: 'ready', url, udp: bound, ca, serverKey }, (paint) =>
    [
      `${paint('green', 'ready')}: ${paint('bold', url)}, UDP on ${running.udp.map(formatAddress).join(', ')}${announced}`,
      `Peers connect with --directory ${url} --ca ${safeLine(ca)}`,
    ].join('\n'),
  );
  await untilAborted(signal);
  return exitCodeOfStop(signal);
}

function checkOptions({ publicAddress, udp, cert, key }: DirectoryCommandOptions): void {
  requireAddresses('--public-address', publicAddress ?? []);
  // By default it listens where only this machine can reach it.
  if (publicAddress !== undefined && udp === undefined)
    throw new UsageError(
      '--public-address says where peers send datagrams: say where they are to be received, with --udp, such as --udp 0.0.0.0:8443',
    );
  if (cert !== undefined) requirePath('--cert', cert);
  if (key !== undefined) requirePath('--key', key);
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --key belong together: give both or neither');
}

/** Peers are told where the directory is: "everywhere" is no place. */
export function requireReachable(udp: readonly string[]): void {
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

/** Whoever renews the certificate says so with SIGHUP; sessions go on. */
function reloadingCertificate(running: Directory, options: DirectoryCommandOptions, output: Output): Disposable {
  const reload = async () => {
    try {
      const { certificate } = await certificateOption(options);
      if (certificate === undefined) return;
      running.useCertificate(certificate);
      output.note('the certificate was read anew');
    } catch (error) {
      output.warn(`the certificate could not be read anew, the one before stays: ${(error as Error).message}`);
    }
  };
  const listener = () => void reload();
  if (options.cert !== undefined) process.on('SIGHUP', listener);
  return { [Symbol.dispose]: () => void process.off('SIGHUP', listener) };
}

function createLogger({ settings, stderr }: CommandContext) {
  const level = settings.verbose ? 'debug' : settings.quiet ? 'error' : 'warn';
  // Names and paths in it are what strangers sent.
  return pino({ name: 'directory', level }, { write: (line) => void stderr.write(`${safeLine(line.trimEnd())}\n`) });
}
