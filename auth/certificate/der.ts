import { elementAt } from "../../base/ber.ts";
import { Fault } from "../../base/fault.ts";

const LIMITS = {
  /** Of one element, read at once: a file full of the shortest must not become millions of objects. */
  children: 1000,
} as const;

/** Tags of DER that certificates and lists of revoked ones have (ITU-T X.690 8; X.680 8). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element, whole. */
export interface Der {
  readonly tag: number;
  /** A view, valid as long as what it was read from. */
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** The one element that `bytes` are. Fault `invalid`. */
export function derOf(bytes: Buffer): Der {
  const [only, ...more] = childrenOf(bytes);
  if (only === undefined || more.length > 0) throw malformed("it is not one element");
  return only;
}

/** The elements that `bytes` are full of, one after the other. Fault `invalid`: one is longer than what it is in, or they are too many. */
export function childrenOf(bytes: Buffer): readonly Der[] {
  const children: Der[] = [];
  for (const child of eachChildOf(bytes)) {
    if (children.length === LIMITS.children) throw malformed(`more than ${LIMITS.children} elements in one`);
    children.push(child);
  }
  return children;
}

/** As {@link childrenOf}, each read when it is its turn, however many there are. */
export function* eachChildOf(bytes: Buffer): Generator<Der, void> {
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at, malformed);
    if (element === undefined || element.end > bytes.length) throw malformed("an element is cut off");
    const { tag, start, end } = element;
    yield { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
    at = end;
  }
}

/** The elements of a SEQUENCE, or of what has `tag`. Fault `invalid`: it is something else, or not there. */
export function partsOf(of: Der | undefined, tag: number = TAG.sequence): readonly Der[] {
  if (of?.tag !== tag) throw malformed(`no element ${tag} where one has to be`);
  return childrenOf(of.content);
}

/** An object identifier as numbers with points. Fault `invalid`. */
export function oidOf(of: Der | undefined): string {
  if (of?.tag !== TAG.oid || of.content.length === 0) throw malformed("no object identifier where one has to be");
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of of.content) {
    arc = arc * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join(".");
}

/** An extension of a certificate or of a list (RFC 5280 4.1). */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Those in a SEQUENCE of extensions. Fault `invalid`. */
export function extensionsOf(of: Der | undefined): readonly Extension[] {
  return partsOf(of).map((one) => {
    const parts = partsOf(one);
    const value = parts.at(-1);
    if (value?.tag !== TAG.octets) throw malformed("an extension without a value");
    const critical = parts[1]?.tag === TAG.boolean && parts[1].content[0] !== 0;
    return { oid: oidOf(parts[0]), critical, value: value.content };
  });
}

/** Fault `invalid`, for what is not DER, or not what it has to be. */
export function malformed(what: string): Fault {
  return new Fault("invalid", `malformed DER: ${what}`, { tell: `it cannot be read: ${what}` });
}
