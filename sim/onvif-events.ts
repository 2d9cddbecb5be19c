import type { Clock, Timer } from "../base/clock.ts";
import { HOUR, isoOf, later, MINUTE, type Millis, SECOND, type UnixMillis } from "../base/units.ts";
import { escapeXml, findPath, type XmlElement } from "../wsdl/xml.ts";
import type { Device } from "./device.ts";
import { type Asked, type Operations, PATHS, type Told } from "./onvif.ts";
import { EVENT_CAPABILITIES } from "./onvif-device.ts";
import { NS, SoapFault } from "./soap.ts";

const LIMITS = {
  /** As the capabilities say. */
  pullPoints: 8,
  lifeMs: HOUR,
  messages: 100,
  waitMs: MINUTE,
} as const;

/** How long something moves, and how long nothing does. */
const MOTION_PERIOD_MS = 7 * SECOND;
const DEFAULT_LIFE_MS = MINUTE;
/** Topic and item. */
const TOPICS = {
  usual: ["tns1:VideoSource/MotionAlarm", "State"],
  "motion-by-rule": ["tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion"],
  "misspelt-topic": ["tns1:VideoSoure/MotionAlarm", "State"],
} as const;
/** Of a camera whose places are not given free by themselves. */
const LEAKY_SLOTS = 4;
/** So seldom does something move where nothing says that it does not any more. */
const UNENDED_TICKS = 12;
const LATE_MS = 10 * SECOND;

interface PullPoint {
  readonly id: string;
  readonly queue: string[];
  expiry: Timer;
  endsAt: UnixMillis;
  /** It has been told of a change. */
  told: boolean;
  /** Ends the wait of the request that is being held, if any. */
  wake: (() => void) | undefined;
}

/** The event service (ONVIF Core 9): pull points, and one event that says whether something moves. */
export class Events {
  readonly #device: Device;
  readonly #clock: Clock;
  readonly #points = new Map<string, PullPoint>();
  #created = 0;
  /** Places that were never given back. */
  #leaked = 0;
  #motion = false;
  #ticks = 0;
  #ticking: Timer | undefined;

  constructor(device: Device, clock: Clock) {
    this.#device = device;
    this.#clock = clock;
  }

  /** How many pull points were made so far. */
  get created(): number {
    return this.#created;
  }

  get points(): number {
    return this.#points.size;
  }

  /** Forgets all pull points. */
  close(): void {
    for (const { id } of this.#points.values()) this.#drop(id);
  }

  /** Of the event service's own namespace. */
  operations(): Operations {
    return {
      GetServiceCapabilities: () =>
        `<tev:GetServiceCapabilitiesResponse>${EVENT_CAPABILITIES}</tev:GetServiceCapabilitiesResponse>`,
      GetEventProperties: (asked) => respond(asked, EVENT_PROPERTIES),
      CreatePullPointSubscription: (asked) => this.#create(asked),
      PullMessages: (asked) => this.#pull(asked),
      SetSynchronizationPoint: (asked) => {
        const point = this.#pointOf(asked);
        if (!(this.#device.quirks.has("forgotten-subscription") && point.told)) {
          point.queue.push(this.#notification("Initialized"));
          point.wake?.();
        }
        return respond(asked, "<tev:SetSynchronizationPointResponse/>");
      },
    };
  }

  /** Of WS-BaseNotification (6.1). */
  subscriptionOperations(): Operations {
    return {
      Renew: (asked) => {
        const point = this.#pointOf(asked);
        this.#prolong(point, durationIn(asked.element, "TerminationTime", this.#device.now()) ?? DEFAULT_LIFE_MS);
        const times = `<wsnt:TerminationTime>${this.#saidEnd(point)}</wsnt:TerminationTime><wsnt:CurrentTime>${isoOf(this.#device.now())}</wsnt:CurrentTime>`;
        return respond(asked, `<wsnt:RenewResponse>${times}</wsnt:RenewResponse>`);
      },
      Unsubscribe: (asked) => {
        const { id } = this.#pointOf(asked);
        if (this.#device.quirks.has("unsubscribe-ends-all")) this.close();
        else this.#drop(id);
        return respond(asked, "<wsnt:UnsubscribeResponse/>");
      },
    };
  }

  #create(asked: Asked): Told {
    if (this.#device.quirks.has("event-slots-leak") && this.#points.size + this.#leaked >= LEAKY_SLOTS)
      throw new SoapFault("Sender", ["NotAuthorized"], "Sender not authorized");
    if (this.#points.size >= LIMITS.pullPoints)
      throw new SoapFault("Receiver", ["CriticalError", "MaxSubscriptions"], "There are too many pull points");
    this.#created += 1;
    const lifeMs = durationIn(asked.element, "InitialTerminationTime", this.#device.now()) ?? DEFAULT_LIFE_MS;
    const point: PullPoint = {
      id: String(this.#created),
      // The state of every property comes first (Core 9.4.2).
      queue: [this.#notification("Initialized")],
      expiry: { cancel: () => undefined },
      endsAt: this.#device.now(),
      told: false,
      wake: undefined,
    };
    this.#points.set(point.id, point);
    this.#prolong(point, lifeMs);
    this.#ticking ??= this.#clock.every(MOTION_PERIOD_MS, () => this.#toggle());
    const reference = this.#reference(point);
    return respond(
      asked,
      `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>${reference}</tev:SubscriptionReference><wsnt:CurrentTime>${isoOf(this.#device.now())}</wsnt:CurrentTime><wsnt:TerminationTime>${this.#saidEnd(point)}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`,
    );
  }

  async #pull(asked: Asked): Promise<Told> {
    const point = this.#pointOf(asked);
    if (point.wake !== undefined)
      throw new SoapFault("Receiver", ["Action", "UnableToGetMessages"], "Another request waits already");
    const waitMs = Math.min(LIMITS.waitMs, durationIn(asked.element, "Timeout", this.#device.now()) ?? 0);
    const count = Number(findPath(asked.element, "MessageLimit")?.text.trim() ?? LIMITS.messages);
    const { quirks } = this.#device;
    if (!quirks.has("past-termination")) this.#prolong(point, Math.max(waitMs, point.endsAt - this.#device.now()));
    if (point.queue.length === 0 && waitMs > 0 && !quirks.has("hasty-events"))
      await this.#arrival(point, waitMs + (quirks.has("late-events") ? LATE_MS : 0));
    if (!this.#points.has(point.id)) throw noPoint();
    const messages = point.queue.splice(0, Math.max(1, Math.min(LIMITS.messages, count || 1))).join("");
    return respond(
      asked,
      `<tev:PullMessagesResponse><tev:CurrentTime>${isoOf(this.#device.now())}</tev:CurrentTime><tev:TerminationTime>${this.#saidEnd(point)}</tev:TerminationTime>${messages}</tev:PullMessagesResponse>`,
    );
  }

  /** Until something is queued, or the time is over. */
  async #arrival(point: PullPoint, waitMs: Millis): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(waitMs, resolve);
    point.wake = resolve;
    await promise;
    timer.cancel();
    point.wake = undefined;
  }

  #toggle(): void {
    const { quirks } = this.#device;
    this.#ticks += 1;
    if (quirks.has("unended-motion") && this.#ticks % UNENDED_TICKS !== 1) return;
    this.#motion = quirks.has("unended-motion") || !this.#motion;
    for (const point of this.#points.values()) {
      if (quirks.has("forgotten-subscription") && point.told) continue;
      point.told = true;
      if (point.queue.length === LIMITS.messages) point.queue.shift();
      point.queue.push(this.#notification("Changed"));
      point.wake?.();
    }
  }

  #notification(operation: "Initialized" | "Changed"): string {
    const { quirks } = this.#device;
    const odd = (["motion-by-rule", "misspelt-topic"] as const).find((quirk) => quirks.has(quirk));
    const [topic, item] = TOPICS[odd ?? "usual"];
    return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${isoOf(this.#device.now())}" PropertyOperation="${operation}"><tt:Source><tt:SimpleItem Name="Source" Value="video_source"/></tt:Source><tt:Data><tt:SimpleItem Name="${item}" Value="${this.#motion}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`;
  }

  #saidEnd({ endsAt }: PullPoint): string {
    return isoOf(this.#device.quirks.has("past-termination") ? later(this.#device.now(), -HOUR) : endsAt);
  }

  #reference({ id }: PullPoint): string {
    const url = this.#device.url(PATHS.subscription);
    if (!this.#device.quirks.has("subscription-parameters"))
      return `<wsa:Address>${escapeXml(`${url}?id=${id}`)}</wsa:Address>`;
    const parameter = `<SubscriptionId xmlns="http://www.axis.com/2009/event">${id}</SubscriptionId>`;
    return `<wsa:Address>${url}</wsa:Address><wsa:ReferenceParameters>${parameter}</wsa:ReferenceParameters>`;
  }

  #pointOf({ target, header }: Asked): PullPoint {
    const named = header?.children.find(({ name }) => name === "SubscriptionId")?.text.trim();
    const point = this.#points.get(/[?&]id=(\d+)$/.exec(target)?.[1] ?? named ?? "");
    if (point === undefined) throw noPoint();
    return point;
  }

  #prolong(point: PullPoint, lifeMs: Millis): void {
    const boundedMs = Math.min(LIMITS.lifeMs, Math.max(SECOND, lifeMs));
    point.expiry.cancel();
    point.expiry = this.#clock.after(boundedMs, () => {
      this.#leaked += 1;
      this.#drop(point.id);
    });
    point.endsAt = later(this.#device.now(), boundedMs);
  }

  #drop(id: string): void {
    const point = this.#points.get(id);
    this.#points.delete(id);
    point?.expiry.cancel();
    point?.wake?.();
    if (this.#points.size > 0) return;
    this.#ticking?.cancel();
    this.#ticking = undefined;
  }
}

/** With the action and relation that WS-Addressing wants. */
function respond({ ns, operation, header }: Asked, body: string): Told {
  const port = ns === NS.tev ? (operation === "PullMessages" ? "PullPointSubscription" : "EventPortType") : undefined;
  const action =
    port === undefined
      ? `http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/${operation}Response`
      : `${NS.tev}/${port}/${operation}Response`;
  const question = header?.children.find((block) => block.name === "MessageID" && block.ns === NS.wsa)?.text.trim();
  const relation = question === undefined ? "" : `<wsa:RelatesTo>${escapeXml(question)}</wsa:RelatesTo>`;
  return { header: `<wsa:Action>${action}</wsa:Action>${relation}`, body };
}

function noPoint(): SoapFault {
  return new SoapFault("Sender", ["InvalidArgVal", "NoSubscription"], "There is no such subscription");
}

/** A duration (`PT1M`), or the time up to a date. Undefined where there is neither. */
function durationIn(element: XmlElement, name: string, now: UnixMillis): Millis | undefined {
  const text = findPath(element, name)?.text.trim() ?? "";
  const [whole, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,6})?)S)?)?$/.exec(text) ?? [];
  if (whole !== undefined)
    return (Number(days) * 24 + Number(hours)) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - now;
}

const EVENT_PROPERTIES = `<tev:GetEventPropertiesResponse>
<tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>
<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet>
<wstop:TopicSet><tns1:VideoSource><MotionAlarm wstop:topic="true"><tt:MessageDescription IsProperty="true">
<tt:Source><tt:SimpleItemDescription Name="Source" Type="tt:ReferenceToken"/></tt:Source>
<tt:Data><tt:SimpleItemDescription Name="State" Type="xs:boolean"/></tt:Data>
</tt:MessageDescription></MotionAlarm></tns1:VideoSource></wstop:TopicSet>
<wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet</wsnt:TopicExpressionDialect>
<wsnt:TopicExpressionDialect>http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete</wsnt:TopicExpressionDialect>
<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect>
<tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation>
</tev:GetEventPropertiesResponse>`;
