/** Watches the peer of a local API as the inspector does, and does nothing with what it is told. */
import { findLocalApi } from '../../../src/local-api/client.ts';

const api = await findLocalApi(process.argv[2] as string);
if (api === undefined) throw new Error('nobody offers that local API');
const lines = await api.inspection(new AbortController().signal);
let isFirst = true;
for await (const _part of lines) {
  if (isFirst) process.send?.('looking');
  isFirst = false;
}
