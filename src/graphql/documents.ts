/**
 * What graphql lets pass of a document and a server must not: nesting that its own parser cannot bear, and operations of
 * a kind that the schema does not have, which it would find out about as a defect.
 */
import { GraphQLError, Lexer, Source, TokenKind, type ValidationRule } from 'graphql';
import { clientError } from './errors.js';

/** Brackets that may be open at once: twelve levels of fields, with values of sixty-four levels in them. */
export const documentNesting = 100;

const opening: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Refuses a document before it is parsed: the parser calls itself at each bracket, and its stack is not without end. */
export function checkNesting(document: string): void {
  // Most documents have fewer brackets than may be open at once.
  if ((document.match(/[{[(]/g)?.length ?? 0) <= documentNesting) return;
  const lexer = new Lexer(new Source(document));
  let open = 0;
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      if (opening.has(token.kind)) open += 1;
      else if (closing.has(token.kind)) open -= 1;
      if (open > documentNesting) throw tooDeep();
    }
  } catch (error) {
    // What is no token is for the parser to say.
    if (error instanceof GraphQLError && error.extensions['code'] === undefined) return;
    throw error;
  }
}

function tooDeep(): GraphQLError {
  return clientError(
    'OPERATION_TOO_LARGE',
    `the document has over ${documentNesting} brackets open at once; flatten it`,
    { limit: documentNesting, http: { status: 400 } },
  );
}

/** Rule of validation: the schema has operations of this kind. */
export const knownOperationTypes: ValidationRule = (context) => ({
  OperationDefinition: (node) => {
    if (context.getSchema().getRootType(node.operation) != null) return;
    context.reportError(
      new GraphQLError(`the schema has no ${node.operation}; send a query or a mutation`, { nodes: node }),
    );
  },
});
