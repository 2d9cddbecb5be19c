import { SoapFault } from "./envelope.ts";
import { NAMESPACES } from "./namespaces.ts";
import type { Complex, Member, Type } from "./schema.ts";
import type { XmlElement } from "./xml.ts";

/** Parents whose names a fault repeats; deeper ones are left out. */
const PATH_NAMES = 4;

/**
 * Reads an element as a type. Everything that the schema refuses is refused: missing, surplus, misplaced and misspelt
 * elements (`Sender/InvalidArgs`), attributes (`MissingAttr`, `ProhibAttr`), and values (`InvalidArgVal`).
 *
 * The result has no prototype and only properties that the table names, whatever the document calls its elements.
 */
export function decode<T>(type: Complex<T>, element: XmlElement): T {
  return complex(type, element, { name: element.name, outer: undefined }) as T;
}

/** Where in a document something stands: written out only for a fault. */
interface Path {
  readonly name: string;
  readonly outer: Path | undefined;
}

function namesOf(path: Path): readonly string[] {
  const names: string[] = [];
  for (let at: Path | undefined = path; at !== undefined && names.length < PATH_NAMES; at = at.outer)
    names.unshift(at.name);
  return names;
}

function refuse(subcode: string, what: string, path: Path): SoapFault {
  return new SoapFault("invalid", "Sender", [subcode], `${what} in ${namesOf(path).join("/")}`);
}

function complex(type: Complex<unknown>, element: XmlElement, path: Path): unknown {
  const result = Object.create(null) as Record<string, unknown>;
  attributes(type, element, path, result);
  const { children } = element;
  let at = 0;
  for (const member of type.members) {
    if (member.attribute) continue;
    const first = at;
    let found: unknown[] | undefined;
    for (let child = children[at]; child !== undefined && is(child, member); child = children[at]) {
      if (at > first && !member.many) break;
      const value = content(member.type, child, { name: member.name, outer: path });
      if (!member.many) result[member.name] = value;
      else if (found === undefined) result[member.name] = found = [value];
      else found.push(value);
      at += 1;
    }
    if (at - first < member.min) throw refuse("InvalidArgs", `${member.name} is missing`, path);
  }
  const surplus = children[at];
  if (surplus !== undefined && (!type.open || type.members.some((member) => is(surplus, member))))
    throw refuse("InvalidArgs", `Unexpected ${surplus.name.slice(0, 64)}`, path);
  if (element.text.trim() !== "") throw refuse("InvalidArgs", "Unexpected text", path);
  return result;
}

function is(element: XmlElement, member: Member): boolean {
  return !member.attribute && element.name === member.name && element.ns === NAMESPACES[member.prefix];
}

function attributes(type: Complex<unknown>, element: XmlElement, path: Path, into: Record<string, unknown>): void {
  for (const { ns, name, value } of element.attributes) {
    // Attributes of other namespaces (xsi:type, xml:lang) say nothing about our values.
    if (ns !== "") continue;
    const member = type.members.find((one) => one.attribute && one.name === name);
    if (member !== undefined) into[name] = parsed(member.type, value, { name, outer: path });
    else if (!type.open) throw refuse("ProhibAttr", `Unexpected attribute ${name.slice(0, 64)}`, path);
  }
  for (const member of type.members)
    if (member.attribute && member.min === 1 && into[member.name] === undefined)
      throw refuse("MissingAttr", `Attribute ${member.name} is missing`, path);
}

function content(type: Type, element: XmlElement, path: Path): unknown {
  if (type.kind === "complex") return complex(type, element, path);
  if (type.kind === "anything") return { xml: "", prefixes: new Set(), element };
  if (element.children.length > 0) throw refuse("InvalidArgs", "Unexpected element", path);
  const stray = element.attributes.find(({ ns }) => ns === "");
  if (stray !== undefined) throw refuse("ProhibAttr", `Unexpected attribute ${stray.name.slice(0, 64)}`, path);
  return parsed(type, element.text, path);
}

function parsed(type: Type, text: string, path: Path): unknown {
  const value = type.kind === "simple" ? type.parse(text) : undefined;
  if (value === undefined) throw refuse("InvalidArgVal", "The value is not allowed", path);
  return value;
}
