/** Short digests: of a machine's definition, of the states of all actors, of everything that was sent. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { AnyActorRef } from 'xstate';
import { machines } from '../../machines/index.ts';
import { actorsFrom, pathOf } from '../runtime/actor-tree.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import { encodeValue, type Json } from './values.ts';

/**
 * Of each machine, 12 hex digits that change with its chart: states, transitions, the names of guards, actions and delays, and the lengths of
 * delays that are constant. What a guard or an action does may change without them: replaying shows that.
 */
export function machineVersions(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(machines).map(([name, { config, implementations }]) => [
      name,
      digest(JSON.stringify([config, implementations.delays], nameFunctions)).slice(0, 12),
    ]),
  );
}

function nameFunctions(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? `function ${value.name}` : value;
}

/** Of every actor its path, status, state and context. */
export function stateTree(root: AnyActorRef): Json[] {
  return actorsFrom(root).map((actor) => {
    const { status, value, context } = actor.getSnapshot() as { status: string; value?: unknown; context?: unknown };
    return {
      path: pathOf(actor),
      status,
      value: encodeValue(value) ?? null,
      context: sorted(encodeValue(context) ?? null),
    };
  });
}

export function stateHash(root: AnyActorRef): string {
  return digest(JSON.stringify(stateTree(root)));
}

/** Counts datagrams, and digests each with its destination. */
export class SentTally {
  #count = 0;
  #crc = 0;

  add(bytes: Uint8Array, to: SocketAddress): void {
    this.#count += 1;
    this.#crc = crc32(bytes, crc32(formatAddress(to), this.#crc));
  }

  get count(): number {
    return this.#count;
  }

  /** "COUNT:CRC": what was sent so far. */
  toString(): string {
    return `${this.#count}:${this.#crc.toString(16).padStart(8, '0')}`;
  }
}

function sorted(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(sorted);
  return Object.fromEntries(
    Object.entries(json)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
