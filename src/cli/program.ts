/** The command line as commander knows it. Only the file of the command that is called is loaded; for help, all of them are. */
import { Command } from 'commander';
import { packageVersion } from '../runtime/version.ts';
import { type Declare, examples, type Run } from './command.ts';
import { UsageError } from './errors.ts';
import { nearest } from './input/nearest.ts';
import { expandPaths } from './path-arguments.ts';
import type { Surroundings } from './streams.ts';

interface CommandFile {
  /** The commands that it declares. */
  readonly names: readonly string[];
  load(): Promise<{ readonly declare: Declare }>;
}

/** What `murmure` alone does at a terminal. */
export const FRONT_END = 'front-end';

/** In the order of the help. */
const GROUPS: Readonly<Record<string, readonly CommandFile[]>> = {
  'Start:': [
    { names: [FRONT_END], load: () => import('./commands/front-end.ts') },
    { names: ['demo'], load: () => import('./commands/demo.ts') },
    { names: ['init'], load: () => import('./commands/init.ts') },
    { names: ['key'], load: () => import('./commands/key.ts') },
  ],
  'Messages:': [
    { names: ['post'], load: () => import('./commands/post.ts') },
    { names: ['timeline'], load: () => import('./commands/timeline.ts') },
    { names: ['show'], load: () => import('./commands/show.ts') },
    { names: ['thread'], load: () => import('./commands/thread.ts') },
    { names: ['search'], load: () => import('./commands/search.ts') },
    { names: ['notifications', 'mentions', 'unread'], load: () => import('./commands/notifications.ts') },
    { names: ['bookmark', 'bookmarks'], load: () => import('./commands/bookmark.ts') },
    { names: ['withdraw'], load: () => import('./commands/withdraw.ts') },
    { names: ['watch'], load: () => import('./commands/watch.ts') },
    { names: ['export'], load: () => import('./commands/export.ts') },
    { names: ['tree'], load: () => import('./commands/tree.ts') },
  ],
  'Peers:': [
    { names: ['peers'], load: () => import('./commands/peers.ts') },
    { names: ['sync'], load: () => import('./commands/sync.ts') },
    { names: ['follow', 'unfollow', 'following'], load: () => import('./commands/follow.ts') },
    { names: ['mute', 'unmute'], load: () => import('./commands/mute.ts') },
    { names: ['list'], load: () => import('./commands/list.ts') },
    { names: ['block', 'unblock'], load: () => import('./commands/block.ts') },
    { names: ['trust'], load: () => import('./commands/trust.ts') },
    { names: ['ping'], load: () => import('./commands/ping.ts') },
  ],
  'Services:': [
    { names: ['serve'], load: () => import('./commands/serve.ts') },
    { names: ['status'], load: () => import('./commands/status.ts') },
    { names: ['directory'], load: () => import('./commands/directory.ts') },
    { names: ['service'], load: () => import('./commands/service.ts') },
  ],
  'Tools:': [
    { names: ['conformance'], load: () => import('./commands/conformance.ts') },
    { names: ['decode'], load: () => import('./commands/decode.ts') },
    { names: ['diagrams'], load: () => import('./commands/diagrams.ts') },
    { names: ['inspect'], load: () => import('./commands/inspect.ts') },
    { names: ['lab'], load: () => import('./commands/lab.ts') },
    { names: ['replay'], load: () => import('./commands/replay.ts') },
    { names: ['why'], load: () => import('./commands/why.ts') },
    { names: ['verify'], load: () => import('./commands/verify.ts') },
    { names: ['doctor'], load: () => import('./commands/doctor.ts') },
    { names: ['profile'], load: () => import('./commands/profile.ts') },
    { names: ['config'], load: () => import('./commands/config.ts') },
    { names: ['completion', 'complete'], load: () => import('./commands/completion.ts') },
  ],
};

/** These speak of all the others. */
const ABOUT_ALL = ['help', 'completion'];
const ABOUT_NONE = ['--version', '-V'];

/** The word of `argv` that names the command; undefined: there is none; `''`: that cannot be told, as an option lacks its value. */
export function commandWord(argv: readonly string[]): string | undefined {
  const silent = new Command().exitOverride().configureOutput({ outputError: () => {} });
  try {
    const { operands, unknown } = withGlobalOptions(silent).parseOptions([...argv]);
    return operands[0] ?? unknown[0];
  } catch {
    return '';
  }
}

/**
 * The program, ready to parse `argv`; without `argv`, with all its commands. Bad usage, help and version end `parseAsync` with a
 * `CommanderError`.
 */
export async function createProgram(
  { stdout, stderr, env }: Pick<Surroundings, 'stdout' | 'stderr' | 'env'>,
  run: Run,
  argv?: readonly string[],
): Promise<Command> {
  const program = withGlobalOptions(new Command('murmure'))
    .description('Distributed micro-blogging over UDP: signed messages, from peer to peer.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help for a command')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(stdout.columns ?? 100, 120) })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Reported with every other failure, in output/report-failure.ts.
      outputError: () => {},
    });
  const isNeeded = whichAreNeeded(argv === undefined ? undefined : commandWord(argv));
  for (const [title, files] of Object.entries(GROUPS)) {
    program.commandsGroup(title);
    for (const file of files.filter(isNeeded)) (await file.load()).declare(program, run);
  }
  expandPaths(program, env);
  program.addHelpText('after', examples('init alice', 'follow bob', 'post "Good morning"', 'timeline'));
  return addHelp(program);
}

/** An unknown word needs all of them as well: one may be meant. */
function whichAreNeeded(word = ''): (file: CommandFile) => boolean {
  if (ABOUT_NONE.includes(word)) return () => false;
  const isCalled = ({ names }: CommandFile) => names.includes(word);
  const isKnown = !ABOUT_ALL.includes(word) && Object.values(GROUPS).flat().some(isCalled);
  return isKnown ? isCalled : () => true;
}

/** commander's own one explains the program when it does not know a command. */
function addHelp(program: Command): Command {
  return program.helpCommand(false).addCommand(
    new Command('help')
      .argument('[command...]')
      .summary('show help for a command')
      .helpOption(false)
      .addHelpText('after', examples('help timeline', 'help key export'))
      .action((words: readonly string[]) => {
        let command = program;
        for (const word of words) command = subcommand(command, word);
        command.help();
      }),
  );
}

function subcommand(command: Command, word: string): Command {
  const found = command.commands.find((candidate) => candidate.name() === word);
  if (found !== undefined) return found;
  if (command.commands.length === 0) throw new UsageError('too many arguments');
  const names = command
    .createHelp()
    .visibleCommands(command)
    .map((candidate) => candidate.name());
  const meant = nearest(word, names);
  throw new UsageError(`unknown command '${word}'${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`);
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

function withGlobalOptions(program: Command): Command {
  return program
    .option('--home <dir>', "the folder of identity and messages (MURMURE_HOME; default: the platform's data folder)")
    .option(
      '--profile <name>',
      "one of several homes in the platform's data folder, instead of --home (MURMURE_PROFILE)",
    )
    .option('--directory <url>', 'the directory where peers find each other (MURMURE_DIRECTORY)')
    .option('--ca <file>', 'trust this certificate of the directory, PEM (MURMURE_CA)')
    .option('--passphrase-file <file>', 'read the passphrase of the key from its first line (MURMURE_PASSPHRASE_FILE)')
    .option('--json', 'print data as JSON, one value per line')
    .option('--quiet', 'print only warnings and errors on stderr')
    .option('--verbose', 'print more on stderr, and where errors happened')
    .option('--timeout <seconds>', 'give up after this time')
    .option('--quota <messages>', 'download feeds of up to so many messages (MURMURE_QUOTA; default: 1000000)')
    .option('--record <file>', 'write a journal of what happens, for "murmure replay"')
    .option('--no-color', 'no colour, even on a terminal (NO_COLOR)');
}
