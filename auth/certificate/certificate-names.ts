import { childrenOf, type Der, derOf, extensionsOf, oidOf, partsOf, TAG } from "./der.ts";

const COMMON_NAME = "2.5.4.3";
const ALTERNATIVE_NAMES = "2.5.29.17";
/** Of Microsoft: the name by which a person logs in to a domain. */
const USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3";

/** `otherName`, `rfc822Name` among the alternative names (RFC 5280 4.2.1.6), and what the extensions of a certificate stand in. */
const OTHER_NAME = 0xa0;
const MAIL_NAME = 0x81;
const EXTENSIONS = 0xa3;

/** Kinds of text that are read as UTF-8, of which ASCII is a part: UTF8String, PrintableString, IA5String. */
const TEXTS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x16]);

/** By which name of a certificate its account is found. */
export const NAMED_BY = ["common-name", "mail", "user-principal-name"] as const;

export type NamedBy = (typeof NAMED_BY)[number];

/**
 * The one name of that kind in a certificate (DER, of which OpenSSL has made sense already): CN of the subject, or an e-mail address or user
 * principal name of its alternative names. Undefined where there is none, more than one, or one that is no plain text. Fault `invalid`.
 */
export function nameIn(der: Buffer, by: NamedBy): string | undefined {
  const [certificate] = partsOf(derOf(der));
  const parts = partsOf(certificate);
  const names = by === "common-name" ? commonNames(parts) : alternativeNames(parts, by);
  const [only] = names;
  return names.length === 1 && only !== undefined && isPlain(only) ? only : undefined;
}

/** Whose certificate (DER) it is, as a whole. Fault `invalid`. */
export function subjectOf(der: Buffer): Buffer | undefined {
  return subjectIn(partsOf(partsOf(derOf(der))[0]))?.whole;
}

/** The sequence behind serial number, algorithm, issuer and validity; a version stands before these or not. */
function subjectIn(parts: readonly Der[]): Der | undefined {
  return parts.filter(({ tag }) => tag === TAG.sequence)[3];
}

function commonNames(parts: readonly Der[]): readonly (string | undefined)[] {
  return partsOf(subjectIn(parts))
    .flatMap((set) => partsOf(set, TAG.set))
    .map((pair) => partsOf(pair))
    .filter(([type]) => oidOf(type) === COMMON_NAME)
    .map(([, value]) => textOf(value));
}

function alternativeNames(parts: readonly Der[], by: NamedBy): readonly (string | undefined)[] {
  const extensions = parts.find(({ tag }) => tag === EXTENSIONS);
  if (extensions === undefined) return [];
  return extensionsOf(derOf(extensions.content))
    .filter(({ oid }) => oid === ALTERNATIVE_NAMES)
    .flatMap(({ value }) => partsOf(derOf(value)))
    .flatMap((name) => (by === "mail" ? mailOf(name) : userPrincipalNameOf(name)));
}

function mailOf({ tag, content }: Der): readonly string[] {
  return tag === MAIL_NAME ? [content.toString("latin1")] : [];
}

function userPrincipalNameOf({ tag, content }: Der): readonly (string | undefined)[] {
  if (tag !== OTHER_NAME) return [];
  const [type, value] = childrenOf(content);
  return oidOf(type) === USER_PRINCIPAL_NAME ? [textOf(value && derOf(value.content))] : [];
}

/** Undefined for text of another kind. */
function textOf(of: Der | undefined): string | undefined {
  return of !== undefined && TEXTS.has(of.tag) ? of.content.toString("utf8") : undefined;
}

/** Nothing in it is invisible, or not text at all. */
function isPlain(name: string): boolean {
  return name !== "" && name.length <= 256 && !/[\p{C}\uFFFD]/u.test(name);
}
