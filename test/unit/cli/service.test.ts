/** `murmure service install`: units that systemd understands, and that give a service no more than it needs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hasTool } from '../../support/tools.ts';
import { freshFolder, initHome, run } from './support.ts';

const canAnalyze = hasTool('systemd-analyze');
const analyze = (...argv: string[]) => spawnSync('systemd-analyze', argv, { encoding: 'utf8' });

test('the unit of a peer runs this program on this home, whatever the folder is called', async () => {
  const home = `${await initHome()} 100% "$HOME"`;
  await run(['init', 'alice', '--home', home]);
  const folder = freshFolder();
  const { lines } = await run(['service', 'install', '--home', home, '--output', folder, '--json']);
  expect(lines).toEqual([
    {
      file: path.join(folder, 'murmure.service'),
      start: expect.arrayContaining(['systemctl --user enable --now murmure']),
    },
  ]);
  const text = await readFile(path.join(folder, 'murmure.service'), 'utf8');
  const quoted = `"${home.replaceAll('"', '\\"').replace('%', '%%').replace('$', '$$$$')}"`;
  expect(text).toMatch(/^ExecStart=\S+ \S+main\.ts serve --home /m);
  expect(text).toContain(quoted);
});

test('without --output it is where systemd looks for units of this user', async () => {
  const home = await initHome();
  const env = { HOME: freshFolder() };
  const { out } = await run(['service', 'install', '--home', home], { env });
  expect(out).toContain(path.join(env.HOME, '.config/systemd/user/murmure.service'));
});

test('a home without an identity gets no unit: 2', async () => {
  const { code, err } = await run(['service', 'install', '--home', freshFolder()]);
  expect(code).toBe(2);
  expect(err).toContain('no identity');
});

const directoryUnit = ['service', 'install', 'directory', '--public-address', '203.0.113.7:443'];

test('the unit of a directory tells peers the address that they can reach; without one, there is none that could start: 2', async () => {
  const folder = freshFolder();
  const unit = path.join(folder, 'murmure-directory.service');
  const refused = await run(['service', 'install', 'directory', '--output', folder]);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--public-address IP:PORT') });
  expect(existsSync(unit)).toBe(false);
  await run([...directoryUnit, '--output', folder]);
  expect(readFileSync(unit, 'utf8')).toContain('--udp 0.0.0.0:443 --public-address 203.0.113.7:443\n');
});

test.skipIf(!canAnalyze)('systemd finds nothing wrong in either unit (skipped without systemd-analyze)', async () => {
  const folder = freshFolder();
  await run(['service', 'install', '--home', await initHome(), '--output', folder]);
  await run([...directoryUnit, '--output', folder]);
  for (const name of ['murmure.service', 'murmure-directory.service']) {
    const { status, stderr } = analyze('verify', '--man=no', '--generators=no', path.join(folder, name));
    const about = stderr.split('\n').filter((line) => line.includes(name));
    expect({ status, about }).toEqual({ status: 0, about: [] });
  }
});

test.skipIf(!canAnalyze)(
  'systemd calls the exposure of a directory OK, below 2 of 10 (skipped without systemd-analyze)',
  async () => {
    const folder = freshFolder();
    await run([...directoryUnit, '--output', folder]);
    const unit = path.join(folder, 'murmure-directory.service');
    const { status, stdout } = analyze('security', '--offline=true', '--threshold=20', '--no-pager', unit);
    expect(status, stdout).toBe(0);
  },
);
