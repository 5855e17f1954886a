/** `murmure decode`: datagrams and tree nodes explained. */
import type { Command } from 'commander';
import { type Description, describeDatagram, describeNode } from '../../feed/describe.ts';
import { type PublicKey, parsePublicKey } from '../../identity/public-key.ts';
import { createVerifier } from '../../identity/verify.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { readLines } from '../input/standard-input.ts';
import { exitCodeOf } from '../output/exit-codes.ts';
import { renderFields } from '../render/fields.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('decode')
    .summary('explain a datagram or a tree node')
    .description(
      'Explains a datagram or a node of a message tree. Ends with 7 if any input is malformed, otherwise with 6 if a signature is wrong.',
    )
    .argument('[hex]', 'the datagram; "-" reads standard input, one per line')
    .option('--node <hex>', 'a tree node instead; "-" reads standard input, one per line')
    .option('--key <base64>', 'check the signature with this public key')
    .addHelpText('after', examples('decode 000000050000080000000003626f62', 'decode - < datagrams.txt'))
    .action((hex: string | undefined, options: DecodeOptions) => run((context) => decode(context, hex, options)));
}

export interface DecodeOptions {
  readonly node?: string;
  readonly key?: string;
}

/** A line for each input, malformed ones included. The exit code tells of the worst. */
export async function decode(
  context: CommandContext,
  hex: string | undefined,
  options: DecodeOptions,
): Promise<number> {
  const { input, describe } = chooseDescriber(hex, options);
  let worst = 0;
  for await (const text of input === '-' ? abortableLines(context) : [input]) {
    const bytes = parseHex(text);
    const description: Description = bytes === undefined ? { malformed: 'not hexadecimal' } : await describe(bytes);
    context.output.data(description, (paint) => renderFields(description, paint));
    if ('malformed' in description) {
      context.output.fail(`cannot decode this: ${description.malformed}`);
      worst = exitCodeOf('invalid-data');
    } else if (description.signatureValid === false) {
      context.output.fail('the signature is not valid for this key');
      worst ||= exitCodeOf('authentication');
    }
  }
  return worst;
}

interface Describer {
  /** Hexadecimal, or `-`. */
  readonly input: string;
  describe(bytes: Uint8Array): Description | Promise<Description>;
}

function chooseDescriber(hex: string | undefined, { node, key }: DecodeOptions): Describer {
  if (node !== undefined) {
    if (hex !== undefined) throw new UsageError('give a datagram or --node, not both');
    if (key !== undefined) throw new UsageError('--key is for datagrams: a tree node has no signature');
    return { input: node, describe: describeNode };
  }
  if (hex === undefined)
    throw new UsageError(
      'nothing to decode: give a datagram in hexadecimal, --node HEX, or "-" to read standard input',
    );
  if (key === undefined) return { input: hex, describe: (bytes) => describeDatagram(bytes) };
  const publicKey = requireKey(key);
  const verify = createVerifier({ maxKeys: 1 });
  return {
    input: hex,
    describe: (bytes) => describeDatagram(bytes, (message, signature) => verify(publicKey, message, signature)),
  };
}

function requireKey(text: string): PublicKey {
  const key = parsePublicKey(text);
  if (!key.ok) throw new UsageError(`--key takes 64 bytes in base64, X and Y of a P-256 key: ${key.why}`);
  return key.value;
}

/** Spaces and colons between digits are how other tools print bytes. */
function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/^0x|[\s:]/gi, '');
  return /^(?:[0-9a-f]{2})*$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

async function* abortableLines({ stdin, signal }: CommandContext): AsyncGenerator<string> {
  const lines = readLines(stdin);
  for (;;) {
    const next = await abortable(lines.next(), signal);
    if (next.done) return;
    yield next.value;
  }
}
