import { meaningOf } from "../../onvif/client/topics.ts";
import type { Notification } from "../../wsdl/notification.ts";
import { topicKey } from "../../wsdl/topic.ts";
import type { BridgeEvent } from "../event-bus.ts";
import { CAMERA_EVENT_KINDS } from "../event-kind.ts";

const LIMITS = {
  /** Things of one camera that can be so at one time; the bus remembers as many. */
  states: 128,
} as const;

/** What of one camera's events somebody waits for, and whether any of it is so now. */
export class EventTrigger {
  readonly #kinds: ReadonlySet<string>;
  readonly #topics: readonly (readonly string[])[];
  /** What is so, by topic and source. */
  readonly #active = new Set<string>();

  /** `of`: words of `CAMERA_EVENT_KINDS`, and topics as `tns1:RuleEngine/LineDetector`, each with all that is below it. */
  constructor(of: readonly string[]) {
    const kinds = new Set<string>(CAMERA_EVENT_KINDS);
    this.#kinds = new Set(of.filter((one) => kinds.has(one)));
    this.#topics = of.filter((one) => !kinds.has(one)).map((one) => one.split("/").map(localName));
  }

  /** Something that is waited for lasts. */
  get active(): boolean {
    return this.#active.size > 0;
  }

  /** Takes note of an event; true where it is waited for, and has not just ended. */
  see({ kind, notification }: BridgeEvent): boolean {
    if (!(kind !== undefined && this.#kinds.has(kind)) && !this.#names(notification)) return false;
    const { topic, source, key } = notification;
    const name = JSON.stringify([topicKey(topic), source, key]);
    const lasts = stateOf(notification);
    if (lasts !== true) this.#active.delete(name);
    else if (this.#active.size < LIMITS.states) this.#active.add(name);
    return lasts !== false;
  }

  #names({ topic }: Notification): boolean {
    const names = topic.map(localName);
    return this.#topics.some((wanted) => wanted.every((step, index) => names[index] === step));
  }
}

/** Whether it is so; undefined for what is over at once. */
function stateOf(notification: Notification): boolean | undefined {
  const { operation, data } = notification;
  if (operation === "Deleted") return false;
  const meaning = meaningOf(notification);
  if (meaning !== undefined) return meaning.active;
  if (operation === undefined) return undefined;
  // A property that has no word of ours: what it says of itself, where that is one thing.
  const said = data.flatMap(([, value]) => (/^(?:true|false)$/i.test(value) ? [value.toLowerCase() === "true"] : []));
  return said.length === 1 ? said[0] : undefined;
}

/** `tns1:RuleEngine`, `{http://…}RuleEngine` and `RuleEngine` alike. */
function localName(step: string): string {
  return step.replace(/^(?:\{.*\}|[^:]*:)/, "");
}
