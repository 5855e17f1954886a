/** `murmure conformance`: whether a peer or a directory, whoever wrote it, does what the protocol says. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { junitXml } from '../../conformance/junit.ts';
import { plainHttps } from '../../conformance/plain-https.ts';
import { isBreach, type Result, runChecks } from '../../conformance/run-checks.ts';
import { newIdentity, Subject, type SubjectOptions } from '../../conformance/subject.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { createDirectoryHttp } from '../../peer/directory-http.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createSystemRandom } from '../../runtime/random.ts';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import { hostOf, isIPv6, parseAddress, type SocketAddress } from '../../wire/socket-address.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { UsageError } from '../errors.ts';
import { resolveHostPort } from '../input/host-port.ts';
import { requirePath } from '../input/validate.ts';
import { exitCodeOf } from '../output/exit-codes.ts';
import type { Paint } from '../output/output.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('conformance')
    .summary('check any implementation of the protocol')
    .description(
      'Checks from outside whether a peer (HOST:PORT) or a directory (its https:// URL) does what the protocol says, whoever wrote it. Takes a minute. With --directory, a peer’s signatures are checked as well. Ends with 7 if a MUST fails.',
    )
    .argument('<target>', 'HOST:PORT of a peer, or URL of a directory')
    .option('--strict', 'end with 7 if a SHOULD fails, too')
    .option('--junit <file>', 'also write the results as JUnit XML')
    .addHelpText(
      'after',
      examples('conformance 127.0.0.1:8090', 'conformance https://directory.example:8443 --junit results.xml'),
    )
    .action((target: string, options: ConformanceOptions) => run((context) => conformance(context, target, options)));
}

export interface ConformanceOptions {
  readonly strict?: boolean;
  readonly junit?: string;
}

/** A line for each check. */
export async function conformance(
  context: CommandContext,
  target: string,
  { strict = false, junit }: ConformanceOptions,
): Promise<number> {
  if (junit !== undefined) requirePath('--junit', junit);
  const { output, signal } = context;
  using progress = output.progress();
  progress.tell(`checking ${target}`);
  const subject = new Subject(await optionsFor(context, target));
  const results: Result[] = [];
  const running = runChecks(subject, { signal });
  for (;;) {
    const next = await abortable(running.next(), signal);
    if (next.done) break;
    const { rule, ...line } = next.value;
    results.push(next.value);
    progress.tell(`checking ${target}, ${counted(results.length, 'check')} done`);
    output.data(line, (paint) => render(next.value, paint));
  }
  if (junit !== undefined) await writeFile(junit, junitXml(target, results));
  const breaches = results.filter((result) => isBreach(result, strict));
  const passed = results.filter(({ status }) => status === 'passed').length;
  output.note(
    `${passed} of ${counted(results.length, 'check')} passed, ${breaches.length} of those that must pass failed.`,
  );
  return breaches.length === 0 ? 0 : exitCodeOf('invalid-data');
}

async function optionsFor(context: CommandContext, target: string): Promise<SubjectOptions> {
  const common = {
    network: createUdpNetwork(),
    clock: systemClock,
    random: createSystemRandom(),
    ...(await newIdentity()),
    another: newIdentity,
  };
  if (/^https?:/.test(target)) {
    const settings = { ...context.settings, directory: target };
    const access = await requireDirectory({ ...context, settings });
    const directory = createDirectoryHttp({ url: access.directory, ca: access.ca });
    const [address] = await directory.udpAddresses(context.signal);
    return {
      ...common,
      role: 'directory',
      address: address as SocketAddress,
      directory,
      https: plainHttps(access.directory, access.ca),
      ...ownAddress(address),
    };
  }
  const parsed = parseAddress(await resolveHostPort('TARGET', target));
  if (!parsed.ok || parsed.value.port === 0) throw new UsageError(`TARGET takes HOST:PORT or a URL, not "${target}"`);
  const address = parsed.value;
  const access = context.settings.directory === undefined ? undefined : await requireDirectory(context);
  const directory = access && createDirectoryHttp({ url: access.directory, ca: access.ca });
  return { ...common, role: 'peer', address, directory, ...ownAddress(address) };
}

/** On this machine itself we know under which address it sees us. */
function ownAddress(address: SocketAddress | undefined): { readonly bind?: string } {
  if (address === undefined) return {};
  if (isIPv6(address)) return address.ip === '::1' ? { bind: '::1' } : {};
  return hostOf(address).startsWith('127.') ? { bind: '127.0.0.1' } : {};
}

const MARKS = { passed: 'green', failed: 'red', skipped: 'dim' } as const;

function render({ id, section, level, rule, status, detail }: Result, paint: Paint): string {
  const mark = paint(status === 'failed' && level === 'SHOULD' ? 'yellow' : MARKS[status], status.padEnd(7));
  const line = `${mark} §${section.padEnd(4)} ${level.padEnd(6)} ${id.padEnd(26)} ${safeLine(detail)}`;
  return status === 'failed' ? `${line}\n        ${paint('dim', rule)}` : line;
}
