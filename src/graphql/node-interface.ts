/** The interface of everything that has an id of its own (Global Object Identification). */
import 'reflect-metadata';
import { Field, ID, InterfaceType } from 'type-graphql';

@InterfaceType({ description: 'Object with an identifier of its own.' })
export abstract class Node {
  /** Records hold the plain id; the schema build makes the field answer the encoded one. */
  @Field(() => ID, { description: 'Identifier of the object, the same wherever the object is reached; opaque.' })
  id!: string;
}
