/** What an account decides about signing in and passwords: read and changed by those who run it. */
import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import {
  accountSettingRules,
  accountSettings,
  updateAccountSettings,
  type AccountSettingName,
  type AccountSettings as AccountSettingsRecord,
  type UpdateAccountSettingsInput as WantedSettings,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, valueOf, type PayloadFrame } from './errors.js';
import { changesOf, UpdateInput } from './inputs.js';
import { MutationPayload } from './payloads.js';

/** What one setting is, with its range; said of the value that is shown and of the one that is sent. */
const about = {
  failuresBeforeLock: ranged('failuresBeforeLock', 'Number of failed attempts that lock a user'),
  countingWindowMinutes: ranged('countingWindowMinutes', 'Number of minutes within which failures count together'),
  lockMinutes: ranged('lockMinutes', 'Number of minutes that a lock lasts; nobody lifts it through the API'),
  sessionMinutes: ranged('sessionMinutes', 'Number of minutes that a session lasts from signing in or refreshing on'),
  idleDays: ranged('idleDays', 'Number of days without use after which a user is disabled at signing in; 0: never'),
  characterKinds: ranged('passwordKinds', 'Number of kinds among upper case, lower case, digits and others'),
  minimumLength: ranged('passwordLength', 'Number of characters that a password has at least'),
  repeatedCharacters: ranged('passwordRepeats', 'Number of times that one character may stand in a row; 0: any'),
  remembered: ranged('rememberedPasswords', 'Number of passwords, the present one included, that cannot be used again'),
  validityDays: ranged(
    'passwordValidityDays',
    'Number of days after which a password is shown as too old, which does not keep anyone out; 0: never',
  ),
  minimumAgeMinutes: ranged('passwordMinimumAgeMinutes', 'Number of minutes before one may change one’s own again'),
} as const;

function ranged(name: AccountSettingName, text: string): string {
  const { minimum, maximum } = accountSettingRules[name];
  return `${text}. From ${minimum} to ${maximum}.`;
}

@ObjectType({ description: 'Settings of signing in.', simpleResolvers: true })
export class SignInSettings {
  @Field(() => Int, { description: about.failuresBeforeLock })
  failuresBeforeLock!: number;

  @Field(() => Int, { description: about.countingWindowMinutes })
  countingWindowMinutes!: number;

  @Field(() => Int, { description: about.lockMinutes })
  lockMinutes!: number;

  @Field(() => Int, { description: about.sessionMinutes })
  sessionMinutes!: number;

  @Field(() => Int, { description: about.idleDays })
  idleDays!: number;
}

@ObjectType({ description: 'Settings of passwords.', simpleResolvers: true })
export class PasswordSettings {
  @Field(() => Int, { description: about.characterKinds })
  characterKinds!: number;

  @Field(() => Int, { description: about.minimumLength })
  minimumLength!: number;

  @Field(() => Int, { description: about.repeatedCharacters })
  repeatedCharacters!: number;

  @Field(() => Int, { description: about.remembered })
  remembered!: number;

  @Field(() => Int, { description: about.validityDays })
  validityDays!: number;

  @Field(() => Int, { description: about.minimumAgeMinutes })
  minimumAgeMinutes!: number;
}

@ObjectType({ description: 'Settings of the account about signing in and passwords.', simpleResolvers: true })
export class AccountSettings {
  @Field(() => SignInSettings, { description: 'Settings of signing in.' })
  signIn!: SignInSettings;

  @Field(() => PasswordSettings, { description: 'Settings of passwords.' })
  password!: PasswordSettings;

  @Field(() => Int, { description: 'Version of the settings for `expectedVersion`.' })
  version!: number;
}

@InputType({ description: 'Settings of signing in; what is absent stays as it is.' })
class SignInSettingsInput implements Partial<Record<keyof SignInSettings, number | null>> {
  @Field(() => Int, { nullable: true, description: about.failuresBeforeLock })
  failuresBeforeLock?: number | null;

  @Field(() => Int, { nullable: true, description: about.countingWindowMinutes })
  countingWindowMinutes?: number | null;

  @Field(() => Int, { nullable: true, description: about.lockMinutes })
  lockMinutes?: number | null;

  @Field(() => Int, { nullable: true, description: about.sessionMinutes })
  sessionMinutes?: number | null;

  @Field(() => Int, { nullable: true, description: about.idleDays })
  idleDays?: number | null;
}

@InputType({ description: 'Settings of passwords; what is absent stays as it is.' })
class PasswordSettingsInput implements Partial<Record<keyof PasswordSettings, number | null>> {
  @Field(() => Int, { nullable: true, description: about.characterKinds })
  characterKinds?: number | null;

  @Field(() => Int, { nullable: true, description: about.minimumLength })
  minimumLength?: number | null;

  @Field(() => Int, { nullable: true, description: about.repeatedCharacters })
  repeatedCharacters?: number | null;

  @Field(() => Int, { nullable: true, description: about.remembered })
  remembered?: number | null;

  @Field(() => Int, { nullable: true, description: about.validityDays })
  validityDays?: number | null;

  @Field(() => Int, { nullable: true, description: about.minimumAgeMinutes })
  minimumAgeMinutes?: number | null;
}

@InputType({ description: 'Input of updateAccountSettings; what is absent stays as it is.' })
class UpdateAccountSettingsInput extends UpdateInput {
  @Field(() => SignInSettingsInput, { nullable: true, description: 'Settings of signing in.' })
  signIn?: SignInSettingsInput | null;

  @Field(() => PasswordSettingsInput, { nullable: true, description: 'Settings of passwords.' })
  password?: PasswordSettingsInput | null;
}

@ObjectType({ description: 'Payload of updateAccountSettings.', simpleResolvers: true })
class UpdateAccountSettingsPayload extends MutationPayload {
  @Field(() => AccountSettings, { nullable: true, description: 'Settings of the account from now on.' })
  accountSettings?: AccountSettings | null;
}

@Resolver()
export class AccountSettingsResolver {
  @Permission({ action: 'bailiwick:settings:get', scope: 'ACCOUNT' })
  @Query(() => AccountSettings, {
    nullable: true,
    description: 'Settings of the account about signing in and passwords. Needs `bailiwick:settings:get`.',
  })
  async accountSettings(@Ctx() context: GraphContext): Promise<AccountSettings> {
    return shownSettings(valueOf(context, await accountSettings(context.iam, context.call)));
  }

  @Permission({ action: 'bailiwick:settings:update', scope: 'ACCOUNT' })
  @Mutation(() => UpdateAccountSettingsPayload, {
    nullable: true,
    description:
      'Changes settings of the account, all or none. They bind the next sign-in and the next password, not open sessions. Needs `bailiwick:settings:update`.',
  })
  async updateAccountSettings(
    @Arg('input', () => UpdateAccountSettingsInput, { description: 'Input of the mutation.' })
    input: UpdateAccountSettingsInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { expectedVersion } = input;
    const outcome = await updateAccountSettings(context.iam, context.call, { values: wanted(input), expectedVersion });
    return answer(context, input, outcome, (settings) => ({ accountSettings: shownSettings(settings) }));
  }
}

function shownSettings(record: AccountSettingsRecord): AccountSettings {
  const { failuresBeforeLock, countingWindowMinutes, lockMinutes, sessionMinutes, idleDays } = record;
  return {
    signIn: { failuresBeforeLock, countingWindowMinutes, lockMinutes, sessionMinutes, idleDays },
    password: {
      characterKinds: record.passwordKinds,
      minimumLength: record.passwordLength,
      repeatedCharacters: record.passwordRepeats,
      remembered: record.rememberedPasswords,
      validityDays: record.passwordValidityDays,
      minimumAgeMinutes: record.passwordMinimumAgeMinutes,
    },
    version: record.version,
  };
}

function wanted(input: UpdateAccountSettingsInput): WantedSettings['values'] {
  const parts = changesOf(input, {});
  const signIn = changesOf(parts.signIn ?? {}, {});
  const password = changesOf(parts.password ?? {}, {});
  return {
    ...signIn,
    passwordKinds: password.characterKinds,
    passwordLength: password.minimumLength,
    passwordRepeats: password.repeatedCharacters,
    rememberedPasswords: password.remembered,
    passwordValidityDays: password.validityDays,
    passwordMinimumAgeMinutes: password.minimumAgeMinutes,
  };
}
