/**
 * Values of events and contexts as JSON, and back: byte arrays, references to actors, and numbers that JSON does not know.
 * Object members that are functions or undefined are left out.
 */
import type { AnyActorRef } from 'xstate';
import { pathOf } from '../runtime/actor-tree.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function isActor(value: object): value is AnyActorRef {
  return 'getSnapshot' in value && 'sessionId' in value;
}

export function encodeValue(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'object':
      return value === null ? null : encodeObject(value);
    default:
      return undefined;
  }
}

function encodeObject(value: object): Json {
  if (value instanceof Uint8Array) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64url') };
  }
  if (Array.isArray(value)) return value.map((item) => encodeValue(item) ?? null);
  if (value instanceof Map) return { $map: Array.from(value, (entry) => encodeValue(entry) ?? null) };
  if (isActor(value)) return { $actor: pathOf(value) };
  if ('rest' in value) return { $stack: encodeStack(value) };
  return encodeMembers(value);
}

/** A linked stack may be higher than the call stack: it is gone through in a loop. */
function encodeStack(top: object): Json[] {
  const items: Json[] = [];
  for (let at: unknown = top; typeof at === 'object' && at !== null; at = (at as { rest: unknown }).rest) {
    items.push(encodeMembers({ ...at, rest: undefined }));
  }
  return items;
}

function encodeMembers(value: object): Json {
  const encoded: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value)) {
    const json = encodeValue(member);
    if (json !== undefined) encoded[key] = json;
  }
  return encoded;
}

/** Events and inputs have fewer levels within each other by far. */
const MAX_DEPTH = 64;

/** @throws Error for a reference to an actor that is not there, and for values nested more than 64 levels deep */
export function decodeValue(json: Json, actorAt: (path: string) => AnyActorRef | undefined, depth = 0): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (depth > MAX_DEPTH) throw new Error(`it is nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(json)) return json.map((item) => decodeValue(item, actorAt, depth + 1));
  const { $bytes, $actor, $number } = json as { readonly [key: string]: Json | undefined };
  if (typeof $bytes === 'string') return new Uint8Array(Buffer.from($bytes, 'base64url'));
  if (typeof $number === 'string') return Number($number);
  if (typeof $actor === 'string') {
    const actor = actorAt($actor);
    if (actor === undefined) throw new Error(`there is no actor ${$actor}`);
    return actor;
  }
  return Object.fromEntries(
    Object.entries(json).map(([key, member]) => [key, decodeValue(member, actorAt, depth + 1)]),
  );
}
