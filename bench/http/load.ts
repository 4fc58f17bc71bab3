/** The client, in a process of its own: takes the turns that it is told of, one after the other. */
import { takeTurn, type Turn } from './turn.js';

process.on('message', (turn: Turn) => {
  void takeTurn(turn).then((count) => process.send?.(count));
});
// Whoever started it may have been killed.
process.on('disconnect', () => process.exit());
