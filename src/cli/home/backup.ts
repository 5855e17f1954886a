/**
 * A backup: one file with all that cannot be downloaded again – the key, the own messages, whom one follows, and what one
 * has muted, bookmarked and put on lists. It is signed with the key
 * that is in it, so that what comes back is what was saved, whole.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import * as v from 'valibot';
import { parseKey } from '../../identity/key-file.ts';
import type { KeyPair } from '../../identity/key-pair.ts';
import { parsePublicKey } from '../../identity/public-key.ts';
import { createVerifier } from '../../identity/verify.ts';
import { buildTree } from '../../merkle/build.ts';
import { type Hash, hashOf } from '../../wire/hash.ts';
import { isValidName } from '../../wire/name.ts';
import { nodeKind } from '../../wire/node.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError } from '../errors.ts';
import { askPassphrase } from './passphrase.ts';

const FORMAT = 'murmure-backup';
const VERSION = 1;

const name = v.pipe(v.string(), v.check(isValidName));
const publicKey = v.pipe(
  v.string(),
  v.check((text) => parsePublicKey(text).ok),
);

const contentSchema = v.strictObject({
  name,
  publicKey,
  /** PEM, under its passphrase if it has one. */
  key: v.string(),
  savedAt: v.pipe(v.string(), v.isoTimestamp()),
  root: v.string(),
  /** The leaves of the own tree in order, base64. */
  leaves: v.array(v.pipe(v.string(), v.base64())),
  peers: v.array(
    v.strictObject({
      name,
      key: v.nullable(publicKey),
      following: v.boolean(),
      muted: v.boolean(),
      /** Absent: for good. */
      mutedUntilMs: v.exactOptional(v.number()),
      /** Left out of those who are not: earlier versions do not know it. */
      blocked: v.exactOptional(v.literal(true)),
    }),
  ),
  /** What the person has marked, and their lists of people; absent if there is nothing of it. */
  kept: v.exactOptional(
    v.strictObject({
      marks: v.array(
        v.strictObject({
          kind: v.picklist(['word', 'conversation', 'bookmark', 'notice']),
          subject: v.string(),
          untilMs: v.nullable(v.number()),
        }),
      ),
      lists: v.array(v.strictObject({ name: v.string(), peers: v.array(name) })),
    }),
  ),
});

const backupSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  content: contentSchema,
  /** Of SHA-256 over the content as JSON, base64. */
  signature: v.pipe(v.string(), v.base64()),
});

export type BackupContent = v.InferOutput<typeof contentSchema>;

/** What was in a backup, all of it verified. */
export interface Verified {
  readonly content: BackupContent;
  readonly keyPair: KeyPair;
  readonly leaves: readonly Uint8Array[];
  readonly root: Hash;
}

/** The text of a backup file. */
export async function sealBackup(content: BackupContent, keyPair: KeyPair): Promise<string> {
  const signature = Buffer.from(await keyPair.sign(digest(content))).toString('base64');
  return `${JSON.stringify({ format: FORMAT, version: VERSION, content, signature })}\n`;
}

/** Verifies everything. `file` is what errors call it. @throws InvalidFileError, and what a wrong passphrase does */
export async function openBackup(
  text: string,
  file: string,
  context: Pick<CommandContext, 'settings' | 'prompts'>,
): Promise<Verified> {
  const invalid = (why: string) => new InvalidFileError(file, why);
  const { content, signature } = parseBackup(text, invalid);
  const keyPair = await parseKey(content.key, file, askPassphrase(context));
  if (keyPair.publicKey !== content.publicKey) throw invalid('its key does not match its public key');
  const verify = createVerifier({ maxKeys: 1 });
  const isGenuine = await verify(keyPair.publicKey, digest(content), new Uint8Array(Buffer.from(signature, 'base64')));
  if (!isGenuine) throw invalid('its signature does not match its content: it was changed or damaged');
  const leaves = content.leaves.map((leaf) => new Uint8Array(Buffer.from(leaf, 'base64')));
  if (leaves.some((leaf) => leaf.length === 0 || nodeKind(leaf) === 'internal')) {
    throw invalid('one of its messages is not valid');
  }
  const { root } = buildTree(leaves.map(hashOf));
  if (root !== content.root) throw invalid('its messages do not match its root');
  return { content, keyPair, leaves, root };
}

function parseBackup(text: string, invalid: (why: string) => Error): v.InferOutput<typeof backupSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('it is not JSON, so not a backup made by "murmure key export"');
  }
  const { format, version } = (json ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT) throw invalid('it is not a backup made by "murmure key export"');
  if (version !== VERSION)
    throw invalid(`it is a backup of version ${version}, but this murmure only reads version ${VERSION}`);
  const result = v.safeParse(backupSchema, json);
  if (!result.success) throw invalid(`"${v.getDotPath(result.issues[0])}" is not valid`);
  return result.output;
}

/** Member by member, so that the order in which a file has them does not count. */
function digest({ name, publicKey, key, savedAt, root, leaves, peers, kept }: BackupContent): Uint8Array {
  const plain: unknown[] = [FORMAT, VERSION, name, publicKey, key, savedAt, root, leaves, peers.map(peerFields)];
  if (kept !== undefined) plain.push(keptFields(kept));
  return sha256(new TextEncoder().encode(JSON.stringify(plain)));
}

function peerFields(peer: BackupContent['peers'][number]): unknown[] {
  const { name, key, following, muted, mutedUntilMs, blocked } = peer;
  return [
    ...[name, key, following, muted],
    ...(mutedUntilMs === undefined ? [] : [mutedUntilMs]),
    ...(blocked ? [blocked] : []),
  ];
}

function keptFields({ marks, lists }: NonNullable<BackupContent['kept']>): unknown[] {
  return [
    marks.map(({ kind, subject, untilMs }) => [kind, subject, untilMs]),
    lists.map(({ name, peers }) => [name, peers]),
  ];
}
