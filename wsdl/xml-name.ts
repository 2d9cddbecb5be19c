/** Of a name, its first character and the others (XML 1.0 §2.3), without the colon (Namespaces in XML §3): `µ` and `²` are letter and number, but in none. */
const FIRST =
  "A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF" +
  "\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const OTHER = `${FIRST}.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040-`;

/** An NCName, for regular expressions with the flag `u`. */
export const NC_NAME = `[${FIRST}][${OTHER}]*`;
