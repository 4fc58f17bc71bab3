/** Who asks for what in a world whose users ask by Zipf's law: the second of them half as often as the first. */
import { Draw } from '../engines/draw.js';
import { type AccessRequest, decideIn, policiesOf, type Policy, type World } from './world.js';

export interface Asked {
  readonly user: number;
  /** Place among the requests of the world. */
  readonly place: number;
  readonly request: AccessRequest;
}

/** What a process that decides is told. */
export interface Draws {
  readonly databaseUrl: string;
  readonly secretKeyFile: string;
  readonly tokens: Readonly<Record<number, string>>;
  readonly asked: readonly Asked[];
}

export function drawAsked(world: World, count: number): Asked[] {
  const draw = new Draw(world.seed + 1);
  const userAt = draw.zipf(world.users);
  const places = world.requests.map((_request, place) => place);
  return draw.list(count, () => {
    const [user, place] = [userAt(), draw.one(places)];
    const request = world.requests[place];
    if (request === undefined) throw new Error(`the world asks nothing at ${place}`);
    return { user, place, request };
  });
}

/** What each is told by the rules of the world. */
export function effectsOf(world: World, asked: readonly Asked[]): ('ALLOW' | 'DENY')[] {
  const held = new Map<number, readonly Policy[]>();
  return asked.map(({ user, request }) => {
    const known = held.get(user) ?? policiesOf(world, user);
    held.set(user, known);
    return decideIn(known, request) === 'ALLOWED' ? 'ALLOW' : 'DENY';
  });
}
