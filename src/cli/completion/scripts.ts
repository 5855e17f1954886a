/**
 * Completion scripts for three shells, from what completables.ts knows. Names of peers are foreign text: no shell may ever expand or
 * evaluate them.
 */
import { type Argument, type Completable, type CompletableOption, type Shell, VALUE_KINDS } from './completables.ts';

export function completionScript(shell: Shell, all: readonly Completable[]): string {
  switch (shell) {
    case 'bash':
      return bash(all);
    case 'zsh':
      return zsh(all);
    case 'fish':
      return fish(all);
  }
}

const words = (items: readonly { name: string; short?: string | undefined }[]) =>
  items.flatMap(({ name, short }) => (short === undefined ? [name] : [short, name])).join(' ');
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

interface Shape {
  readonly everywhere: readonly CompletableOption[];
  readonly groups: readonly string[];
}

/** What all scripts need: options that hold everywhere, and commands that have commands of their own. */
function shapeOf(all: readonly Completable[]): Shape {
  const everywhere = (all[0]?.options ?? []).filter(({ name }) => name !== '--version');
  const groups = all.filter(({ path, commands }) => path !== '' && commands.length > 0).map(({ path }) => path);
  return { everywhere, groups };
}

/** Options whose values the program is asked for: a case of a shell's `case` for each kind. */
function valueCases(
  all: readonly Completable[],
  toCase: (options: readonly string[], kind: string) => string,
): string[] {
  const kinds = VALUE_KINDS.map((kind) => ({ kind, options: optionsWith(all, kind) }));
  return kinds.filter(({ options }) => options.length > 0).map(({ kind, options }) => toCase(options, kind));
}

/** Names of the options that take a value. */
function optionsWithValue(all: readonly Completable[]): string[] {
  return (['file', 'folder', 'text', ...VALUE_KINDS] as const).flatMap((kind) => optionsWith(all, kind));
}

/** As scripts have it: `file`, `ask KIND`, `words ONE TWO`, or nothing; of each argument in turn, and `+` if the last may be repeated. */
function kindsOf({ arguments: args, isVariadic }: Completable): string[] {
  const kindOf = (argument: Argument) => {
    if (argument === undefined || argument === 'file') return argument ?? '';
    return typeof argument === 'string' ? `ask ${argument}` : `words ${argument.join(' ')}`;
  };
  return [...args.map(kindOf), ...(isVariadic ? ['+'] : [])];
}

/** Names of the options of this kind, of all commands, each once. */
function optionsWith(all: readonly Completable[], value: CompletableOption['value']): string[] {
  const names = all.flatMap(({ options }) =>
    options.filter((option) => option.value === value).map(({ name }) => name),
  );
  return [...new Set(names)];
}

function bash(all: readonly Completable[]): string {
  const { everywhere, groups } = shapeOf(all);
  const cases = all.map((one) => {
    const { path, commands, options } = one;
    const choices = [words(commands), words(options), path === '' ? '' : words(everywhere)].filter(Boolean).join(' ');
    return `    ${quoted(path)}) choices=${quoted(choices)} kinds=(${kindsOf(one).map(quoted).join(' ')}) ;;`;
  });
  const files = [...optionsWith(all, 'file'), ...optionsWith(all, 'folder')];
  const asked = valueCases(all, (options, kind) => `    ${options.join(' | ')}) _murmure_values ${kind}; return ;;`);
  return `# murmure completion for bash: source <(murmure completion bash)
_murmure_values() {
  local value sign=''
  # To bash, "@" is a word of its own, which is replaced together with the one behind it.
  [[ \${COMP_WORDS[COMP_CWORD - 1]} == @ ]] && sign=@
  while IFS= read -r value; do
    [[ $value == "$sign\${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$(printf %q "$value")")
  done < <(murmure complete "$1" 2>/dev/null)
  return 0
}
_murmure() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local path='' choices='' kind='' word skip='' i count=0
  local -a kinds=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $skip ]]; then skip=''; continue; fi
    case "$word" in
      ${optionsWithValue(all).join(' | ')}) skip=1 ;;
      -*) ;;
      *) case "$path" in
          ''${groups.map((group) => ` | ${quoted(group)}`).join('')}) [[ $word == help ]] || path="\${path:+$path }$word" ;;
          *) count=$((count + 1)) ;;
        esac ;;
    esac
  done
  case "$previous" in
    ${files.join(' | ')}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ${optionsWith(all, 'text').join(' | ')}) return ;;
${asked.join('\n')}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  if [[ \${#kinds[@]} -gt 0 && \${kinds[-1]} == + ]]; then
    unset 'kinds[-1]'
    [[ $count -lt \${#kinds[@]} ]] || count=$((\${#kinds[@]} - 1))
  fi
  [[ $count -ge \${#kinds[@]} || $current == -* ]] || kind="\${kinds[count]}"
  case "$kind" in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    ask\\ *) _murmure_values "\${kind#ask }"; return ;;
    words\\ *) choices+=" \${kind#words }" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
}
complete -F _murmure murmure
`;
}

function zsh(all: readonly Completable[]): string {
  const { everywhere, groups } = shapeOf(all);
  const described = ({ name, summary }: { name: string; summary: string }) =>
    quoted(`${name.replaceAll(':', '\\:')}:${summary.replaceAll(':', '\\:')}`);
  const cases = all.map((one) => {
    const { path, commands, options } = one;
    const shown = [...options, ...(path === '' ? [] : everywhere)].flatMap(({ short, ...option }) =>
      short === undefined ? [option] : [{ ...option, name: short }, option],
    );
    const kinds = kindsOf(one).map(quoted).join(' ');
    return `    ${quoted(path)}) commands=(${commands.map(described).join(' ')}) flags=(${shown.map(described).join(' ')}) kinds=(${kinds}) ;;`;
  });
  const files = [...optionsWith(all, 'file'), ...optionsWith(all, 'folder')];
  const asked = valueCases(all, (options, kind) => `    (${options.join('|')}) _murmure_values ${kind}; return ;;`);
  return `#compdef murmure
# murmure completion for zsh: murmure completion zsh > _murmure, in a folder of $fpath
_murmure_values() {
  local -a found
  found=("\${(@f)$(murmure complete $1 2>/dev/null)}")
  compadd -a found
}
_murmure() {
  local path_words='' word skip='' kind='' i count=1
  local -a commands flags kinds
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      (${optionsWithValue(all).join('|')}) skip=1 ;;
      (-*) ;;
      (*) case $path_words in
          (''${groups.map((group) => `|${quoted(group)}`).join('')}) [[ $word == help ]] || path_words="\${path_words:+$path_words }$word" ;;
          (*) count=$((count + 1)) ;;
        esac ;;
    esac
  done
  case $words[CURRENT-1] in
    (${files.join('|')}) _files; return ;;
    (${optionsWith(all, 'text').join('|')}) return ;;
${asked.join('\n')}
  esac
  case $path_words in
${cases.join('\n').replaceAll(/^( {4})/gm, '$1(')}
  esac
  if [[ $kinds[-1] == + ]]; then
    kinds[-1]=()
    (( count <= $#kinds )) || count=$#kinds
  fi
  [[ $words[CURRENT] == -* ]] || kind=$kinds[count]
  case $kind in
    (file) _files; return ;;
    (ask\\ *) _murmure_values \${kind#ask }; return ;;
    (words\\ *) commands+=(\${=kind#words }) ;;
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe -o option flags; else _describe command commands; fi
}
# As a file in $fpath it is called at once; when it is sourced, it is only made known.
if [[ $funcstack[1] == _murmure ]]; then _murmure "$@"; elif (( $+functions[compdef] )); then compdef _murmure murmure; fi
`;
}

function fish(all: readonly Completable[]): string {
  const { everywhere, groups } = shapeOf(all);
  const values = (kind: string) => ` -a ${quoted(`(murmure complete ${kind} 2>/dev/null)`)}`;
  const lines = [
    `# murmure completion for fish: murmure completion fish | source
function __murmure_at -a wanted first last -d 'Whether this is the command that is typed, and this its argument'
  set -l path
  set -l skip
  set -l count 0
  set -l typed (commandline -opc)
  set -e typed[1]
  for word in $typed
    if test -n "$skip"
      set skip
      continue
    end
    switch $word
      case ${optionsWithValue(all).join(' ')}
        set skip 1
      case '-*'
      case '*'
        switch "$path"
          case ''${groups.map((group) => ` ${quoted(group)}`).join('')}
            test $word = help; or set path (string trim "$path $word")
          case '*'
            set count (math $count + 1)
        end
    end
  end
  test "$path" = "$wanted"; or return
  test -z "$first"; and return
  test $count -ge $first; and test -z "$last" -o "$count" = "$last"
end
complete -c murmure -f`,
  ];
  const option = ({ name, short, summary, value }: CompletableOption, condition: string) => {
    const isFile = value === 'file' || value === 'folder';
    const takes = value === undefined ? '' : isFile ? ' -r -F' : value === 'text' ? ' -x' : ` -x${values(value)}`;
    const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
    return `complete -c murmure${condition} -l ${name.slice(2)}${letter}${takes} -d ${quoted(summary)}`;
  };
  for (const { path, commands, options, arguments: args, isVariadic } of all) {
    const condition = ` -n "__murmure_at ${quoted(path)}"`;
    for (const { name, summary } of commands) {
      lines.push(`complete -c murmure${condition} -a ${name} -d ${quoted(summary)}`);
    }
    for (const [index, argument] of args.entries()) {
      const last = isVariadic && index === args.length - 1 ? '' : ` ${index}`;
      const here = ` -n "__murmure_at ${quoted(path)} ${index}${last}"`;
      if (argument === 'file') lines.push(`complete -c murmure${here} -F`);
      else if (typeof argument === 'string') lines.push(`complete -c murmure${here}${values(argument)}`);
      else if (argument !== undefined) lines.push(`complete -c murmure${here} -a ${quoted(argument.join(' '))}`);
    }
    const own = path === '' ? options.filter((one) => !everywhere.includes(one)) : options;
    lines.push(...own.map((one) => option(one, condition)));
  }
  lines.push(...everywhere.map((one) => option(one, '')));
  return `${lines.join('\n')}\n`;
}
