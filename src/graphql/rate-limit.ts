/** What an operation cost its caller, and what is left. */
import 'reflect-metadata';
import { Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import type { Instant } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { DateTime } from './scalars.js';
import type { Allowance } from './throttle.js';

@ObjectType({
  description:
    'Points that the caller may spend within a minute. Each operation has a cost that is known before it runs: a point for each object that it can answer, pages counted by `first` or `last`.',
  simpleResolvers: true,
})
class RateLimit {
  @Field(() => Int, { description: 'Number of points within a minute.' })
  limit!: number;

  @Field(() => Int, { description: 'Number of points that this operation cost.' })
  cost!: number;

  @Field(() => Int, { description: 'Number of points that are left.' })
  remaining!: number;

  @Field(() => DateTime, { description: 'Timestamp of when all points are back if nothing more is spent.' })
  resetAt!: Instant;
}

@Resolver()
export class RateLimitResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Query(() => RateLimit, {
    nullable: true,
    description:
      'Points that the caller may spend, and what this operation cost; null where nothing is counted. Needs `bailiwick:session:use`.',
  })
  rateLimit(@Ctx() { allowance }: GraphContext): Allowance | null {
    return allowance;
  }
}
