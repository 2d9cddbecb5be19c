/** Letters, digits and a few signs; no colon, which ends the name in Basic, no quotes, no blanks at the ends. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}._@ -]{0,62}[\p{L}\p{N}._@-])?$/u;

/** Whether a person may have the name here. */
export function isAccountName(name: string): boolean {
  return NAME.test(name);
}

/** Names in this form already. */
const FOLDED = /^[a-z0-9 ._@-]{0,256}$/;

/** Names that are the same are equal in this form. */
export function foldedName(name: string): string {
  if (FOLDED.test(name)) return name;
  return name.slice(0, 256).normalize("NFKC").toLowerCase();
}

/**
 * Whether two names differ in nothing but upper and lower case: each way by itself takes some letters that look alike for one (the sign of
 * kelvin for k), as {@link foldedName} does on purpose. For names that others give out, whose two holders must not become one here.
 */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase() && a.toUpperCase() === b.toUpperCase();
}
