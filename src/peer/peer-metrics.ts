/** What an operator may graph of a peer, in Prometheus' format. No name and no address is in it: others may read it. */
import { Counter, Gauge, Registry as MetricsRegistry } from 'prom-client';
import type { Peer } from './peer.ts';

export interface PeerMetrics extends Disposable {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Counts from now on. Several in one process do not mix. */
export function createPeerMetrics(peer: Pick<Peer, 'on' | 'sessions' | 'directory' | 'traffic'>): PeerMetrics {
  const registers = [new MetricsRegistry()];
  const [registry] = registers as [MetricsRegistry];
  const counter = <T extends string>(name: string, help: string, labelNames: T[] = []) =>
    new Counter({ name: `murmure_${name}`, help, labelNames, registers });
  const gauge = <T extends string>(name: string, help: string, labelNames: T[] = []) =>
    new Gauge({ name: `murmure_${name}`, help, labelNames, registers });

  const events = counter('events_total', 'What the peer told, by kind', ['kind']);
  const syncs = counter('syncs_total', 'Downloads that ended, by how', ['status']);
  const messages = counter('messages_received_total', 'Messages of others that were new');
  const nodes = counter('nodes_fetched_total', 'Tree nodes fetched');
  const bytes = counter('bytes_fetched_total', 'Bytes of tree nodes fetched');
  const repeats = counter('retransmissions_total', 'Datagrams of downloads that were sent again');
  const stop = peer.on('*', (fact) => {
    events.inc({ kind: fact.type });
    if (fact.type === 'messages.received') messages.inc(fact.hashes.length);
    if (fact.type !== 'sync.finished') return;
    const { status, nodesFetched, bytesFetched, retransmissions } = fact.report;
    syncs.inc({ status });
    nodes.inc(nodesFetched);
    bytes.inc(bytesFetched);
    repeats.inc(retransmissions);
  });

  const sessions = gauge('sessions', 'Sessions held now', ['direction']);
  const datagrams = gauge('datagrams', 'Datagrams since the peer was started', ['direction']);
  const dropped = gauge('datagrams_dropped', 'Of the received ones, by why they were dropped', ['why']);
  const connected = gauge('directory_connected', '1 if the directory lists the peer and answers, else 0');
  const answered = gauge('directory_answered_timestamp_seconds', 'When the directory last answered, Unix time');
  const look = () => {
    for (const [direction, count] of Object.entries(peer.sessions)) sessions.set({ direction }, count);
    const { received, sent, dropped: reasons } = peer.traffic;
    datagrams.set({ direction: 'received' }, received);
    datagrams.set({ direction: 'sent' }, sent);
    for (const [why, count] of Object.entries(reasons)) dropped.set({ why }, count);
    connected.set(peer.directory.status === 'connected' ? 1 : 0);
    answered.set((peer.directory.answeredMs ?? 0) / 1_000);
  };
  return {
    contentType: registry.contentType,
    render: () => {
      look();
      return registry.metrics();
    },
    [Symbol.dispose]: stop,
  };
}
