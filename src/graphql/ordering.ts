/** Directions of every ordered list. */
import { registerEnumType } from 'type-graphql';
import type { Order } from '../iam/index.js';

export type OrderDirection = Order['direction'];

export const OrderDirections = { ASC: 'ASC', DESC: 'DESC' } as const satisfies {
  readonly [Direction in OrderDirection]: Direction;
};

registerEnumType(OrderDirections, {
  name: 'OrderDirection',
  description: 'Direction of an order.',
  valuesConfig: {
    ASC: { description: 'Smallest, earliest or alphabetically first value first.' },
    DESC: { description: 'Largest, latest or alphabetically last value first.' },
  },
});
