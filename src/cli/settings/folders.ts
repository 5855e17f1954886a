/** Folders that the environment names. An empty or relative one would depend on where one stands, so it counts as none (XDG Base Directory). */
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../streams.ts';

/** Where the platform keeps a program's data: `~/.local/share/murmure` on Linux. */
export function dataFolder(env: Environment): string {
  const home = homeFolder(env);
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'murmure');
  if (process.platform === 'win32') {
    return join(absolute(env.LOCALAPPDATA) ?? join(home, 'AppData', 'Local'), 'murmure', 'Data');
  }
  return join(absolute(env.XDG_DATA_HOME) ?? join(home, '.local', 'share'), 'murmure');
}

/** Where systemd looks for units of this user: systemd.unit(5). */
export function userUnitFolder(env: Environment): string {
  return join(absolute(env.XDG_CONFIG_HOME) ?? join(homeFolder(env), '.config'), 'systemd', 'user');
}

/** `~` as a shell has it, where no shell has looked: in a file, a variable, or after `--home=`. */
export function withoutTilde(path: string, env: Environment): string {
  return path === '~' || path.startsWith('~/') ? join(homeFolder(env), path.slice(1)) : path;
}

/** The home folder of the person, for which `~` stands. */
export function homeFolder({ HOME }: Environment): string {
  if (process.platform === 'win32') return homedir();
  return absolute(HOME) ?? userInfo().homedir;
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
