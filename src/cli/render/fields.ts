/** A decoded datagram or node for a person: a field a line, nested ones indented. */
import { safeLine } from '../../feed/safe-text.ts';
import type { Paint } from '../output/output.ts';

const INDENT = '  ';

/** Any plain value as `decode` makes them; strings are made safe and kept on one line. */
export function renderFields(fields: object, paint: Paint): string {
  return fieldLines(fields, paint, '').join('\n');
}

function fieldLines(fields: object, paint: Paint, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
    const label = `${indent}${paint('dim', `${name}:`)}`;
    if (Array.isArray(value)) return [label, ...value.flatMap((item) => itemLines(item, paint, indent + INDENT))];
    if (typeof value === 'object' && value !== null) return [label, ...fieldLines(value, paint, indent + INDENT)];
    return [`${label} ${renderValue(value)}`];
  });
}

/** The fields of an object stand beneath a dash. */
function itemLines(item: unknown, paint: Paint, indent: string): string[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return [`${indent}${renderValue(item)}`];
  return [`${indent}${paint('dim', '-')}`, ...fieldLines(item, paint, indent + INDENT)];
}

function renderValue(value: unknown): string {
  if (value === null) return 'none';
  return safeLine(String(value));
}
