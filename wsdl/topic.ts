import { NAMESPACES } from "./namespaces.ts";
import { escapeXml, namespaceOf, type XmlElement } from "./xml.ts";

const LIMITS = {
  /** ONVIF's own topics have up to five steps. */
  steps: 12,
  stepCharacters: 128,
  namespaceCharacters: 256,
} as const;

/**
 * What an event is about (WS-Topics 1.3): a way down a tree, `["VideoSource", "MotionAlarm"]`. A step of another namespace than
 * that of ONVIF's topics is written `{namespace}name`.
 */
export type Topic = readonly string[];

/** Of an NCName, its first character and the others (XML 1.0 §2.3, Namespaces in XML §3): `µ` and `²` are letter and number, but in none. */
const FIRST =
  "A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF" +
  "\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const OTHER = `${FIRST}.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040-`;
const NAME = `[${FIRST}][${OTHER}]*`;
const STEP = new RegExp(`^(?:(${NAME}):)?(${NAME})$`, "u");

/** A topic of ONVIF's own: `VideoSource/MotionAlarm`. */
export function onvifTopic(path: string): Topic {
  return path.split("/");
}

/** Two topics are the same where this is. */
export function topicKey(topic: Topic): string {
  return topic.join(" ");
}

/**
 * Reads `tns1:VideoSource/MotionAlarm` as it stands in `element`, whose prefixes count, and else those of `otherwise`. Undefined for
 * what is no topic.
 */
export function readTopic(
  text: string,
  element: XmlElement,
  otherwise: Readonly<Record<string, string>> = {},
): Topic | undefined {
  const names = text.trim().split("/");
  if (names.length > LIMITS.steps) return undefined;
  const steps: string[] = [];
  for (const [index, name] of names.entries()) {
    const [, prefix, local] = name.length > LIMITS.stepCharacters ? [] : (STEP.exec(name) ?? []);
    // A step below the first may be of no namespace, which is that of its tree.
    const ns =
      prefix === undefined
        ? index === 0
          ? ""
          : NAMESPACES.tns1
        : (namespaceOf(element, prefix) ?? (Object.hasOwn(otherwise, prefix) ? otherwise[prefix] : undefined));
    if (local === undefined || ns === undefined || ns.length > LIMITS.namespaceCharacters) return undefined;
    steps.push(ns === NAMESPACES.tns1 ? local : `{${ns}}${local}`);
  }
  return steps;
}

/** The topic as text, with the declarations that its element needs besides that of `tns1`. */
export function printTopic(topic: Topic): { readonly text: string; readonly declarations: string } {
  const prefixes = new Map<string, string>();
  const names = topic.map((step, index) => {
    const [, ns, local] = /^\{(.*)\}(.*)$/.exec(step) ?? [];
    if (ns === undefined || local === undefined) return index === 0 ? `tns1:${step}` : step;
    if (ns === "") return local;
    const prefix = prefixes.get(ns) ?? `n${prefixes.size + 1}`;
    prefixes.set(ns, prefix);
    return `${prefix}:${local}`;
  });
  const declarations = [...prefixes].map(([ns, prefix]) => ` xmlns:${prefix}="${escapeXml(ns)}"`).join("");
  return { text: names.join("/"), declarations };
}
