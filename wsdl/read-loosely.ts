import type { Complex, Type } from "./schema.ts";
import { attributeOf, type XmlElement } from "./xml.ts";

/** Of one list; what a device has beyond is not looked at. */
const LIST_ITEMS = 500;

/**
 * Reads what a device answered as a type, forgiving what changes nothing: elements in another order, of another namespace,
 * unknown ones, and optional values that are not what the schema allows, which count as absent. Undefined where something
 * that the type needs is missing. Like the result of `decode`, the value has no prototype and only names of the table.
 */
export function readLoosely<T>(type: Complex<T>, element: XmlElement): T | undefined {
  return complex(type, element) as T | undefined;
}

function complex(type: Complex<unknown>, element: XmlElement): unknown {
  const result = Object.create(null) as Record<string, unknown>;
  for (const member of type.members) {
    const found = member.attribute
      ? [parsed(member.type, attributeOf(element, member.name))]
      : element.children
          .filter((child) => child.name === member.name)
          .slice(0, member.many ? LIST_ITEMS : 1)
          .map((child) => content(member.type, child));
    const values = found.filter((one) => one !== undefined);
    if (values.length > 0) result[member.name] = member.many ? values : values[0];
    else if (member.min === 1) return undefined;
  }
  return result;
}

function content(type: Type, element: XmlElement): unknown {
  if (type.kind === "complex") return complex(type, element);
  return type.kind === "anything" ? undefined : parsed(type, element.text);
}

function parsed(type: Type, text: string | undefined): unknown {
  return type.kind === "simple" && text !== undefined ? type.parse(text.trim()) : undefined;
}
