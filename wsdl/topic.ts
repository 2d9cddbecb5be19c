import { NAMESPACES } from "./namespaces.ts";
import { escapeXml, namespaceOf, type XmlElement } from "./xml.ts";
import { NC_NAME } from "./xml-name.ts";

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

/** The namespace of topics for which ONVIF has no word. */
const OWN_TOPICS = "urn:viaduct:topics";

const STEP = new RegExp(`^(?:(${NC_NAME}):)?(${NC_NAME})$`, "u");

/** A topic of ONVIF's own: `VideoSource/MotionAlarm`. */
export function onvifTopic(path: string): Topic {
  return path.split("/");
}

/** A topic of the bridge's own under a root of ONVIF's. */
export function ownTopic(root: string, name: string): Topic {
  return [root, `{${OWN_TOPICS}}${name}`];
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
