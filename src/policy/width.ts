/** How much a document allows, as one number by which documents are put in order: no measure of anything by itself. */
import { readActionName } from './actions.js';
import type { PolicyDocument, Statement } from './document.js';

const widths = new WeakMap<PolicyDocument, number>();

/** The less, the tighter: what names one action and one resource is below what has a wildcard in either. */
export function widthOf(document: PolicyDocument): number {
  const known = widths.get(document);
  if (known !== undefined) return known;
  const width = document.statements
    .filter(({ effect }) => effect === 'ALLOW')
    .reduce((sum, statement) => sum + widthOfStatement(statement), 0);
  widths.set(document, width);
  return width;
}

function widthOfStatement({ actions, notActions, resources, notResources, conditions }: Statement): number {
  const acts = notActions === null ? actions.reduce((sum, pattern) => sum + widthOfAction(pattern), 0) : 100_000;
  const things = notResources === null ? (resources ?? ['*']).reduce((sum, one) => sum + widthOfResource(one), 0) : 100;
  return (acts * things) / (1 + conditions.length);
}

/** An operation with a wildcard stands for ten, a type for a hundred, a service for every action there is. */
function widthOfAction(pattern: string): number {
  const [service = '', type = '', operation = ''] = readActionName(pattern);
  if (/[*?]/.test(service)) return 100_000;
  return (/[*?]/.test(type) ? 100 : 1) * (/[*?]/.test(operation) ? 10 : 1);
}

function widthOfResource(pattern: string): number {
  if (/^[*:]*$/.test(pattern)) return 100;
  return /[*?$]/.test(pattern) ? 10 : 1;
}
