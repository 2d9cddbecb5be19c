import { isoOf, type UnixMillis } from "../base/units.ts";
import { NAMESPACES } from "./namespaces.ts";
import { escapeXml } from "./xml.ts";

/** What is so, or has become so (ONVIF Core 9.4, 9.5): a property event. */
export interface PropertyEvent {
  /** Since when. */
  readonly at: UnixMillis;
  /** Of ONVIF's topic namespace, without prefix: `VideoSource/SignalLoss`. */
  readonly topic: string;
  readonly operation: "Initialized" | "Changed";
  /** Name and value of what it is about, and of what is said of it. */
  readonly source: readonly [name: string, value: string];
  readonly data: readonly [name: string, value: string];
}

const CONCRETE = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";

/** One document of a metadata stream (ONVIF Streaming 5.1.2.1), as UTF-8 text. Without events it says that there is nothing new. */
export function printMetadataStream(events: readonly PropertyEvent[]): string {
  const { tt, wsnt, tns1 } = NAMESPACES;
  const open = `<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="${tt}"`;
  if (events.length === 0) return `${open}/>`;
  const all = events.map(printEvent).join("");
  return `${open} xmlns:wsnt="${wsnt}" xmlns:tns1="${tns1}"><tt:Event>${all}</tt:Event></tt:MetadataStream>`;
}

function printEvent({ at, topic, operation, source, data }: PropertyEvent): string {
  return (
    `<wsnt:NotificationMessage><wsnt:Topic Dialect="${CONCRETE}">tns1:${topic}</wsnt:Topic><wsnt:Message>` +
    `<tt:Message UtcTime="${isoOf(at)}" PropertyOperation="${operation}"><tt:Source>${printItem(source)}</tt:Source>` +
    `<tt:Data>${printItem(data)}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}

function printItem([name, value]: readonly [string, string]): string {
  return `<tt:SimpleItem Name="${escapeXml(name)}" Value="${escapeXml(value)}"/>`;
}
