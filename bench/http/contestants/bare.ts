/** Node's own HTTP server, which sends the bytes that ours sent: what the platform costs by itself. */
import { type Adapter, planOf, startBundled } from '../contestant.js';
import { bytesOf, readGraphQL, rowNames, tokenOf, bodyOf } from '../requests.js';
import { caller } from '../seed.js';

export const bare: Adapter = {
  name: 'bare-node',
  use: 'node:http sending the same bytes',
  rows: rowNames.filter((row) => row !== 'check-signed'),
  open: async (site) => {
    const started = await startBundled(site, 'bare', 'bare', planOf(site));
    const { port } = started;
    return {
      ...started,
      name: 'bare-node',
      requestsOf: (row) =>
        row.variables.map((variables, place) => {
          const headers = { authorization: `Bearer ${tokenOf(row, site.seeded, caller)}` };
          return bytesOf(`/${row.name}/${place}`, port, headers, bodyOf(row, variables));
        }),
      read: readGraphQL,
    };
  },
};
