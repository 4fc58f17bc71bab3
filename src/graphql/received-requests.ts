/** A signed request as a service received it, for the questions that show one. */
import { isIP } from 'node:net';
import 'reflect-metadata';
import { Field, InputType } from 'type-graphql';
import { BadInput } from '../iam/index.js';
import { emptyBodySha256, type ReceivedRequest } from '../signatures/index.js';

/** More headers than servers take. */
const mostHeaders = 200;

@InputType({ description: 'Header of an HTTP request.' })
class HeaderInput {
  @Field(() => String, { description: 'Name of the header, in any letter case.' })
  name!: string;

  @Field(() => String, { description: 'Value of the header, as it came.' })
  value!: string;
}

@InputType({ description: 'Request that somebody signed with an access key, as it was received.' })
export class SignedRequestInput {
  @Field(() => String, { description: 'Method of the request.' })
  method!: string;

  @Field(() => String, { description: 'Path of the request, as it came and without the query: `/v1/files/a%20b`.' })
  path!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Query of the request, as it came and without the question mark.',
  })
  query?: string | null;

  @Field(() => [HeaderInput], {
    description: `Headers of the request, \`Authorization\` and \`Host\` among them, at most ${mostHeaders}; a name that came twice stands there twice.`,
  })
  headers!: readonly HeaderInput[];

  @Field(() => String, {
    nullable: true,
    description: 'Hexadecimal SHA-256 of the bytes of the body; absent where there was none.',
  })
  bodySha256?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Address that the request came from, as the service saw it. Bad signatures lock a key for that address alone; where it is absent they lock nothing.',
  })
  sourceAddress?: string | null;
}

/** Address of the sender as the service saw it; null when it does not say. */
export function senderOf({ sourceAddress }: SignedRequestInput): string | null {
  if (sourceAddress == null) return null;
  if (isIP(sourceAddress) === 0) throw new BadInput('`sourceAddress` is no address');
  return sourceAddress;
}

export function receivedRequestOf({ method, path, query, headers, bodySha256 }: SignedRequestInput): ReceivedRequest {
  if (headers.length > mostHeaders) {
    throw new BadInput(`${headers.length} headers were sent; at most ${mostHeaders} are looked at`);
  }
  const hash = bodySha256?.toLowerCase() ?? emptyBodySha256;
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new BadInput('`bodySha256` is not 64 hexadecimal digits');
  return {
    method,
    path,
    query: query ?? '',
    headers: headers.map(({ name, value }) => [name.toLowerCase(), value] as const),
    bodySha256: hash,
  };
}
