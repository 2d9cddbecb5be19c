import type { Clock } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import { MINUTE, type Millis, type MonotonicMillis, SECOND } from "../../base/units.ts";
import { NAMESPACES, type Prefix } from "../../wsdl/namespaces.ts";
import { type Notification, readNotification } from "../../wsdl/notification.ts";
import { dateTime } from "../../wsdl/simple.ts";
import { escapeXml, findPath, type XmlElement } from "../../wsdl/xml.ts";
import type { Answer, Caller } from "./caller.ts";
import { serviceUrl } from "./camera.ts";
import { addressIn } from "./quirks.ts";

/** Messages of one answer that are looked at; it is asked for fewer. */
export const MOST_MESSAGES = 200;

const LIMITS = {
  /** Elements by which a camera may name a subscription besides its address. */
  parameters: 8,
  addressCharacters: 1024,
} as const;

/** How long the camera may hold a request. Short enough that a camera which has restarted is found out about soon. */
const HOLD_MS = 20 * SECOND;
/** And how much longer than that it may take: cameras are late, and some by a multiple (ZoneMinder clamps its pull_timeout). */
const PATIENCE_MS = 15 * SECOND;
/** What is asked for: not long, so that a slot which nobody gives back is free again soon. */
const LIFE_MS = 2 * MINUTE;
/** Less than this left: renew. A request may be held meanwhile. */
const RENEW_BEFORE_MS = HOLD_MS + PATIENCE_MS + 10 * SECOND;
/** What is taken for true of a camera that says when its subscription ends, and means the past (Axis: agsh/onvif src/events.ts). */
const ASSUMED_LIFE_MS = MINUTE;

const ACTIONS = {
  events: "http://www.onvif.org/ver10/events/wsdl/EventPortType",
  pull: "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription",
  manager: "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager",
} as const;

/** One subscription at one camera (ONVIF Core 9.2), fetched from at the address that the camera gave, at its own host. */
export class PullPoint {
  readonly #caller: Caller;
  readonly #clock: Clock;
  readonly #url: URL;
  /** Header blocks that name the subscription. */
  readonly #reference: string;
  #renewAt: MonotonicMillis;
  #renewable = true;

  private constructor(caller: Caller, clock: Clock, url: URL, reference: string) {
    this.#caller = caller;
    this.#clock = clock;
    this.#url = url;
    this.#reference = reference;
    this.#renewAt = clock.monotonic();
  }

  /** `events`: the camera's event service. Faults as {@link Caller.call}. */
  static async create(
    caller: Caller,
    o: { readonly events: URL; readonly ip: string; readonly clock: Clock },
  ): Promise<PullPoint> {
    const { events, ip, clock } = o;
    const { body } = await caller.call({
      url: events,
      prefix: "tev",
      operation: "CreatePullPointSubscription",
      content: `<tev:InitialTerminationTime>PT${LIFE_MS / SECOND}S</tev:InitialTerminationTime>`,
      header: addressing(`${ACTIONS.events}/CreatePullPointSubscriptionRequest`, events.href),
      actions: ACTIONS.events,
    });
    const reference = findPath(body, "SubscriptionReference");
    const named = addressIn(reference && findPath(reference, "Address"))?.slice(0, LIMITS.addressCharacters);
    // Without a usable address it is the event service itself that knows the subscription, by the parameters.
    const url = (named === undefined ? undefined : serviceUrl(named, events, ip)) ?? events;
    const parameters = reference && findPath(reference, "ReferenceParameters");
    const blocks = (parameters?.children ?? []).slice(0, LIMITS.parameters).map(printParameter);
    const point = new PullPoint(caller, clock, url, blocks.join(""));
    point.#live(body);
    return point;
  }

  /** Asks the camera to say how everything stands. */
  async synchronize(): Promise<void> {
    await this.#call("tev", "SetSynchronizationPoint", ACTIONS.pull);
  }

  /** What has happened; waits for it. None where the camera answers without. */
  async pull(): Promise<readonly Notification[]> {
    const content = `<tev:Timeout>PT${HOLD_MS / SECOND}S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit>`;
    const { body } = await this.#call("tev", "PullMessages", ACTIONS.pull, content, HOLD_MS + PATIENCE_MS);
    this.#live(body);
    const now = this.#clock.now();
    return body.children
      .filter(({ name }) => name === "NotificationMessage")
      .slice(0, MOST_MESSAGES)
      .flatMap((element) => readNotification(element, now) ?? []);
  }

  /** Renews where it would end soon. A camera that cannot is left to prolong by itself, or to end it. */
  async keep(): Promise<void> {
    if (!this.#renewable || this.#clock.monotonic() < this.#renewAt) return;
    const content = `<wsnt:TerminationTime>PT${LIFE_MS / SECOND}S</wsnt:TerminationTime>`;
    try {
      const { body } = await this.#call("wsnt", "Renew", ACTIONS.manager, content);
      this.#live(body);
    } catch (error) {
      if (asFault(error).kind !== "invalid") throw error;
      this.#renewable = false;
    }
  }

  /** By another conversation, for this one may have ended. */
  async unsubscribe(caller: Caller): Promise<void> {
    await this.#call("wsnt", "Unsubscribe", ACTIONS.manager, "", undefined, caller);
  }

  /** Reads how long it lives, by the camera's own clock alone. */
  #live(body: XmlElement): void {
    const [now, end] = ["CurrentTime", "TerminationTime"].map((name) =>
      dateTime.parse(findPath(body, name)?.text.trim() ?? ""),
    );
    const told = now === undefined || end === undefined ? 0 : end - now;
    const lifeMs: Millis = told > 0 ? told : ASSUMED_LIFE_MS;
    this.#renewAt = (this.#clock.monotonic() + Math.max(lifeMs - RENEW_BEFORE_MS, 0)) as MonotonicMillis;
  }

  #call(
    prefix: Prefix,
    operation: string,
    actions: string,
    content = "",
    timeoutMs?: Millis,
    caller = this.#caller,
  ): Promise<Answer> {
    return caller.call({
      url: this.#url,
      prefix,
      operation,
      content,
      header: addressing(`${actions}/${operation}Request`, this.#url.href) + this.#reference,
      actions,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }
}

/** WS-Addressing 1.0, which ONVIF Core 9 wants of requests about events. */
function addressing(action: string, to: string): string {
  const ns = ` xmlns:wsa="${NAMESPACES.wsa}"`;
  return `<wsa:Action${ns}>${escapeXml(action)}</wsa:Action><wsa:To${ns}>${escapeXml(to)}</wsa:To>`;
}

/** A reference parameter as a header block (WS-Addressing 1.0 SOAP binding 3.3): its name and text; none has more. */
function printParameter({ ns, name, text }: XmlElement): string {
  const value = escapeXml(text.trim().slice(0, LIMITS.addressCharacters));
  return `<p:${name} xmlns:p="${escapeXml(ns)}" xmlns:wsa="${NAMESPACES.wsa}" wsa:IsReferenceParameter="true">${value}</p:${name}>`;
}
