/** A character that a backslash hides: as two hexadecimal digits, or as itself (RFC 4514 2.4). */
const ESCAPED = /\\([0-9A-Fa-f]{2}|.)/gs;

/**
 * A distinguished name (RFC 4514) in one form, so that two names of the same entry are equal: without regard to case, blanks
 * around `,`, `+` and `=`, and the way in which characters are escaped. Values with blanks inside stay apart.
 */
export function normalizedDn(dn: string): string {
  return splitUnescaped(dn, ",")
    .map((rdn) =>
      splitUnescaped(rdn, "+")
        .map((part) => {
          const [attribute = "", ...value] = splitUnescaped(part, "=");
          return `${attribute.trim().toLowerCase()}=${canonical(value.join("="))}`;
        })
        .toSorted()
        .join("+"),
    )
    .join(",");
}

/** Whether it is written as a distinguished name, and not as the name of a group. */
export function isDn(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9-]*\s*=/.test(text);
}

function canonical(value: string): string {
  const bytes: number[] = [];
  const text = trimmed(value);
  let from = 0;
  const take = (part: string): void => void bytes.push(...Buffer.from(part, "utf8"));
  for (const match of text.matchAll(ESCAPED)) {
    take(text.slice(from, match.index));
    const [whole, inside = ""] = match;
    if (inside.length === 2) bytes.push(Number.parseInt(inside, 16));
    else take(inside);
    from = match.index + whole.length;
  }
  take(text.slice(from));
  const plain = Buffer.from(bytes).toString("utf8").normalize("NFKC").toLowerCase();
  return plain.replace(/[,+=\\]/g, (sign) => `\\${sign}`);
}

/** Without blanks at both ends, but for one that is escaped. */
function trimmed(value: string): string {
  const text = value.trimStart();
  const end = text.trimEnd();
  const hidden = (/\\*$/.exec(end)?.[0].length ?? 0) % 2 === 1;
  return hidden && end.length < text.length ? `${end} ` : end;
}

function splitUnescaped(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    if (sign === "\\") {
      part += sign + (text[at + 1] ?? "");
      at += 1;
    } else if (sign === separator) {
      parts.push(part);
      part = "";
    } else part += sign;
  }
  return [...parts, part];
}
