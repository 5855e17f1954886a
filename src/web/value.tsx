/** A value of any depth: one line where it is short, folded where it is deep; bytes as hex, with what they are as a datagram or a node. */

import { bytesToHex } from '@noble/hashes/utils.js';
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { describeDatagram, describeNode } from '../feed/describe.ts';
import { choose, run } from './state.ts';
import { countText, plain } from './text.ts';
import { ActorLink } from './values.ts';

/** Open ones, by their paths: they stay open while time passes. BOUNDED by the clicks of a person. */
const open = signal<ReadonlySet<string>>(new Set());
/** Members shown at first. */
const SHOWN = 100;

export function Members({ value, before, path }: { value: unknown; before?: unknown; path: string }) {
  const [shown, showMore] = useState(SHOWN);
  const members = membersOf(value);
  const old = new Map(membersOf(before));
  return (
    <ul class="members">
      {members.slice(0, shown).map(([key, member]) => (
        <Member
          key={key}
          name={key}
          value={member}
          before={old.get(key)}
          isChanged={before !== undefined && old.get(key) !== member}
          path={`${path}.${key}`}
        />
      ))}
      {members.length > shown && (
        <li>
          <button type="button" class="more" onClick={() => showMore(shown * 4)}>
            {countText(members.length - shown)} more
          </button>
        </li>
      )}
    </ul>
  );
}

interface MemberProps {
  readonly name: string;
  readonly value: unknown;
  readonly before: unknown;
  readonly isChanged: boolean;
  readonly path: string;
}

function Member({ name, value, before, isChanged, path }: MemberProps) {
  const label = <span class="key">{plain(name, 80)}</span>;
  const mark = isChanged ? 'changed' : '';
  if (value instanceof ActorLink) {
    return (
      <li class={mark}>
        {label} <Link path={value.link} />
      </li>
    );
  }
  if (typeof value !== 'object' || value === null) {
    return (
      <li class={mark}>
        {label} <Leaf value={value} />
      </li>
    );
  }
  const isOpen = open.value.has(path);
  const preview = <span class="preview">{previewOf(value)}</span>;
  if (!(value instanceof Uint8Array) && membersOf(value).length === 0) {
    return (
      <li class={mark}>
        {label} {preview}
      </li>
    );
  }
  return (
    <li class={mark}>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => toggle(path)}>
        {label} {preview}
      </button>
      {isOpen &&
        (value instanceof Uint8Array ? <Bytes bytes={value} path={path} /> : <Members {...{ value, before, path }} />)}
    </li>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value !== 'string') return <span class="plain">{String(value)}</span>;
  return <span class="text">{value === '' ? '(empty)' : plain(value)}</span>;
}

function Link({ path }: { path: string }) {
  const target = run.value.actorAt(path);
  return (
    <button type="button" class="link" disabled={target === undefined} onClick={() => choose(target)}>
      {plain(path)}
    </button>
  );
}

function Bytes({ bytes, path }: { bytes: Uint8Array; path: string }) {
  const [description, setDescription] = useState<unknown>(undefined);
  useEffect(() => {
    let isCurrent = true;
    void explain(bytes).then((found) => isCurrent && setDescription(found));
    return () => {
      isCurrent = false;
    };
  }, [bytes]);
  return (
    <div class="bytes">
      {description !== undefined && <Members value={description} path={`${path}.is`} />}
      <pre>{hexLines(bytes)}</pre>
    </div>
  );
}

/** A key or a hash is neither. */
async function explain(bytes: Uint8Array): Promise<unknown> {
  const datagram = await describeDatagram(bytes);
  if (!('malformed' in datagram)) return datagram;
  const node = describeNode(bytes);
  return 'malformed' in node ? undefined : node;
}

const LINE = 8;
const MOST_LINES = 192;

function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length && lines.length < MOST_LINES; at += LINE) {
    const hex = bytesToHex(bytes.subarray(at, at + LINE)).replaceAll(/(....)/g, '$1 ');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex}`);
  }
  if (bytes.length > LINE * MOST_LINES) lines.push('…');
  return lines.join('\n');
}

/** A persistent table as the entries that it holds. */
function membersOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || value instanceof ActorLink) return [];
  if (value instanceof Map) return [...value].map(([key, member]) => [String(key), member]);
  const { size, buckets, ...others } = value as { size?: unknown; buckets?: unknown };
  if (typeof size === 'number' && Array.isArray(buckets) && Object.keys(others).length === 0) {
    return (buckets as unknown[]).flat().map((entry) => {
      const pair = Array.isArray(entry) && entry.length === 2;
      return pair ? [String(entry[0]), entry[1]] : [String(entry), ''];
    });
  }
  return Object.entries(value);
}

function previewOf(value: object): string {
  if (value instanceof Uint8Array) {
    const hex = bytesToHex(value.subarray(0, 8));
    return `${countText(value.length)} bytes ${hex}${value.length > 8 ? '…' : ''}`;
  }
  const members = membersOf(value);
  if (Array.isArray(value) || value instanceof Map || 'buckets' in value) {
    return members.length === 0 ? 'empty' : countText(members.length);
  }
  const parts = members.slice(0, 4).map(([key, member]) => {
    if (typeof member === 'object' && member !== null) return plain(key, 40);
    return `${plain(key, 40)} ${plain(String(member), 24)}`;
  });
  return `{ ${parts.join(', ')}${members.length > 4 ? ', …' : ''} }`;
}

/** Opens the value at this path, and all that it is in: "event.arrivals.2.bytes". */
export function unfold(path: string): void {
  const keys = path.split('.');
  open.value = new Set([...open.value, ...keys.map((_, i) => keys.slice(0, i + 1).join('.'))]);
}

function toggle(path: string): void {
  const next = new Set(open.value);
  if (!next.delete(path)) next.add(path);
  open.value = next;
}
