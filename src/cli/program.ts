/** The commands and their arguments, as commander knows them. What a command does is loaded when it is run, not before. */
import { Command } from 'commander';
import { packageVersion } from '../runtime/version.ts';
import type { DecodeOptions } from './commands/decode.ts';
import type { DirectoryCommandOptions } from './commands/directory.ts';
import type { PostOptions } from './commands/post.ts';
import type { ServeOptions } from './commands/serve.ts';
import type { TimelineOptions } from './commands/timeline.ts';
import type { CommandContext, CommandResult } from './context.ts';
import { addKeyCommands } from './declarations/identity.ts';
import { addJournalTools } from './declarations/journals.ts';
import { addReadingCommands } from './declarations/messages.ts';
import { addPeerTools } from './declarations/peers.ts';
import type { Run, RunOptions } from './declarations/run.ts';
import { addSelfTools } from './declarations/tools.ts';
import { UsageError } from './errors.ts';
import type { Surroundings } from './streams.ts';

/** Prepares a context, and runs a command's work in it. */
export type Runner = (work: (context: CommandContext) => CommandResult, options: RunOptions) => Promise<void>;

/** The whole command line. Bad usage, help and version end `parseAsync` with a `CommanderError`. */
export function createProgram({ stdout, stderr }: Pick<Surroundings, 'stdout' | 'stderr'>, runner: Runner): Command {
  const run: Run = (work, options = {}) => runner(work, options);
  const program = new Command('murmure')
    .description('Distributed micro-blogging over UDP: signed messages, from peer to peer.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'explain a command')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(stdout.columns ?? 100, 120) })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Reported with every other failure, in failure.ts.
      outputError: () => {},
    });
  addGlobalOptions(program);
  addFrontEnd(program, run);
  addIdentityCommands(program, run);
  addMessageCommands(program, run);
  addPeerCommands(program, run);
  addServiceCommands(program, run);
  addToolCommands(program, run);
  return addHelp(program);
}

/** commander's own one explains the program when it does not know a command. */
function addHelp(program: Command): Command {
  return program.helpCommand(false).addCommand(
    new Command('help')
      .argument('[command...]')
      .summary('explain a command')
      .helpOption(false)
      .action((words: readonly string[]) => {
        let command = program;
        for (const word of words) {
          const found = command.commands.find((candidate) => candidate.name() === word);
          if (found === undefined && command.commands.length === 0) throw new UsageError('too many arguments');
          if (found === undefined) throw new UsageError(`unknown command '${word}'`);
          command = found;
        }
        command.help();
      }),
  );
}

/** How the user would type the command that was parsed last, without its arguments. */
export function commandInUse(program: Command): string {
  const words = [program.name()];
  let command: Command | undefined = program;
  for (const word of program.args) {
    command = command?.commands.find((candidate) => candidate.name() === word);
    if (command === undefined) break;
    words.push(word);
  }
  return words.join(' ');
}

function addGlobalOptions(program: Command): void {
  program
    .option('--home <dir>', "where identity and messages are kept (MURMURE_HOME; default: the platform's data folder)")
    .option('--directory <url>', 'the directory to meet peers at (MURMURE_DIRECTORY)')
    .option('--ca <file>', "trust this certificate of the directory's, PEM (MURMURE_CA)")
    .option(
      '--profile <name>',
      "one of several homes below the platform's data folder, instead of --home (MURMURE_PROFILE)",
    )
    .option('--passphrase-file <file>', 'its first line opens the key (MURMURE_PASSPHRASE_FILE)')
    .option('--json', 'print data as JSON, one value a line')
    .option('--quiet', 'no news on stderr, only warnings and errors')
    .option('--verbose', 'more on stderr, with errors where they happened')
    .option('--timeout <seconds>', 'give up after this time')
    .option('--record <file>', 'write a journal of what happens, for "murmure replay"')
    .option('--no-color', 'no colour, even on a terminal (NO_COLOR)');
}

/** What `murmure` alone does on a terminal: not to be typed, hence not in the help. */
export const FRONT_END = 'front-end';

function addFrontEnd(program: Command, run: Run): void {
  program
    .command(FRONT_END, { hidden: true })
    .action(() =>
      run(async (context) => (await import('./commands/front-end.ts')).frontEnd(context), { bounded: false }),
    );
}

function addIdentityCommands(program: Command, run: Run): void {
  program.commandsGroup('Start:');
  program
    .command('demo')
    .summary('see it at work, without a network')
    .description(
      'Runs a directory and some neighbours on this machine, downloads what they wrote, and shows the timeline.',
    )
    .action(() => run(async (context) => (await import('./commands/demo.ts')).demo(context)));
  program
    .command('init')
    .summary('create your home and key')
    .description('Creates the home folder and a key pair in it. An identity that is there already is left as it is.')
    .argument('<name>', 'the name to publish under, 1 to 255 bytes')
    .action((name: string) => run(async (context) => (await import('./commands/init.ts')).init(context, name)));
  addKeyCommands(program, run);
}

function addMessageCommands(program: Command, run: Run): void {
  program.commandsGroup('Messages:');
  program
    .command('post')
    .summary('publish a message')
    .description(
      'Publishes a message of at most 985 bytes. Needs no network; a running "murmure serve" passes it on at once.',
    )
    .argument(
      '[text]',
      'the message; "-" reads it from standard input, "--" before it lets it start with a dash (default: your editor)',
    )
    .option('--reply-to <hash>', 'the message it answers, by its hash or the start of it')
    .action((text: string | undefined, options: PostOptions) =>
      run(async (context) => (await import('./commands/post.ts')).post(context, text, options)),
    );
  program
    .command('timeline')
    .summary('show stored messages')
    .description(
      'Shows stored messages, newest last. Works offline. What a person is shown (no --json) counts as read.',
    )
    .argument('[peer...]', 'only messages of these')
    .option('--limit <n>', 'at most so many, the newest (default: 50)')
    .option('--before <date>', 'only older ones than this ISO 8601 date, e.g. 2026-01-31 or 2026-01-31T12:00Z')
    .action((peers: string[], options: TimelineOptions) =>
      run(async (context) => (await import('./commands/timeline.ts')).timeline(context, peers, options)),
    );
  program
    .command('show')
    .summary('show one message')
    .description('Shows one stored message.')
    .argument('<hash>', 'its hash, or the start of it: 6 to 64 hexadecimal digits')
    .action((hash: string) => run(async (context) => (await import('./commands/show.ts')).show(context, hash)));
  addReadingCommands(program, run);
}

function addPeerCommands(program: Command, run: Run): void {
  program.commandsGroup('Peers:');
  program
    .command('peers')
    .summary('list who the directory knows')
    .description('Lists the names that the directory knows, with addresses and keys.')
    .action(() => run(async (context) => (await import('./commands/peers.ts')).peers(context)));
  program
    .command('sync')
    .summary('download what is new')
    .description(
      'Downloads what is new from these peers, or from all that you follow. Ends with the code of the worst failure.',
    )
    .argument('[peer...]', 'default: everyone you follow')
    .action((names: string[]) => run(async (context) => (await import('./commands/sync.ts')).sync(context, names)));
  program
    .command('follow')
    .summary('keep up with a peer')
    .description('Follows a peer: sync and serve download what it publishes.')
    .argument('<peer>')
    .action((name: string) => run(async (context) => (await import('./commands/follow.ts')).follow(context, name)));
  program
    .command('unfollow')
    .summary('no longer keep up with a peer')
    .description('Ends following a peer. Its messages stay.')
    .argument('<peer>')
    .action((name: string) => run(async (context) => (await import('./commands/follow.ts')).unfollow(context, name)));
  program
    .command('following')
    .summary('list whom you follow')
    .description('Lists the peers you follow. Works offline.')
    .action(() => run(async (context) => (await import('./commands/follow.ts')).following(context)));
  addPeerTools(program, run);
}

function addServiceCommands(program: Command, run: Run): void {
  program.commandsGroup('Services:');
  program
    .command('serve')
    .summary('be reachable, and keep up')
    .description(
      'A peer without prompts, until it is stopped: registers, serves your messages, downloads those you follow.',
    )
    .option('--udp <host:port>', 'listen here, may be repeated (default: every interface, any free port)', collect)
    .action((options: ServeOptions) =>
      run(async (context) => (await import('./commands/serve.ts')).serve(context, options), { bounded: false }),
    );
  program
    .command('directory')
    .summary('run a directory')
    .description('Runs a directory, where peers find each other, until it is stopped. Port 0 is any free one.')
    .option('--listen <host:port>', 'where to answer HTTPS (default: 127.0.0.1:0)')
    .option('--udp <host:port>', 'where to answer UDP, may be repeated (default: 127.0.0.1:0)', collect)
    .option('--public-address <ip:port>', 'the UDP address to announce instead, may be repeated', collect)
    .option('--cert <file>', 'certificate, PEM (default: a self-signed one, kept in home)')
    .option('--key <file>', "the certificate's private key, PEM")
    .action((options: DirectoryCommandOptions) =>
      run(async (context) => (await import('./commands/directory.ts')).directory(context, options), { bounded: false }),
    );
}

function addToolCommands(program: Command, run: Run): void {
  program.commandsGroup('Tools:');
  program
    .command('decode')
    .summary('explain a datagram or a tree node')
    .description(
      'Explains a datagram, or a node of a message tree. Ends with 7 if any is malformed, else with 6 if a signature is wrong.',
    )
    .argument('[hex]', 'the datagram; "-" reads standard input, one a line')
    .option('--node <hex>', 'a tree node instead; "-" reads standard input, one a line')
    .option('--key <base64>', 'check the signature under this public key')
    .action((hex: string | undefined, options: DecodeOptions) =>
      run(async (context) => (await import('./commands/decode.ts')).decode(context, hex, options)),
    );
  program
    .command('diagrams')
    .summary('draw the state machines')
    .description(
      'Draws the state machine of every actor, who spawns whom, and who tells whom what: SVG, Mermaid, and a page with them all.',
    )
    .argument('[folder]', 'where to write them; made if need be', 'diagrams')
    .action((folder: string) =>
      run(async (context) => (await import('./commands/diagrams.ts')).diagrams(context, folder)),
    );
  addJournalTools(program, run);
  addSelfTools(program, run);
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
