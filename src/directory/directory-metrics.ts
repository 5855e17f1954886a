/** What an operator may graph: counters in Prometheus' format. */
import { Counter, Registry as MetricsRegistry } from 'prom-client';
import type { DirectoryFact } from '../../machines/directory-context.ts';

export interface DirectoryMetrics {
  readonly contentType: string;
  /** Counts what the UDP side tells. */
  count(fact: DirectoryFact): void;
  countRegistration(result: 'accepted' | 'away' | 'bad-key' | 'malformed' | 'too-many'): void;
  countRequest(route: string, status: number): void;
  /** The text of `/metrics`; `gauges`: what is so now, by name. */
  render(gauges: Readonly<Record<keyof typeof GAUGES, number>>): Promise<string>;
}

/** What is so now, and what it means. */
const GAUGES = {
  murmure_peers_listed: 'Peers with a proven address',
  murmure_engine_away: '1 while the engine of a shared registry cannot be used',
  murmure_renewals_waiting: 'Renewals that wait for the engine to return',
} as const;

/** Counters of one directory; several in one process do not mix. */
export function createDirectoryMetrics(): DirectoryMetrics {
  const registry = new MetricsRegistry();
  const registers = [registry];
  const facts = new Counter({
    name: 'murmure_udp_events_total',
    help: 'What the UDP side did, by kind',
    labelNames: ['kind'],
    registers,
  });
  const registrations = new Counter({
    name: 'murmure_registrations_total',
    help: 'POST /register by result',
    labelNames: ['result'],
    registers,
  });
  const requests = new Counter({
    name: 'murmure_http_requests_total',
    help: 'HTTPS requests by route and status',
    labelNames: ['route', 'status'],
    registers,
  });
  return {
    contentType: registry.contentType,
    count: ({ type }) => facts.inc({ kind: type }),
    countRegistration: (result) => registrations.inc({ result }),
    countRequest: (route, status) => requests.inc({ route, status: String(status) }),
    async render(gauges) {
      const lines = Object.entries(gauges).map(
        ([name, value]) =>
          `# HELP ${name} ${GAUGES[name as keyof typeof GAUGES]}\n# TYPE ${name} gauge\n${name} ${value}\n`,
      );
      return `${await registry.metrics()}\n${lines.join('')}`;
    },
  };
}
