/** The runtime, and what is in the home folder. */
import { access, constants, stat } from 'node:fs/promises';
import { wireDate } from '../../feed/message.ts';
import { isEncryptedPem } from '../../identity/encrypted-pem.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import { readKeyFile } from '../../identity/key-file.ts';
import type { CommandContext } from '../context.ts';
import { isRestored, refusalIn, whyStopped } from '../home/home.ts';
import { type Identity, openStore } from '../home/open-home.ts';
import { counted } from '../render/text.ts';
import { type Check, failed, ok } from './check.ts';

export function checkHome({ settings, nowMs }: CommandContext, identity: () => Promise<Identity>): Check[] {
  const { home } = settings;
  return [
    { name: 'node', run: async () => checkNode(process.versions.node) },
    { name: 'date', run: async () => checkDate(nowMs()) },
    {
      name: 'home',
      run: async () => {
        const info = await stat(home.folder).catch(() => undefined);
        if (info === undefined) {
          return failed(
            'usage',
            `there is no folder ${home.folder}`,
            'create it with "murmure init NAME", or choose another with --home',
          );
        }
        try {
          await access(home.folder, constants.R_OK | constants.W_OK | constants.X_OK);
        } catch {
          return failed(
            'unexpected',
            `${home.folder} cannot be read and written`,
            'make it yours, for example with chown and chmod 700',
          );
        }
        const isOpen = process.platform !== 'win32' && (info.mode & 0o077) !== 0;
        return isOpen ? ok(`${home.folder}, which others can read`, `chmod 700 ${home.folder}`) : ok(home.folder);
      },
    },
    {
      name: 'key',
      run: async () => {
        const { name, keyPair } = await identity();
        const detail = `${name}, ${fingerprint(keyPair.publicKey)}`;
        const { mode } = await stat(home.keyFile);
        if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
          return failed('unexpected', `${home.keyFile} can be read by others`, `chmod 600 ${home.keyFile}`);
        }
        const isEncrypted = isEncryptedPem(await readKeyFile(home.keyFile));
        return ok(`${detail}, ${isEncrypted ? 'with a passphrase' : 'without a passphrase'}`);
      },
    },
    {
      name: 'database',
      run: async () => {
        using store = (await openStore(home)).store;
        return ok(`${counted(store.countMessages(), 'message')} by ${counted(store.peers().length, 'peer')}`);
      },
    },
    {
      name: 'publishing',
      run: async () => {
        const why = whyStopped(home);
        if (why !== undefined) return failed('in-use', why, 'stop the other one, and start "murmure serve" here again');
        if (!isRestored(home)) return ok(NOT_COMPARED);
        const detail =
          refusalIn(home)?.why ??
          'this home was restored or put back from a copy, and may lack newer messages of yours';
        return failed(
          'invalid-data',
          detail,
          'start "murmure serve", which asks others; or accept the loss with "murmure key resume"',
        );
      },
    },
  ];
}

/** Only a peer that runs can ask others. */
const NOT_COMPARED =
  'nothing is held back; whether others have newer messages of yours is not checked here: "murmure serve" asks each peer that it meets';

function checkDate(nowMs: number) {
  wireDate(nowMs);
  return ok(`${new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`);
}

/** What package.json asks for: the executable says so as well, but not everybody starts that. */
function checkNode(version: string) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major >= 26 || (major === 24 && minor >= 15)) return ok(`Node.js ${version}`);
  return failed(
    'unexpected',
    `Node.js ${version} is not supported`,
    'install 24.15 or later, or 26: https://nodejs.org/',
  );
}
