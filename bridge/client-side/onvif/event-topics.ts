import type { Prefix } from "../../../wsdl/namespaces.ts";
import type { Item, Notification } from "../../../wsdl/notification.ts";
import type { Xml } from "../../../wsdl/schema.ts";
import { onvifTopic, ownTopic, type Topic, topicKey } from "../../../wsdl/topic.ts";
import { escapeXml } from "../../../wsdl/xml.ts";

/** What the messages of a topic hold, by the types of the schema. */
interface Described {
  readonly topic: Topic;
  readonly property: boolean;
  readonly source: readonly Item[];
  readonly data: readonly Item[];
}

const TOKEN = "tt:ReferenceToken";

function row(path: string, property: boolean, source: readonly Item[], data: readonly Item[]): Described {
  return { topic: onvifTopic(path), property, source, data };
}

/** What the bridge can say of every camera, or of itself. */
const ALWAYS: readonly Described[] = [
  row("VideoSource/SignalLoss", true, [["Source", TOKEN]], [["State", "xs:boolean"]]),
  row("VideoSource/MotionAlarm", true, [["Source", TOKEN]], [["State", "xs:boolean"]]),
  row("VideoSource/GlobalSceneChange/ImagingService", true, [["Source", TOKEN]], [["State", "xs:boolean"]]),
  row("RecordingConfig/JobState", true, [["RecordingJobToken", TOKEN]], [["State", "xs:string"]]),
  row("RecordingHistory/Recording/State", true, [["RecordingToken", TOKEN]], [["IsRecording", "xs:boolean"]]),
  row(
    "Device/HardwareFailure/StorageFailure",
    true,
    [["Token", TOKEN]],
    [
      ["Failed", "xs:boolean"],
      ["Reason", "xs:string"],
    ],
  ),
  {
    topic: ownTopic("RecordingHistory", "Fetched"),
    property: false,
    source: [["RecordingToken", TOKEN]],
    data: [
      ["State", "xs:string"],
      ["From", "xs:dateTime"],
      ["To", "xs:dateTime"],
      ["Reason", "xs:string"],
    ],
  },
  row("EventBuffer/Begin", false, [], []),
  row("Media/ProfileChanged", false, [], [["Token", TOKEN]]),
  row(
    "Media/ConfigurationChanged",
    false,
    [],
    [
      ["Token", TOKEN],
      ["Type", "xs:string"],
    ],
  ),
  row(
    "Device/SecurityPolicy/AuthFailed",
    false,
    [],
    [
      ["Address", "xs:string"],
      ["UserName", "xs:string"],
    ],
  ),
];

/** What the bridge tells under by itself, whatever cameras do: paths of ONVIF's topics, and of its own below these. */
export const TOLD_TOPICS: readonly string[] = ALWAYS.map(({ topic }) => topic.join("/"));

/** First steps of ONVIF's own topics: cameras send under all of them. */
const ROOTS: ReadonlySet<string> = new Set([
  "AudioAnalytics",
  "AudioSource",
  "Configuration",
  "Device",
  "EventBuffer",
  "Media",
  "Monitoring",
  "PTZController",
  "Receiver",
  "RecordingConfig",
  "RecordingHistory",
  "RuleEngine",
  "UserAlarm",
  "VideoAnalytics",
  "VideoSource",
]);

/**
 * Whether anything can ever be told under a topic. Of other makers' topics nobody knows before a camera sends one; one of no
 * namespace is nobody's, and a mistake of the client.
 */
export function isPossible([root = ""]: Topic): boolean {
  return (root.startsWith("{") && !root.startsWith("{}")) || ROOTS.has(root);
}

/** More would be a camera that makes topics up. */
const MAX_TOPICS = 200;

interface Node {
  readonly children: Map<string, Node>;
  described: Described | undefined;
}

/** `wstop:TopicSet` (ONVIF Core 9.8): what the bridge always can say, and what cameras have said. */
export function topicSet(said: readonly Notification[]): Xml {
  const all = new Map(ALWAYS.map((one) => [topicKey(one.topic), one]));
  for (const { topic, operation, source, data } of said) {
    // Other makers' topics are told as they come; their trees would need prefixes of their own here.
    if (topic.some((step) => step.startsWith("{")) || all.size === MAX_TOPICS || all.has(topicKey(topic))) continue;
    const described = { topic, property: operation !== undefined, source: typed(source), data: typed(data) };
    all.set(topicKey(topic), described);
  }
  const root: Node = { children: new Map(), described: undefined };
  for (const described of all.values()) {
    let at = root;
    for (const step of described.topic) {
      const next = at.children.get(step) ?? { children: new Map(), described: undefined };
      at.children.set(step, next);
      at = next;
    }
    at.described = described;
  }
  const prefixes = new Set<Prefix>(["wstop", "tns1", "tt", "xs"]);
  return { xml: [...root.children].map(([step, node]) => print(`tns1:${step}`, node)).join(""), prefixes };
}

/** Of a camera's own items only the values are known. */
function typed(items: readonly Item[]): readonly Item[] {
  return items.map(([name, value]) => [name, /^(?:true|false)$/.test(value) ? "xs:boolean" : "xs:string"]);
}

function print(step: string, { children, described }: Node): string {
  const inner = [...children].map(([below, node]) => print(below, node)).join("");
  // The bridge's own have a prefix of theirs.
  const [, ns, local] = /^\{(.*)\}(.*)$/.exec(step) ?? [];
  const name = local === undefined ? step : `own:${local}`;
  const declared = ns === undefined ? "" : ` xmlns:own="${escapeXml(ns)}"`;
  if (described === undefined) return `<${name}${declared}>${inner}</${name}>`;
  const { property, source, data } = described;
  const message =
    `<tt:MessageDescription IsProperty="${property}">${items("Source", source)}${items("Data", data)}` +
    "</tt:MessageDescription>";
  return `<${name}${declared} wstop:topic="true">${message}${inner}</${name}>`;
}

function items(list: string, of: readonly Item[]): string {
  if (of.length === 0) return "";
  const each = of.map(([name, type]) => `<tt:SimpleItemDescription Name="${escapeXml(name)}" Type="${type}"/>`);
  return `<tt:${list}>${each.join("")}</tt:${list}>`;
}
