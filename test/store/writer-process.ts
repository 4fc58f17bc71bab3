/** Run by the durability test as a process of its own: writes one group after another and says so, until it is killed. */
import { openStore } from '../../src/store/index.js';
import { founded, origin, record, write } from './records.js';

const store = await openStore(process.argv[2] ?? '');
if ((await store.access.account('durable')) === null) await founded(store, 'durable');
for (let number = 0; ; number += 1) {
  const id = `${process.pid}-${number}`;
  await write(store, origin('durable'), (open) => open.insert('group', record('group', 'durable', id, { name: id })));
  process.stdout.write(`${id}\n`);
}
