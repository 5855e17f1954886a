import { expect, test } from 'vitest';
import { firstRunMachine } from '../../machines/first-run.machine.ts';
import { inert, unwalked, walkMachine } from './walk-machine.ts';

const failure = { code: 'directory-unreachable', message: 'no' };
const events = [
  { type: 'name.given', name: 'alice' },
  { type: 'directory.chosen', choice: 'url' },
  { type: 'directory.chosen', choice: 'local' },
  { type: 'url.given', url: 'https://directory.example' },
  { type: 'directory.answered' },
  { type: 'certificate.untrusted' },
  { type: 'directory.failed', failure },
  { type: 'certificate.given', path: 'ca.pem' },
  { type: 'doubt.answered', goOn: true },
  { type: 'doubt.answered', goOn: false },
  { type: 'passphrase.settled' },
  { type: 'home.saved' },
  { type: 'home.failed', failure },
  { type: 'introduction.read' },
  { type: 'prompt.cancelled' },
] as never;

const effects = [
  'askName',
  'askDirectory',
  'askUrl',
  'checkDirectory',
  'askCertificate',
  'askDoubt',
  'askPassphrase',
  'saveHome',
  'introduce',
];

test('every transition of the first run is walked', async () => {
  const machine = firstRunMachine.provide({ actions: inert(...effects) });
  const inputs = [
    { name: '', hasDirectory: false },
    { name: '', hasDirectory: true },
    { name: 'alice', hasDirectory: false },
  ];
  const results = await Promise.all(inputs.map((input) => walkMachine({ machine, input, events })));
  const walked = new Set(results.flatMap((result) => [...result.walked]));
  expect(unwalked({ ...(results[0] as (typeof results)[number]), walked })).toEqual([]);
});
