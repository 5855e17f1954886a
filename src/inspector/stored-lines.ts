/** The messages that a peer holds while it is watched: those that it had, and those that come. Nodes alone would not tell of the first. */
import type { Peer } from '../peer/peer.ts';
import type { Line } from './lines.ts';

/** The newest; of one author, or of all. */
const TOLD = 1_000;
/** Own messages that may have been published together. */
const TOGETHER = 64;

/** Until the function that it returns is called. */
export function tellStored(peer: Pick<Peer, 'name' | 'messages' | 'on'>, tell: (line: Line) => void): () => void {
  tell(['stored', peer.messages({ limit: TOLD })]);
  const tellAllOf = (name: string) => tell(['stored', peer.messages({ authors: [name], limit: TOLD }), name]);
  return peer.on('*', (fact) => {
    if (fact.type === 'messages.received') tell(['stored', fact.messages]);
    // What is gone is not said: only what is left.
    else if (fact.type === 'sync.finished' && fact.report.withdrawnMessages > 0) tellAllOf(fact.report.peer);
    else if (fact.type === 'message.withdrawn') tellAllOf(peer.name);
    else if (fact.type === 'message.published') {
      const published = peer
        .messages({ authors: [peer.name], limit: TOGETHER })
        .filter(({ hash }) => hash === fact.hash);
      tell(['stored', published]);
    }
  });
}
