/**
 * The form in which names are compared: compatibility forms are one, case is none.
 *
 *     fold('ＡＤＭＩＮ') === 'admin'
 */
export function fold(name: string): string {
  // Lower-casing can leave the normal form again, so it is normalised twice: folding twice changes nothing.
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}
