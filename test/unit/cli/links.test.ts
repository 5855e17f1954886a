/** Web addresses in messages: how they are shown, and how they get to the browser. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancelledError } from '../../../src/cli/front-end/dialogue.ts';
import { openLinkIn } from '../../../src/cli/front-end/open-link.ts';
import { openInBrowser } from '../../../src/cli/input/browser.ts';
import { createPaint } from '../../../src/cli/output/output.ts';
import { knowsHyperlinks } from '../../../src/cli/render/hyperlinks.ts';
import { withMarks } from '../../../src/cli/render/message-marks.ts';
import { wrapText } from '../../../src/cli/render/wrap.ts';
import { ZERO_HASH } from '../../../src/wire/hash.ts';
import { eventually } from '../../support/eventually.ts';

const link = (text: string, href: string) => `\u001B]8;;${href}\u0007\u001B[4m${text}\u001B[24m\u001B]8;;\u0007`;

describe('on a terminal', () => {
  const shown = (body: string, paint = createPaint(true, true)) => withMarks(body, ['bob'], 'me', paint);

  test('an address is a link where that is known, is underlined elsewhere, and is plain without colours', () => {
    const body = 'see https://example.org/a, @bob';
    expect(shown(body)).toBe(`see ${link('https://example.org/a', 'https://example.org/a')}, \u001B[1m@bob\u001B[22m`);
    expect(shown(body, createPaint(true))).toContain('see \u001B[4mhttps://example.org/a\u001B[24m,');
    expect(shown(body, createPaint(false))).toBe(body);
  });

  test('a host with foreign letters is shown as what it is', () => {
    expect(shown('https://аpple.com/')).toContain(link('https://xn--pple-43d.com/', 'https://xn--pple-43d.com/'));
  });

  test('one that is wrapped is a link on each of its lines', () => {
    const href = `https://example.org/${'a'.repeat(40)}`;
    for (const line of wrapText(shown(href), 20)) {
      expect(line).toContain(`\u001B]8;;${href}\u0007`);
      expect(line).toContain('\u001B]8;;\u0007');
    }
  });

  test.each([
    [{ TERM: 'xterm-kitty' }, true],
    [{ TERM: 'xterm-256color', VTE_VERSION: '7600' }, true],
    [{ TERM: 'xterm-256color', VTE_VERSION: '4205' }, false],
    [{ TERM_PROGRAM: 'iTerm.app' }, true],
    [{ TERM_PROGRAM: 'Apple_Terminal' }, false],
    [{ TERM: 'xterm-256color' }, false],
    [{ TERM: 'linux' }, false],
    [{ FORCE_HYPERLINK: '1' }, true],
    [{ TERM: 'xterm-kitty', FORCE_HYPERLINK: '0' }, false],
    [{}, false],
  ])('%j knows links: %s', (env, knows) => {
    expect(knowsHyperlinks(env)).toBe(knows);
  });
});

describe('the key that opens one', () => {
  function begin(body: string, { yes = true, chosen = '' } = {}) {
    const told: string[] = [];
    const dialogue = {
      show: (text: string) => void told.push(`show ${text.trim()}`),
      confirm: async () => yes,
      choose: async (_: string, options: readonly { value: string }[]) => {
        told.push(...options.map(({ value }) => `option ${value}`));
        return chosen;
      },
    };
    const open = async (href: string) => void told.push(`open ${href}`);
    const store = { message: () => ({ body }) };
    return { told, opened: openLinkIn(ZERO_HASH, { store, dialogue, open } as never) };
  }

  test('shows the whole address, and opens it after a yes', async () => {
    const { told, opened } = begin('look: https://bücher.example/a?b=c#d.');
    expect(await opened).toEqual({
      type: 'work.done',
      notice: { type: 'link.opened', href: 'https://xn--bcher-kva.example/a?b=c#d' },
    });
    expect(told).toEqual(['https://xn--bcher-kva.example/a?b=c#d'].flatMap((href) => [`show ${href}`, `open ${href}`]));
  });

  test('opens nothing after a no', async () => {
    const { told, opened } = begin('https://example.org/', { yes: false });
    await expect(opened).rejects.toThrow(CancelledError);
    expect(told).toEqual(['show https://example.org/']);
  });

  test('asks which, if there are several', async () => {
    const { told, opened } = begin('https://a.example/ https://b.example/ https://a.example/', {
      chosen: 'https://b.example/',
    });
    await opened;
    expect(told.slice(0, 2)).toEqual(['option https://a.example/', 'option https://b.example/']);
    expect(told.at(-1)).toBe('open https://b.example/');
  });

  test.each(['no address', 'javascript:alert(1) file:///etc/passwd', 'https://me:secret@example.org/'])(
    'says so if there is none: %s',
    async (body) => {
      expect(await begin(body).opened).toMatchObject({ type: 'work.failed', failure: { code: 'usage' } });
    },
  );
});

describe.skipIf(process.platform !== 'linux')('the browser', () => {
  function browser(script: string): { readonly log: string } {
    const folder = mkdtempSync(join(tmpdir(), 'murmure-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const log = join(folder, 'log');
    writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\n${script.replace('LOG', log)}\n`);
    chmodSync(join(folder, 'xdg-open'), 0o755);
    vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
    onTestFinished(() => void vi.unstubAllEnvs());
    return { log };
  }

  test('gets the address as one argument, whatever a shell would make of it', async () => {
    const { log } = browser(`printf '%s\\n' "$#" "$@" > LOG`);
    const href = 'https://example.org/?a=$(touch+x)&b=`id`;c';
    await openInBrowser(href);
    await eventually(() => expect(readFileSync(log, 'utf8')).toBe(`1\n${href}\n`));
  });

  test('that cannot be started, or fails, is told with the address', async () => {
    browser('exit 3');
    await expect(openInBrowser('https://example.org/')).rejects.toThrow(/could not open.*https:\/\/example\.org\//);
    vi.stubEnv('PATH', '/nowhere');
    await expect(openInBrowser('https://example.org/')).rejects.toThrow(
      /xdg-open is missing.*https:\/\/example\.org\//,
    );
  });
});
