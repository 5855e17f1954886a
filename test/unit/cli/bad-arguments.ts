/** What nobody should type, command by command, and what the sentence on stderr has to name. */

export type BadCase = readonly [argv: readonly string[], sentence: RegExp];

const HASH = 'ab'.repeat(32);
const LONG = 'x'.repeat(100_000);
const ESCAPE = '\u001b]0;owned\u0007\u001b[31m\u202e';

/** Names that a peer cannot have, or that no directory can be asked for. */
const badNames: readonly (readonly [string, RegExp])[] = [
  ['', /"" cannot be a name: a name has at least one character/],
  ['a/b', /cannot be a name: .* "\/"/],
  ['a\nb', /cannot be a name: .* control characters/],
  ['é'.repeat(128), /cannot be a name: .* 255 bytes/],
];
const unaskableNames: readonly (readonly [string, RegExp])[] = [
  ['.', /"\." cannot be asked for: .*URL/],
  ['..', /"\.\." cannot be asked for: .*URL/],
];
const badHashes: readonly (readonly [string, RegExp])[] = [
  ['', /6 to 64 hexadecimal digits, ""/],
  ['abcde', /6 to 64 hexadecimal digits, "abcde"/],
  ['abcdefg', /6 to 64 hexadecimal digits, "abcdefg"/],
  [`${HASH}0`, /6 to 64 hexadecimal digits/],
  [`${ESCAPE}abcdef`, /6 to 64 hexadecimal digits, "abcdef"/],
];
const badCounts: readonly string[] = ['', '0', '-1', '1.5', '1e3', 'many', ' 5', '٣', '1234567890', LONG];

const named = (names: typeof badNames, ...before: readonly string[]): BadCase[] =>
  names.map(([name, sentence]) => [[...before, name], sentence]);
const counted = (option: string, ...before: readonly string[]): BadCase[] =>
  badCounts.map((count) => [[...before, option, count], new RegExp(`${option} takes a whole number from 1, not "`)]);

const excess: BadCase = [['one', 'too many'], /too many arguments/];
const noName: BadCase = [[], /missing required argument 'peer'/];
const noHash: BadCase = [[], /missing required argument 'hash'/];
const unknownOption: BadCase = [['--frobnicate'], /unknown option '--frobnicate'/];

/** By the words that call the command; `''` for what holds for every command. */
export const badArguments: Readonly<Record<string, readonly BadCase[]>> = {
  '': [
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['tymeline'], /Did you mean timeline/],
    [[''], /unknown command ''/],
    [['-'], /unknown command '-'/],
    [[ESCAPE], /unknown command ''/],
    [[LONG], /unknown command 'xxx.*…/],
    [['-x'], /unknown option '-x'/],
    [['--json=yes', 'following'], /unknown option '--json=yes'/],
    [['following', '--timeout', '0'], /--timeout takes a number of seconds above 0, not "0"/],
    [['following', '--timeout', '-1'], /--timeout .*"-1"/],
    [['following', '--timeout', ''], /--timeout .*""/],
    [['following', '--timeout', 'soon'], /--timeout .*"soon"/],
    [['following', '--timeout', '0x10'], /--timeout .*"0x10"/],
    [['following', '--timeout', 'Infinity'], /--timeout .*"Infinity"/],
    [['following', '--timeout'], /argument missing/],
    [['following', '--quota', '0'], /--quota takes a number of messages, at least 1, not "0"/],
    [['following', '--quota', '1.5'], /--quota .*"1.5"/],
    [['following', '--quota', 'all'], /--quota .*"all"/],
    [['following', '--home', ''], /--home .*""/],
    [['following', '--home', '--quiet'], /--home .*"--quiet"/],
    [['following', '--home'], /argument missing/],
    [['following', '--profile', ''], /--profile .*""/],
    [['following', '--profile', '../up'], /--profile .*"\.\.\/up"/],
    [['following', '--profile', 'work', '--home', 'x'], /--home and --profile/],
    [['following', '--quiet', '--verbose'], /--quiet and --verbose/],
    [['following', '--ca', ''], /--ca .*""/],
    [['following', '--passphrase-file', ''], /--passphrase-file .*""/],
    [['following', '--record', ''], /--record .*""/],
    [['following', '--record', 'a\u0000b'], /--record .*NUL/],
    [['peers', '--directory', ''], /https:\/\/, not ""/],
    [['peers', '--directory', 'http://directory.example'], /https:\/\/, not "http:/],
    [['peers', '--directory', 'directory.example:8443'], /https:\/\/, not "directory\.example:8443"/],
    [['peers', '--directory', 'https://'], /https:\/\/, not "https:\/\/"/],
    [['peers', '--directory', 'https://user:secret@directory.example'], /neither user nor password/],
    [['peers', '--directory', 'https://directory.example:99999'], /https:\/\/, not "https:.*99999"/],
    [['peers', '--directory', `${ESCAPE}https://x`], /https:\/\/, not "https:\/\/x"/],
  ],
  'front-end': [[[], /needs a terminal/], excess],
  demo: [[['extra'], /too many arguments/], unknownOption],
  init: [
    [[], /missing required argument 'name'/],
    [['two', 'names'], /too many arguments/],
    ...named(badNames),
    ...named(unaskableNames),
    [['\ud800'], /unpaired surrogates/],
    [['ali\u200bce'], /shown as "alice"/],
    [['\u202eecila'], /shown as "ecila"/],
    [['\u2066'], /shown as ""/],
    [['bob'], /is already the home of "alice"/],
  ],
  'key show': [[['extra'], /too many arguments/], unknownOption],
  'key export': [
    [[], /missing required argument 'file'/],
    [[''], /FILE .*""/],
    [['--frobnicate'], /unknown option/],
    [['a', 'b'], /too many arguments/],
  ],
  'key import': [
    [[], /missing required argument 'file'/],
    [[''], /FILE .*""/],
    [['a', 'b'], /too many arguments/],
  ],
  'key passphrase': [
    [[], /no terminal to ask for a passphrase/],
    [['extra'], /too many arguments/],
    [['--new', 'x', '--remove'], /--new or --remove, not both/],
    [['--new', ''], /--new .*""/],
    [['--new'], /argument missing/],
  ],
  'key resume': [[['extra'], /too many arguments/], unknownOption],
  key: [[['frobnicate'], /unknown command 'frobnicate'/]],
  post: [
    [[], /no text is given/],
    [['one', 'two'], /too many arguments/],
    [[''], /empty message/],
    [[' \n\t'], /empty message/],
    [['\u0000\u200b\u001b[31m'], /empty message/],
    [['x'.repeat(986)], /986 bytes, 1 more/],
    [['é'.repeat(493)], /986 bytes, 1 more/],
    [[LONG], /100000 bytes/],
    [['-dash'], /unknown option '-dash'/],
    [['hello', '--reply-to'], /argument missing/],
    ...badHashes.map(([hash, sentence]): BadCase => [['hello', '--reply-to', hash], sentence]),
  ],
  timeline: [
    ...counted('--limit'),
    ...['yesterday', '', '2026', '2026-13-01', '2026-02-30', '2025-02-29', '2026-01-31T25:00', '31.1.2026'].map(
      (date): BadCase => [['--before', date], /--before takes an ISO 8601 date/],
    ),
    ...named(badNames),
    [['--colour'], /unknown option '--colour'/],
  ],
  show: [noHash, ...named(badHashes), [[HASH, HASH], /too many arguments/]],
  thread: [noHash, ...named(badHashes), [[HASH, HASH], /too many arguments/]],
  withdraw: [
    [[], /name one message/],
    ...named(badHashes),
    [[HASH, HASH], /too many arguments/],
    [[HASH, '--last'], /name one message/],
  ],
  search: [
    [[], /missing required argument 'query'/],
    [[''], /no word in ""/],
    [['***', '--', '-'], /no word in/],
    ...counted('--limit', 'word'),
  ],
  watch: [...named(badNames), ...named(unaskableNames), unknownOption],
  tree: [noName, ...named(badNames), ...counted('--depth', 'alice'), ...counted('--limit', 'alice'), excess],
  peers: [[['extra'], /too many arguments/], unknownOption],
  sync: [...named(badNames), ...named(unaskableNames), [['alice'], /"alice" is yourself/]],
  follow: [
    noName,
    ...named(badNames),
    ...named(unaskableNames),
    [['bob', 'a/b'], /cannot be a name/],
    [['alice'], /"alice" is yourself/],
  ],
  unfollow: [noName, ...named(badNames), [['bob', 'a/b'], /cannot be a name/]],
  following: [[['extra'], /too many arguments/], unknownOption],
  mute: [
    ...named(badNames),
    [['bob', 'a/b'], /cannot be a name/],
    [['alice'], /"alice" is yourself/],
    [['--word', '?!'], /--word takes a word, of letters or digits, not "\?!"/],
    [['--thread', 'xyz'], /6 to 64 hexadecimal digits, "xyz"/],
    [['bob', '--until', 'soon'], /--until takes an ISO 8601 date/],
    [['bob', '--until', '2022-01-01'], /--until takes a date that has not come yet/],
    [['--until', '2100-01-01'], /--until needs something to mute/],
  ],
  unmute: [
    ...named(badNames),
    [['bob', 'a/b'], /cannot be a name/],
    [[], /name a peer, or give --word or --thread/],
    [['--word', '-'], /--word takes a word/],
  ],
  notifications: [...counted('--limit'), [['extra'], /too many arguments/]],
  mentions: [...counted('--limit'), [['extra'], /too many arguments/]],
  unread: [...counted('--limit'), [['extra'], /too many arguments/]],
  bookmark: [noHash, ...badHashes.map(([hash, sentence]): BadCase => [[hash], sentence])],
  bookmarks: [[['extra'], /too many arguments/]],
  list: [[['frobnicate', 'friends'], /too many arguments|unknown command/]],
  'list show': [[['one', 'two'], /too many arguments/]],
  'list add': [
    [[], /missing required argument 'list'/],
    [['friends'], /missing required argument 'peer'/],
    [['a/b', 'bob'], /a list is called by letters, digits/],
    ...named(badNames, 'friends'),
    [['friends', 'alice'], /"alice" is yourself/],
  ],
  'list remove': [[[], /missing required argument 'list'/], ...named(badNames, 'friends')],
  block: [noName, ...named(badNames), [['bob', 'a/b'], /cannot be a name/], [['alice'], /"alice" is yourself/]],
  unblock: [noName, ...named(badNames), [['bob', 'a/b'], /cannot be a name/]],
  verify: [[['extra'], /too many arguments/], unknownOption],
  trust: [noName, ...named(badNames), ...named(unaskableNames), excess, [['alice'], /"alice" is yourself/]],
  ping: [
    noName,
    ...named(badNames),
    ...named(unaskableNames),
    ...counted('--count', 'bob'),
    [['alice'], /"alice" is yourself/],
  ],
  status: [
    [['extra'], /too many arguments/],
    [[], /no murmure is running/],
  ],
  serve: [
    [['extra'], /too many arguments/],
    ...[
      ['', '4000', 'localhost', ':80', '127.0.0.1:', '127.0.0.1:-1', '127.0.0.1:65536', '127.0.0.1:http', '::1:80'],
      ['[::1]', '[::1:80', '[1:2]:80', '999.1.1.1:80', '1.2.3:80', 'a b:80', `${ESCAPE}:80`],
    ]
      .flat()
      .map((address): BadCase => [['--udp', address], /--udp takes HOST:PORT/]),
    [['--udp', '127.0.0.1:5000', '--udp', '127.0.0.1:5000'], /--udp names 127\.0\.0\.1:5000 twice/],
  ],
  directory: [
    [['extra'], /too many arguments/],
    [['--listen', 'localhost'], /--listen takes HOST:PORT/],
    [['--udp', '127.0.0.1:70000'], /--udp takes HOST:PORT/],
    [['--udp', '0.0.0.0:0'], /0\.0\.0\.0:0: .*--public-address/],
    [['--udp', '127.0.0.1:0', '--udp', '[::]:8443'], /\[::\]:8443: .*--public-address/],
    [['--udp', '[0:0:0:0:0:0:0:0]:1'], /\[::\]:1: .*--public-address/],
    [['--public-address', 'example.org:1'], /--public-address takes IP:PORT/],
    [['--public-address', '203.0.113.7:8443'], /--udp 0\.0\.0\.0:8443/],
    [['--public-address', '0.0.0.0:8443'], /--public-address .*0\.0\.0\.0:8443/],
    [['--public-address', '203.0.113.7:0'], /--public-address .*203\.0\.113\.7:0/],
    [['--cert', 'cert.pem'], /--cert and --key belong together/],
    [['--key', 'key.pem'], /--cert and --key belong together/],
    [['--cert', '', '--key', 'key.pem'], /--cert .*""/],
  ],
  decode: [
    [[], /nothing to decode/],
    [['00', '01'], /too many arguments/],
    [['00', '--node', '00'], /not both/],
    [['--node', '00', '--key', 'AAAA'], /no signature/],
    ...['', 'AAAA', 'A'.repeat(86), '!'.repeat(86), LONG].map(
      (key): BadCase => [['00', '--key', key], /--key takes 64 bytes in base64/],
    ),
  ],
  export: [
    [[], /required option '--html <dir>' not specified/],
    [['--html', ''], /--html .*""/],
    ...named(badNames, '--html', 'site'),
  ],
  conformance: [
    [[], /missing required argument 'target'/],
    ...['', 'nowhere', '127.0.0.1', '127.0.0.1:65536', '127.0.0.1:0', ESCAPE].map(
      (target): BadCase => [[target], /TARGET takes HOST:PORT/],
    ),
    [['http://directory.example'], /https:\/\//],
    [['127.0.0.1:1', '--junit', ''], /--junit .*""/],
    [['127.0.0.1:1', 'extra'], /too many arguments/],
  ],
  diagrams: [
    [[''], /FOLDER .*""/],
    [['a', 'b'], /too many arguments/],
  ],
  replay: [
    [[], /missing required argument 'file'/],
    [[''], /FILE .*""/],
    ...['--until', '--from', '--drop'].flatMap((option) => [
      ...counted(option, 'JOURNAL'),
      [
        ['JOURNAL', option, '999999999'],
        new RegExp(`${option} 999999999: the journal's last entry is \\d+`),
      ] as BadCase,
    ]),
    [['JOURNAL', '--from', '5', '--until', '3'], /--from 5 .*--until 3/],
    [['JOURNAL', '--trace', 'peer/nobody'], /--trace .*"peer\/nobody"/],
    [['JOURNAL', '--trace', ''], /--trace .*""/],
    ...['', 'peer', '=x', 'peer='].map(
      (what): BadCase => [['JOURNAL', '--shrink', what], /--shrink takes ACTOR=STATE/],
    ),
    [['JOURNAL', '--shrink', 'peer/nobody=x'], /no peer\/nobody is ever in the state "x"/],
    [['JOURNAL', '--shrink', 'peer=running', '--until', '3'], /--shrink and --until do not go together/],
    [['JOURNAL', '--html', ''], /--html .*""/],
    [['JOURNAL', '--html', 'JOURNAL'], /--html .* would overwrite the journal/],
    [['JOURNAL', '--html', 'page.html', '--until', '3'], /--html shows the whole run: leave out --until/],
  ],
  inspect: [
    [[''], /FILE .*""/],
    [[], /no murmure is running/],
  ],
  lab: [
    [['--html', ''], /--html .*""/],
    [['extra'], /too many arguments/],
  ],
  why: [
    noName,
    ...named(badNames),
    [['bob', ''], /FILE .*""/],
    [['bob'], /no murmure is running/],
    [['bob', 'JOURNAL', 'extra'], /too many arguments/],
  ],
  'directory backup': [
    [[], /missing required argument 'file'/],
    [[''], /FILE .*""/],
    [['names.db'], /there is no registry .*registry\.db/],
  ],
  'directory restore': [
    [[], /missing required argument 'file'/],
    [[''], /FILE .*""/],
    [['nowhere.db'], /there is no registry .*nowhere\.db/],
  ],
  'directory migrate': [
    [['--from', 'sqlite:registry.db'], /--to <registry>' not specified/],
    [['--to', 'sqlite:registry.db'], /--from <registry>' not specified/],
    [['--from', 'frob:', '--to', 'sqlite:registry.db'], /a registry is sqlite:FILE, redis:/],
    [['--from', 'sqlite:nowhere.db', '--to', 'sqlite:registry.db'], /there is no registry nowhere\.db/],
  ],
  doctor: [[['extra'], /too many arguments/], unknownOption],
  service: [[['frob'], /unknown command 'frob'/]],
  'service install': [
    [['frob'], /a service for a peer and one for a directory, not for "frob"/],
    [['--output', ''], /--output .*""/],
    [['--listen', '0.0.0.0:1'], /--listen, --udp and --public-address belong to/],
    [['directory', 'more'], /too many arguments/],
    [['directory', '--public-address', '203.0.113.7:0'], /--public-address .*203\.0\.113\.7:0/],
  ],
  config: [[['frob'], /too many arguments/]],
  'config show': [[['extra'], /too many arguments/], unknownOption],
  'config get': [
    [[], /missing required argument 'setting'/],
    [['dirctory'], /no setting "dirctory": did you mean directory\?/],
    excess,
  ],
  'config set': [
    [['ca'], /missing required argument 'value'/],
    [['frob', 'x'], /no setting "frob": choose one of directory, ca/],
    [['directory', ''], /"directory" takes a value, not ""/],
    [['timeout', '-1'], /"timeout" takes a number above 0, not "-1"/],
    [['quiet', 'yes'], /"quiet" takes true or false, not "yes"/],
  ],
  'config unset': [[['frob'], /no setting "frob"/], excess],
  profile: [[['frob'], /too many arguments/]],
  'profile list': [[['extra'], /too many arguments/], unknownOption],
  'profile create': [
    [['work'], /missing required argument 'name'/],
    [['a/b', 'me'], /PROFILE takes a name of letters/],
    [['', 'me'], /PROFILE takes a name, not ""/],
    ...named(badNames, 'work'),
  ],
  'profile use': [[['nowhere'], /no profile "nowhere"/], excess],
  completion: [
    [[], /missing required argument 'shell'/],
    ...['', 'tcsh', 'BASH', ESCAPE].map((shell): BadCase => [[shell], /no completion for ".*bash, zsh or fish/]),
    [['bash', 'zsh'], /too many arguments/],
  ],
  help: [
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['post', 'extra'], /too many arguments/],
  ],
};
