/** `murmure` on a terminal: the interactive front end. */

import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { KeyFileEncryptedError } from '../../identity/key-file.ts';
import { createDirectoryHttp } from '../../peer/directory-http.ts';
import type { Run } from '../command.ts';
import { type CommandContext, type DirectoryAccess, requireDirectory } from '../context.ts';
import { LOOPBACK, openNeighbourhood } from '../demo/neighbourhood.ts';
import { HomeInUseError, UsageError } from '../errors.ts';
import type { Dialogue } from '../front-end/dialogue.ts';
import { draftsIn } from '../front-end/drafts.ts';
import { editSettings } from '../front-end/edit-settings.ts';
import { positionIn } from '../front-end/reading-position.ts';
import { type FirstRunWorld, runFirstRun } from '../front-end/run-first-run.ts';
import { type FrontEndOptions, runFrontEnd } from '../front-end/run-front-end.ts';
import { createHome } from '../home/create-home.ts';
import { type Home, readName } from '../home/home.ts';
import { type Identity, openIdentity, openIdentityWith } from '../home/open-home.ts';
import { askPassphrase } from '../home/passphrase.ts';
import { lockFrontEnd } from '../home/serve-lock.ts';
import { exitCodeOf } from '../output/exit-codes.ts';
import { type OwnPeerOptions, openLastingPeer } from '../peer/lasting-peer.ts';
import { addToConfigFile, readConfigFile } from '../settings/config-file.ts';
import { withoutTilde } from '../settings/folders.ts';
import type { Settings } from '../settings/settings.ts';

/** Not to be typed, so not in the help: `murmure` alone does it at a terminal. */
export function declare(program: Command, run: Run): void {
  program.command('front-end', { hidden: true }).action(() => run(frontEnd, { bounded: false }));
}

/** While somebody writes nothing else is printed: what the peer reports is on a screen of its own. */
async function frontEnd(context: CommandContext): Promise<number | undefined> {
  const { dialogue, output, settings } = context;
  if (dialogue === undefined)
    throw new UsageError('the front end needs a terminal: give a command instead ("murmure help" lists them)');
  await using resources = new AsyncDisposableStack();
  const beginning = await begin(context, dialogue, resources);
  if (beginning === undefined) return exitCodeOf('interrupted');
  const { home } = settings;
  const key = new KeyOfHome(context, beginning.identity);
  const own = (isFirst: boolean) => ownOptions(context, beginning, () => (isFirst ? key.open() : key.reopen()));
  const lasting = resources.use(await openLastingPeer(context, { runBy: 'front-end', own }));
  const { peer, store, attached, directoryUrl } = lasting;
  // Of several front ends, one keeps drafts and the position: they would take each other's away.
  const keepers = resources.use(takeKeepers(home));
  await runFrontEnd({
    peer,
    store,
    following: attached?.status.following,
    dialogue,
    paint: output.paint,
    ...keepers.options,
    settings: settings.origins,
    directory: directoryUrl,
    editSettings: () => editSettings(home.configFile, dialogue.edit),
    unlocking: {
      get isNeeded() {
        return key.isLocked && peer.ended !== undefined;
      },
      unlock: (passphrase) => key.unlock(passphrase),
    },
  });
  return undefined;
}

async function ownOptions(
  context: CommandContext,
  beginning: Beginning,
  open: () => Promise<Identity>,
): Promise<OwnPeerOptions> {
  const access: NonNullable<Beginning['access']> = beginning.access ?? (await requireDirectory(context));
  const identity = await open();
  return { identity, access, ...(access.udp && { udp: access.udp }) };
}

/** In the place of another process the peer is run without a question: the screen is in use. A screen says that there is one. */
class KeyOfHome {
  readonly #context: CommandContext;
  #identity: Identity | undefined;
  #isLocked = false;

  constructor(context: CommandContext, identity: Identity | undefined) {
    this.#context = context;
    this.#identity = identity;
  }

  get isLocked(): boolean {
    return this.#isLocked;
  }

  async open(): Promise<Identity> {
    this.#identity ??= await openIdentity(this.#context);
    return this.#identity;
  }

  /** @throws KeyFileEncryptedError as long as nobody has typed the passphrase */
  async reopen(): Promise<Identity> {
    try {
      this.#identity ??= await openIdentity({ ...this.#context, prompts: undefined });
      return this.#identity;
    } catch (error) {
      this.#isLocked = error instanceof KeyFileEncryptedError;
      throw error;
    }
  }

  /** @throws WrongPassphraseError */
  async unlock(passphrase: string): Promise<void> {
    this.#identity = await openIdentityWith(this.#context.settings.home, async () => passphrase);
    this.#isLocked = false;
  }
}

function takeKeepers(
  home: Home,
): Disposable & { readonly options: Pick<FrontEndOptions, 'drafts' | 'readingPosition' | 'notificationsPosition'> } {
  try {
    const lock = lockFrontEnd(home);
    const options = {
      drafts: draftsIn(home),
      readingPosition: positionIn(home, 'timeline'),
      notificationsPosition: positionIn(home, 'notifications'),
    };
    return { options, [Symbol.dispose]: () => lock[Symbol.dispose]() };
  } catch (error) {
    if (!(error instanceof HomeInUseError)) throw error;
    return { options: {}, [Symbol.dispose]: () => {} };
  }
}

interface Beginning {
  /** Undefined: as the settings say. */
  readonly access?: DirectoryAccess & { readonly udp?: readonly string[] };
  /** Undefined: it is to be opened. */
  readonly identity?: Identity | undefined;
}

/** Asks what is not known yet; undefined if the person broke that off. */
async function begin(
  context: CommandContext,
  dialogue: Dialogue,
  resources: AsyncDisposableStack,
): Promise<Beginning | undefined> {
  const { home, directory } = context.settings;
  const name = await readName(home);
  const hasDirectory = directory !== undefined;
  // A peer that runs already needs neither.
  if (name !== undefined && (hasDirectory || existsSync(home.localApiFile))) return {};
  const { world, made } = firstRunWorld(context);
  const result = await runFirstRun({ name, hasDirectory, world, dialogue, paint: context.output.paint });
  if (result === undefined) return undefined;
  const identity = made();
  if (!result.isLocal) return { identity, access: await requireDirectory(await withNewSettings(context)) };
  dialogue.show('Starting a directory and some neighbours …\n');
  const { access } = resources.use(await openNeighbourhood(context, () => {}));
  return { identity, access: { ...access, udp: LOOPBACK } };
}

/** With what the first questions have added to the file. */
async function withNewSettings(context: CommandContext): Promise<CommandContext> {
  const { home, directory, ca } = context.settings;
  const { config } = await readConfigFile(home.configFile);
  const added = {
    directory: directory ?? config.directory,
    ca: ca ?? (config.ca === undefined ? undefined : resolve(home.folder, config.ca)),
  };
  return { ...context, settings: { ...context.settings, ...added } };
}

/** `made` is the identity that `save` has made, if it has. */
function firstRunWorld(context: CommandContext): { world: FirstRunWorld; made: () => Identity | undefined } {
  const { settings, signal } = context;
  const { home } = settings;
  let identity: Identity | undefined;
  const world: FirstRunWorld = {
    checkDirectory: async (url, certificate) => {
      const path = certificate === '' ? settings.ca : pathFrom(certificate, settings);
      const ca = path === undefined ? undefined : await readFile(path, 'utf8');
      await createDirectoryHttp({ url, ca }).udpAddresses(signal);
    },
    whyNoCertificate: (text) => whyNoCertificate(text, settings),
    save: async ({ name, passphrase, url, certificate }) => {
      if (name !== undefined) {
        const secrets = { passphrase: async () => passphrase, askPassphrase: askPassphrase(context) };
        identity = { name, keyPair: await createHome({ home, name, ...secrets }) };
      }
      if (url !== '') await addToSettings(settings, url, certificate);
      return identity?.keyPair.publicKey;
    },
  };
  return { world, made: () => identity };
}

/** Said while it can still be typed again. */
function whyNoCertificate(text: string, settings: Settings): string | undefined {
  if (text.trim() === '') return 'enter a path, or press Escape to stop here';
  try {
    const isPem = readFileSync(pathFrom(text, settings), 'utf8').includes('-----BEGIN CERTIFICATE-----');
    return isPem ? undefined : 'that file holds no certificate: a PEM file contains "-----BEGIN CERTIFICATE-----"';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return `there is no file ${resolve(pathFrom(text, settings))}`;
    return code === 'EISDIR' ? 'that is a folder: type the path of a file in it' : message;
  }
}

/** As a shell would understand it. */
function pathFrom(text: string, { userFolder }: Settings): string {
  return withoutTilde(text.trim(), { HOME: userFolder });
}

/** The certificate is copied: the file that was named may go. */
const CERTIFICATE = 'trusted-directory.pem';

async function addToSettings(settings: Settings, url: string, certificate: string): Promise<void> {
  const { home } = settings;
  const { config } = await readConfigFile(home.configFile);
  if (certificate !== '' && config.ca !== undefined) {
    throw new UsageError(`${home.configFile} names another certificate: remove its line "ca = …", and start again`);
  }
  if (certificate !== '') await copyFile(pathFrom(certificate, settings), join(home.folder, CERTIFICATE));
  await addToConfigFile(home.configFile, { directory: url, ...(certificate !== '' && { ca: CERTIFICATE }) });
}
