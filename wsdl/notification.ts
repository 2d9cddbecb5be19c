import { isoOf, type UnixMillis, unixMillis } from "../base/units.ts";
import { NAMESPACES } from "./namespaces.ts";
import { printTopic, readTopic, type Topic } from "./topic.ts";
import { attributeOf, escapeXml, findPath, type XmlElement } from "./xml.ts";

const LIMITS = {
  /** Of each of the three lists; real events have up to six. */
  items: 16,
  nameCharacters: 64,
  valueCharacters: 256,
} as const;

export type Item = readonly [name: string, value: string];

/** Something that happened, or is so (ONVIF Core 9.4, 9.5): what stands in a `wsnt:NotificationMessage`. */
export interface Notification {
  readonly at: UnixMillis;
  readonly topic: Topic;
  /** Of a property, which lasts; absent for what has happened and is over. */
  readonly operation?: PropertyOperation;
  /** What it is about. */
  readonly source: readonly Item[];
  /** Which of several things there, as an object that is followed. */
  readonly key?: readonly Item[];
  /** What is said of it. */
  readonly data: readonly Item[];
}

export type PropertyOperation = "Initialized" | "Changed" | "Deleted";

export const CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";

/** The content of a `wsnt:NotificationMessage`. The prefixes `wsnt`, `tt` and `tns1` must be declared around it. */
export function printNotification({ at, topic, operation, source, key = [], data }: Notification): string {
  const { text, declarations } = printTopic(topic);
  const property = operation === undefined ? "" : ` PropertyOperation="${operation}"`;
  return (
    `<wsnt:Topic${declarations} Dialect="${CONCRETE_SET}">${text}</wsnt:Topic><wsnt:Message>` +
    `<tt:Message UtcTime="${isoOf(at)}"${property}>${printItems("Source", source)}${printItems("Key", key)}` +
    `${printItems("Data", data)}</tt:Message></wsnt:Message>`
  );
}

function printItems(name: string, items: readonly Item[]): string {
  if (items.length === 0) return "";
  const printed = items.map(([of, value]) => `<tt:SimpleItem Name="${escapeXml(of)}" Value="${escapeXml(value)}"/>`);
  return `<tt:${name}>${printed.join("")}</tt:${name}>`;
}

/**
 * Reads one, by local names, for devices use odd namespaces, and some write `tns1:` without having declared it. Undefined without a topic or message; items beyond the bounds are
 * left out. Without a date that can be read, `at` is `received`.
 */
export function readNotification(element: XmlElement, received: UnixMillis): Notification | undefined {
  const named = findPath(element, "Topic");
  const topic = named && readTopic(named.text, named, { tns1: NAMESPACES.tns1 });
  const message = findPath(element, "Message", "Message");
  if (topic === undefined || message === undefined) return undefined;
  const date = Date.parse(attributeOf(message, "UtcTime") ?? "");
  const operation = attributeOf(message, "PropertyOperation");
  const key = itemsIn(message, "Key");
  return {
    at: Number.isNaN(date) ? received : unixMillis(date),
    topic,
    ...(operation === "Initialized" || operation === "Changed" || operation === "Deleted" ? { operation } : {}),
    source: itemsIn(message, "Source"),
    ...(key.length === 0 ? {} : { key }),
    data: itemsIn(message, "Data"),
  };
}

function itemsIn(message: XmlElement, list: string): readonly Item[] {
  const items: Item[] = [];
  for (const child of findPath(message, list)?.children ?? []) {
    const [name, value] = [attributeOf(child, "Name"), attributeOf(child, "Value")];
    if (child.name !== "SimpleItem" || name === undefined || value === undefined) continue;
    if (name.length > LIMITS.nameCharacters || value.length > LIMITS.valueCharacters) continue;
    if (items.push([name, value]) === LIMITS.items) break;
  }
  return items;
}
