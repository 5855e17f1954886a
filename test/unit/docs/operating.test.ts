/** What docs/operating holds fits the program. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import { capacity, withCapacity } from '../../bench/directory/capacity.ts';
import { startRedis } from '../../support/redis-server.ts';
import { hasTool } from '../../support/tools.ts';

const read = (name: string) => readFileSync(new URL(`../../../docs/operating/${name}`, import.meta.url), 'utf8');

test('the dashboard and the alerts ask for metrics that a directory has', async () => {
  const gauges = { murmure_peers_listed: 0, murmure_engine_away: 0, murmure_renewals_waiting: 0 };
  const metrics = await createDirectoryMetrics().render(gauges);
  const dashboard = JSON.parse(read('grafana.json')) as { panels: { targets: { expr: string }[] }[] };
  const asked = [...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), read('alerts.yaml')]
    .join('\n')
    .match(/murmure_\w+/g);
  expect(asked?.length).toBeGreaterThan(8);
  for (const name of asked ?? []) expect(metrics, name).toContain(`# TYPE ${name} `);
});

test.skipIf(!hasTool('systemd-analyze'))('systemd finds nothing wrong in the unit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const unit = join(folder, 'murmure-directory.service');
  // The program need not be installed here.
  writeFileSync(unit, read('murmure-directory.service').replace('/usr/bin/murmure', process.execPath));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  expect(stderr).not.toContain(unit);
  expect(status).toBe(0);
});

test('the container and the compose file start the directory with options that it has', () => {
  const help = spawnSync(process.execPath, ['src/cli/main.ts', 'directory', '--help'], { encoding: 'utf8' }).stdout;
  const used = `${read('Containerfile')} ${read('compose.yaml')} ${read('murmure-directory.service')}`;
  const flags = ['--listen', '--udp', '--public-address', '--cert', '--key'].filter((flag) => used.includes(flag));
  expect(flags).toHaveLength(5);
  for (const flag of [...flags, 'MURMURE_REGISTRY']) expect(help).toContain(flag);
});

test('what the compose file says to the engine is what a directory requires of it', async () => {
  const { services, volumes } = parse(read('compose.yaml')) as {
    services: Record<string, { command: string[]; volumes: string[]; environment?: Record<string, string> }>;
    volumes: Record<string, unknown>;
  };
  const { engine, directory } = services;
  const [program, ...settings] = engine?.command ?? [];
  expect(program).toBe('valkey-server');
  expect(directory?.environment?.MURMURE_REGISTRY).toBe('redis://engine:6379');
  // What must outlive a container lies in a volume, at the place that the image has for it.
  expect(directory?.volumes).toEqual([`directory:${/^VOLUME (.+)$/m.exec(read('Containerfile'))?.[1]}`]);
  expect(engine?.volumes).toEqual(['engine:/data']);
  expect(Object.keys(volumes)).toEqual(['engine', 'directory']);
  if (!hasTool('redis-server')) return;
  // Without those of the other tests, which have them as well.
  const server = await startRedis(['--appendonly', 'no', '--appendfsync', 'everysec', ...settings]);
  onTestFinished(() => server.stop());
  const running = await createDirectory({ registry: server.url });
  await running.close();
});

test('the container’s health check passes as long as a directory runs', async () => {
  const directory = await createDirectory();
  onTestFinished(() => directory.close());
  const [, command = '[]'] = /^HEALTHCHECK CMD (.+)$/m.exec(read('Containerfile')) ?? [];
  const [, ...argv] = JSON.parse(command) as string[];
  const own = argv.map((part) => part.replace('127.0.0.1:8443', new URL(directory.url).host));
  const check = async () => once(spawn(process.execPath, own, { stdio: 'ignore' }), 'exit');
  expect(await check()).toEqual([0, null]);
  await directory.close();
  expect(await check()).toEqual([1, null]);
});

test('the capacity table is what the bench has made of its figures', () => {
  const figures = JSON.parse(
    readFileSync(new URL('../../../docs/performance/directory.json', import.meta.url), 'utf8'),
  );
  const page = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
  expect(withCapacity(page, capacity(figures))).toBe(page);
});
