import { CONCRETE_SET } from "../../wsdl/notification.ts";
import { readTopic, type Topic } from "../../wsdl/topic.ts";
import type { XmlElement } from "../../wsdl/xml.ts";

const LIMITS = {
  characters: 4096,
  /** Topics that one expression names. */
  topics: 64,
} as const;

const CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";

/** Expressions that are understood (ONVIF Core 9.6.3; WS-Topics 1.3, 8.2). */
export const TOPIC_DIALECTS: readonly string[] = [CONCRETE, CONCRETE_SET];

/** A topic, or all that is below it and itself. */
interface Branch {
  readonly topic: Topic;
  readonly subtree: boolean;
}

/** Which topics an expression means. */
export interface TopicFilter {
  readonly branches: readonly Branch[];
  matches(topic: Topic): boolean;
}

/** Reads a `wsnt:TopicExpression`, whose prefixes are those around it. Undefined for what its dialect does not allow. */
export function readTopicFilter(element: XmlElement, dialect: string): TopicFilter | undefined {
  const text = element.text.trim();
  if (text.length > LIMITS.characters || element.children.length > 0) return undefined;
  const parts = text.split("|");
  if (parts.length > LIMITS.topics || (parts.length > 1 && dialect === CONCRETE)) return undefined;
  const branches: Branch[] = [];
  for (const part of parts) {
    const [, path = part, rest] = /^(.*?)(\/\/\.)?$/.exec(part.trim()) ?? [];
    if (rest !== undefined && dialect === CONCRETE) return undefined;
    const topic = readTopic(path, element);
    if (topic === undefined) return undefined;
    branches.push({ topic, subtree: rest !== undefined });
  }
  return { branches, matches: (topic) => branches.some((branch) => isIn(topic, branch)) };
}

function isIn(topic: Topic, branch: Branch): boolean {
  if (branch.subtree ? topic.length < branch.topic.length : topic.length !== branch.topic.length) return false;
  return branch.topic.every((step, index) => topic[index] === step);
}
