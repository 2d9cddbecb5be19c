/** A value for a search filter (RFC 4515 3): whatever it holds, it stays a value. */
export function filterValue(value: string | Uint8Array): string {
  if (typeof value !== "string") return [...value].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return value.replace(/[\0()*\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Entries for which any of them holds. */
export function anyOf(filters: readonly string[]): string {
  return filters.length === 1 ? (filters[0] ?? "") : `(|${filters.join("")})`;
}

/** Entries for which all of them hold. */
export function allOf(...filters: readonly string[]): string {
  return `(&${filters.join("")})`;
}
