import { Fault } from "../base/fault.ts";
import type { KeptAnswers, Sent } from "./kept-answers.ts";
import type { Prefix } from "./namespaces.ts";
import type { Complex, Member, Printed, Type, Xml } from "./schema.ts";
import { escapeXml } from "./xml.ts";

type Values = Readonly<Record<string, unknown>>;
type Parts = Pick<Printed, "attributes" | "content">;

/**
 * Prints one element of a type: order, namespaces and occurrence are the table's, whatever the order of properties in
 * `value`. A required value that is missing is our own bug, and a Fault `internal`.
 */
export function serialize<T>(prefix: Prefix, name: string, type: Complex<T>, value: T): Xml {
  const prefixes = new Set<Prefix>([prefix]);
  return { xml: element(prefix, name, type, value, prefixes), prefixes };
}

/** As {@link serialize}, of a message whose values are kept as they are sent: the bytes between the tags of its element are always the same ones. */
export function serializeKept<T>(
  prefix: Prefix,
  name: string,
  type: Complex<T>,
  all: KeptAnswers,
  value: T,
): {
  readonly before: string;
  readonly bytes: Buffer;
  readonly behind: string;
  readonly prefixes: ReadonlySet<Prefix>;
} {
  const { attributes, bytes, prefixes } = all.get(value as Values) ?? printBytes(prefix, type, all, value as Values);
  const tag = `${prefix}:${name}`;
  return { before: `<${tag}${attributes}>`, bytes, behind: `</${tag}>`, prefixes };
}

function printBytes(prefix: Prefix, type: Complex<unknown>, all: KeptAnswers, value: Values): Sent {
  const prefixes = new Set<Prefix>([prefix]);
  const { attributes, content } = printParts(type, value, prefixes);
  const sent = { attributes, bytes: Buffer.from(content), prefixes };
  all.add(value, sent);
  return sent;
}

/** What stands inside the element of a type that has no attributes, as {@link serialize} would print it. */
export function serializeContent<T>(type: Complex<T>, value: T): Xml {
  const prefixes = new Set<Prefix>();
  return { xml: parts(type, value, prefixes).content, prefixes };
}

function element(prefix: Prefix, name: string, type: Type, value: unknown, prefixes: Set<Prefix>): string {
  const tag = `${prefix}:${name}`;
  prefixes.add(prefix);
  if (type.kind === "simple") return `<${tag}>${escapeXml(type.print(value))}</${tag}>`;
  if (type.kind === "anything") {
    const { xml, prefixes: inner } = value as Xml;
    for (const one of inner) prefixes.add(one);
    return `<${tag}>${xml}</${tag}>`;
  }
  const { attributes, content } = parts(type, value, prefixes);
  return content === "" ? `<${tag}${attributes}/>` : `<${tag}${attributes}>${content}</${tag}>`;
}

function parts(type: Complex<unknown>, value: unknown, prefixes: Set<Prefix>): Parts {
  if (type.printed === undefined) return printParts(type, value as Values, prefixes);
  const printed = type.printed.get(value as Values) ?? printAlone(type, value as Values);
  type.printed.set(value as Values, printed);
  for (const one of printed.prefixes) prefixes.add(one);
  return printed;
}

function printAlone(type: Complex<unknown>, value: Values): Printed {
  const prefixes = new Set<Prefix>();
  const { attributes, content } = printParts(type, value, prefixes);
  // Anew from its bytes: V8 keeps a sum of strings as the tree of its parts, and would walk through it at every sending.
  return { attributes, content: Buffer.from(content).toString(), prefixes };
}

function printParts(type: Complex<unknown>, value: Values, prefixes: Set<Prefix>): Parts {
  let attributes = "";
  let content = "";
  for (const member of type.members) {
    const of = value[member.name];
    if (of === undefined || (member.many && (of as readonly unknown[]).length === 0)) {
      if (member.min === 1) throw new Fault("internal", `${type.name} without ${member.name}`);
    } else if (member.attribute) attributes += attribute(member, of);
    else if (member.many)
      for (const one of of as readonly unknown[])
        content += element(member.prefix, member.name, member.type, one, prefixes);
    else content += element(member.prefix, member.name, member.type, of, prefixes);
  }
  return { attributes, content };
}

function attribute(member: Member, value: unknown): string {
  if (member.type.kind !== "simple") throw new Fault("internal", `attribute ${member.name} is not of a simple type`);
  return ` ${member.name}="${escapeXml(member.type.print(value))}"`;
}
