/** `murmure key export` and `key import`: an identity in one file, to keep or to move. */

import { open, readFile, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { withFile } from '../../identity/file-errors.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import { createPemFile, KeyFileExistsError, KeyFileMissingError, readKeyFile } from '../../identity/key-file.ts';
import { buildTree } from '../../merkle/build.ts';
import { isMuted } from '../../store/muting.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { PeerRecord, Store } from '../../store/store.ts';
import { hashOf } from '../../wire/hash.ts';
import { nodeKind } from '../../wire/node.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { FileExistsError, IdentityExistsError, InvalidFileError } from '../errors.ts';
import { type BackupContent, openBackup, sealBackup, type Verified } from '../home/backup.ts';
import { createHomeFolder, type Home, markRestored, readName, writeOwner } from '../home/home.ts';
import { openIdentity, openStore } from '../home/open-home.ts';
import { lockHome } from '../home/serve-lock.ts';
import { readTextFile } from '../input/text-file.ts';
import { requirePath } from '../input/validate.ts';
import { counted } from '../render/text.ts';

/** `key`: the command that these belong to. */
export function declareTransfer(key: Command, run: Run): void {
  key
    .command('export')
    .summary('write a backup')
    .description(
      'Writes your key, your messages, and the list of peers you follow to one file that only you can read. The key keeps its passphrase.',
    )
    .argument('<file>', 'a new file; an existing one is never overwritten')
    .addHelpText('after', examples('key export backup.json'))
    .action((file: string) => run((context) => exportKey(context, file)));
  key
    .command('import')
    .summary('restore a home from a backup')
    .description('Creates a home from a backup, after it has verified all of it. It never overwrites an identity.')
    .argument('<file>', 'a file that "key export" wrote')
    .addHelpText('after', examples('key import backup.json', 'key import backup.json --home ./restored'))
    .action((file: string) => run((context) => importKey(context, file)));
}

/** The key goes into the file as it is kept: under its passphrase, if it has one. */
async function exportKey(context: CommandContext, file: string): Promise<void> {
  requirePath('FILE', file);
  const { home } = context.settings;
  const { name, keyPair } = await openIdentity(context);
  using store = (await openStore(home)).store;
  const peers = store.peers().filter((peer) => peer.name !== name && isWorthKeeping(peer));
  const leaves = store.ownLeaves();
  // Of these very leaves: another process may post meanwhile.
  const { root } = buildTree(leaves.map(hashOf));
  const content: BackupContent = {
    name,
    publicKey: keyPair.publicKey,
    key: await readKeyFile(home.keyFile),
    savedAt: new Date(context.nowMs()).toISOString(),
    root,
    leaves: leaves.map((leaf) => Buffer.from(leaf).toString('base64')),
    peers: peers.map((peer) => backedUp(peer, context.nowMs())),
    ...keptIn(store),
  };
  const path = resolve(file);
  await createFile(path, await sealBackup(content, keyPair));
  const following = peers.filter((peer) => peer.following).length;
  const saved = { file: path, name, messages: countMessages(leaves), following };
  context.output.data(saved, () => `${safeLine(path)}: the key of ${summary(saved)}`);
  const waiting = store.scheduled().length;
  if (waiting > 0)
    context.output.warn(
      `${counted(waiting, 'scheduled message')} will be published from this home, and not in the backup`,
    );
  context.output.note('Anyone who has this file can publish in your name: keep it where nobody else can read it.');
}

/** Nothing is written before everything is verified; what an interrupted import has left, the same import completes. */
async function importKey(context: CommandContext, file: string): Promise<void> {
  requirePath('FILE', file);
  const { home } = context.settings;
  const verified = await openBackup(await readTextFile(file), file, context);
  await requireNoIdentity(home, verified);

  const { name, peers, key } = verified.content;
  await createHomeFolder(home);
  using _lock = lockHome(home);
  const messages = countMessages(verified.leaves);
  // First: whatever interrupts this, no message is restored without the mark.
  if (messages > 0) markRestored(home);
  using store = openSqliteStore(home.storeFile);
  restoreStore(store, verified, context.nowMs());
  if ((await existingKey(home)) === undefined) await createPemFile(home.keyFile, key);
  const { publicKey } = verified.keyPair;
  await writeOwner(home, { name, publicKey });

  const following = peers.filter((peer) => peer.following).length;
  const restored = { name, fingerprint: fingerprint(publicKey), publicKey, home: home.folder, messages, following };
  context.output.data(restored, (paint) =>
    [
      `${safeLine(home.folder)} is now the home of ${summary(restored)}`,
      `key fingerprint ${paint('cyan', restored.fingerprint)}`,
    ].join('\n'),
  );
  context.output.note('Publish from one home only: two homes with the same key undo what the other has published.');
  if (messages > 0) context.output.note(following > 0 ? IS_ASKED_FIRST : NOBODY_TO_ASK);
}

const IS_ASKED_FIRST =
  'Before you first publish from here, murmure asks the peers you follow for newer messages of yours. If they have any, nothing is published.';
const NOBODY_TO_ASK =
  'You follow nobody who could be asked for newer messages of yours. If there are any, your next message deletes them for everybody.';

function summary({ name, messages, following }: { name: string; messages: number; following: number }): string {
  return `${safeLine(name)}, with ${counted(messages, 'message')}, following ${counted(following, 'peer')}`;
}

/** What is withdrawn is in a backup as well, and no message. */
function countMessages(leaves: readonly Uint8Array[]): number {
  return leaves.filter((leaf) => nodeKind(leaf) === 'message').length;
}

function backedUp(peer: PeerRecord, nowMs: number): BackupContent['peers'][number] {
  const { name, key, following, mutedUntilMs, blocked } = peer;
  const muted = isMuted(peer, nowMs);
  const until = muted && mutedUntilMs !== undefined ? { mutedUntilMs } : {};
  return { name, key: key ?? null, following, muted, ...until, ...(blocked && { blocked }) };
}

/** What the person has marked, and their lists, if there are any. */
function keptIn(store: Store): Pick<BackupContent, 'kept'> {
  const kinds = ['word', 'conversation', 'bookmark', 'notice'] as const;
  const marks = kinds.flatMap((kind) =>
    store.marks(kind).map(({ subject, untilMs }) => ({ kind, subject, untilMs: untilMs ?? null })),
  );
  const lists = [...store.lists()].map(([name, peers]) => ({ name, peers: [...peers] }));
  return marks.length + lists.length === 0 ? {} : { kept: { marks, lists } };
}

/** A pinned key protects against impostors from the first day on; the rest is what the user decided. */
function isWorthKeeping({ key, following, muted, blocked }: PeerRecord): boolean {
  return key !== undefined || following || muted || blocked;
}

async function createFile(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new FileExistsError(path) : error;
  });
  try {
    await handle.writeFile(text);
    await handle.sync();
    if ((await readFile(path, 'utf8')) !== text) {
      throw new InvalidFileError(path, 'what was read back is not what was written: check the disk');
    }
  } catch (error) {
    // Half a backup is none, and would be in the way of the next one.
    await unlink(path);
    throw withFile(error, path);
  } finally {
    await handle.close();
  }
}

/** @throws IdentityExistsError, KeyFileExistsError unless the home has nothing yet but what this same backup put there */
async function requireNoIdentity(home: Home, { content }: Verified): Promise<void> {
  const name = await readName(home);
  if (name !== undefined) throw new IdentityExistsError(home.folder, name);
  const key = await existingKey(home);
  if (key !== undefined && key !== content.key) throw new KeyFileExistsError(home.keyFile);
}

async function existingKey({ keyFile }: Home): Promise<string | undefined> {
  return readKeyFile(keyFile).catch((error: unknown) => {
    if (error instanceof KeyFileMissingError) return undefined;
    throw error;
  });
}

function restoreStore(store: Store, { content, leaves, root }: Verified, nowMs: number): void {
  if (store.ownFeed().root !== root) store.restore(content.name, leaves, nowMs);
  const { marks = [], lists = [] } = content.kept ?? {};
  store.setMarks(marks.map((mark) => ({ ...mark, untilMs: mark.untilMs ?? undefined })));
  for (const { name, peers } of lists) store.addToList(name, peers);
  for (const { name, key, following, muted, mutedUntilMs, blocked } of content.peers) {
    if (key !== null) store.pinKey(name, key, nowMs);
    if (following) store.setFollowing(name, true, nowMs);
    if (muted) store.setMuted(name, true, nowMs, mutedUntilMs);
    if (blocked) store.setBlocked(name, true, nowMs);
  }
}
