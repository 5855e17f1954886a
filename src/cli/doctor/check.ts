/** What `doctor` is made of. */
export interface Finding {
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  /** What to do, if there is something to do. */
  readonly advice?: string;
  /** Of a failed one: its error code. */
  readonly code?: string;
}

export interface Check {
  readonly name: string;
  run(): Promise<Finding>;
}

export function ok(detail: string, advice?: string): Finding {
  return advice === undefined ? { status: 'ok', detail } : { status: 'ok', detail, advice };
}

export function failed(code: string, detail: string, advice: string): Finding {
  return { status: 'failed', code, detail, advice };
}

export function skipped(detail: string): Finding {
  return { status: 'skipped', detail };
}
