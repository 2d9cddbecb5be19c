import type { Clock } from "../../../base/clock.ts";
import { ITEM_FILTER, type ItemFilter, readItemFilter } from "../../../onvif/server/item-filter.ts";
import { readTopicFilter, TOPIC_DIALECTS, type TopicFilter } from "../../../onvif/server/topic-filter.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import type { Notification } from "../../../wsdl/notification.ts";
import { attributeOf, type XmlElement } from "../../../wsdl/xml.ts";
import { eventFault } from "./event-faults.ts";
import { isPossible } from "./event-topics.ts";

/** Conditions of one filter, which all must hold (WS-BaseNotification 1.3, 4.2). */
const MAX_CONDITIONS = 8;

export type EventFilter = (notification: Notification) => boolean;

/** Reads a `Filter`; none lets everything through. Faults as WS-BaseNotification 1.3, 4.2 has them. */
export function readEventFilter(filter: XmlElement | undefined, clock: Clock): EventFilter {
  const conditions = filter?.children ?? [];
  if (conditions.length > MAX_CONDITIONS)
    throw eventFault(clock, "InvalidFilterFault", "Too many conditions", UNKNOWN_FILTER);
  const topics: TopicFilter[] = [];
  const contents: ItemFilter[] = [];
  for (const condition of conditions) {
    const dialect = attributeOf(condition, "Dialect")?.trim() ?? "";
    if (condition.ns === NAMESPACES.wsnt && condition.name === "TopicExpression")
      topics.push(topicsOf(condition, dialect, clock));
    else if (condition.ns === NAMESPACES.wsnt && condition.name === "MessageContent")
      contents.push(contentOf(condition, dialect, clock));
    else throw eventFault(clock, "InvalidFilterFault", "This kind of filter is not supported", UNKNOWN_FILTER);
  }
  return ({ topic, source, key = [], data }) =>
    topics.every((one) => one.matches(topic)) && contents.every((one) => one([...source, ...key, ...data]));
}

/** The schema wants to know which; the words of the fault say it. */
const UNKNOWN_FILTER = "<wsnt:UnknownFilter>wsnt:Filter</wsnt:UnknownFilter>";

function topicsOf(condition: XmlElement, dialect: string, clock: Clock): TopicFilter {
  if (!TOPIC_DIALECTS.includes(dialect))
    throw eventFault(
      clock,
      "TopicExpressionDialectUnknownFault",
      `The dialects are ${TOPIC_DIALECTS.join(" and ")}; see GetEventProperties`,
    );
  const read = readTopicFilter(condition, dialect);
  if (read === undefined)
    throw eventFault(clock, "InvalidTopicExpressionFault", "The topic expression breaks the rules of its dialect");
  if (!read.branches.some(({ topic }) => isPossible(topic)))
    throw eventFault(clock, "TopicNotSupportedFault", "There is no such topic; see GetEventProperties");
  return read;
}

function contentOf(condition: XmlElement, dialect: string, clock: Clock): ItemFilter {
  const read = dialect === ITEM_FILTER && condition.children.length === 0 ? readItemFilter(condition.text) : undefined;
  if (read === undefined)
    throw eventFault(
      clock,
      "InvalidMessageContentExpressionFault",
      `The dialect is ${ITEM_FILTER}, as in boolean(//tt:SimpleItem[@Name="State" and @Value="true"])`,
    );
  return read;
}
