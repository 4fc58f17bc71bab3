/** What the caller may do, as it changes: for pages that show what can be done and hide what cannot. */
import { Arg, Field, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';
import { PermissionChanges, type Call, type PermissionsChange as Change } from '../iam/index.js';
import { AccessPermission } from './access.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { Feed, type News } from './feeds.js';

@ObjectType({ description: 'Change of what the viewer may do in the scope of the credential.', simpleResolvers: true })
class PermissionsChange {
  @Field(() => Int, {
    description:
      'Revision of the account up to which every change is in it. One that came just after may be in it as well, and is not told again.',
  })
  revision!: number;

  @Field(() => [AccessPermission], { description: 'Answers that are other than before, as they are now.' })
  changes!: readonly AccessPermission[];
}

class PermissionFeed extends Feed {
  readonly wakening = 'ACCESS';

  /** @param current every answer, to be told first */
  constructor(
    private readonly changes: PermissionChanges,
    private current: Change | null,
  ) {
    super();
  }

  async next(call: Call): Promise<News> {
    const change = await this.changes.upTo(call);
    const events = [this.current, change].filter((event) => event !== null);
    this.current = null;
    return { events, more: false };
  }
}

interface ChangeArguments {
  readonly actions?: readonly string[] | null;
  readonly includeCurrent?: boolean | null;
}

async function permissionFeed(
  { actions = null, includeCurrent = false }: ChangeArguments,
  { call }: GraphContext,
): Promise<PermissionFeed> {
  const changes = await PermissionChanges.since(call, actions);
  return new PermissionFeed(changes, includeCurrent === true ? await changes.all(call) : null);
}

@Resolver()
export class PermissionChangeResolver {
  @Permission({ action: 'bailiwick:session:use', scope: 'ANY' })
  @Subscription(() => PermissionsChange, {
    nullable: true,
    description:
      'Changes of what the caller may do in the scope of the credential, whatever brings them: grants, groups, policies, or time. Of several in a row the last one counts. Needs `bailiwick:session:use`.',
    subscribe: ({ args, context }) => permissionFeed(args as ChangeArguments, context as GraphContext),
  })
  permissionsChanged(
    @Root() change: Change,
    @Arg('actions', () => [String], {
      nullable: true,
      description: 'Actions asked about; every action of the catalogue unless given.',
    })
    _actions: readonly string[] | null | undefined,
    @Arg('includeCurrent', () => Boolean, {
      nullable: true,
      description: 'Indicates that the first event comes at once and has every answer as it is now.',
    })
    _includeCurrent: boolean | null | undefined,
  ): Change {
    return change;
  }
}
