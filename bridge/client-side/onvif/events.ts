import type { Clock } from "../../../base/clock.ts";
import { isoOf, later, MINUTE, type Millis, SECOND } from "../../../base/units.ts";
import { addressOf } from "../../../onvif/server/base.ts";
import { ITEM_FILTER } from "../../../onvif/server/item-filter.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { TOPIC_DIALECTS } from "../../../onvif/server/topic-filter.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import type { Xml } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { duration } from "../../../wsdl/simple.ts";
import { EVENTS, PULL_POINT } from "../../../wsdl/tables/tev.ts";
import { NOTIFICATION_PRODUCER, SUBSCRIPTION_MANAGER, type Termination } from "../../../wsdl/tables/wsnt.ts";
import type { EventBus } from "../../event-bus.ts";
import { eventFault } from "./event-faults.ts";
import { readEventFilter } from "./event-filter.ts";
import { topicSet } from "./event-topics.ts";
import { mayKnow, LIMITS as SUBSCRIPTIONS, type Subscriptions } from "./subscriptions.ts";

const LIMITS = {
  /** How long a subscription lives that nobody uses. One without a wish lives for the shortest time. */
  lifeMs: { least: MINUTE, most: 60 * MINUTE },
  /** How long a request for messages may wait (ONVIF Core 9.2.2: a minute at least). */
  waitMs: 5 * MINUTE,
  /** Messages of one answer. */
  messages: 100,
} as const;

/** Where subscriptions are, each by its own name below. */
const SUBSCRIPTION_PATH = "subscription/";

export const EVENT_CAPABILITIES: ResponseOf<(typeof EVENTS)["operations"]["GetServiceCapabilities"]>["Capabilities"] = {
  WSSubscriptionPolicySupport: false,
  WSPausableSubscriptionManagerInterfaceSupport: false,
  MaxNotificationProducers: 0,
  MaxPullPoints: SUBSCRIPTIONS.ofAccount,
  PersistentNotificationStorage: false,
  MaxEventBrokers: 0,
  MetadataOverMQTT: false,
};

/** What happens, to be told to clients that ask for it (ONVIF Core 9). The first service is the one that is announced. */
export function eventServices(o: {
  readonly bus: EventBus;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}): readonly [events: Service, ...others: Service[]] {
  const { bus, subscriptions, clock } = o;
  const events = serve("event_service", EVENTS, {
    GetServiceCapabilities: () => ({ Capabilities: EVENT_CAPABILITIES }),
    GetEventProperties: (_, { who }) => ({
      TopicNamespaceLocation: ["http://www.onvif.org/onvif/ver10/topics/topicns.xml"],
      FixedTopicSet: false,
      TopicSet: topicSet(
        bus
          .properties()
          .filter((event) => mayKnow(who, event))
          .map(({ notification }) => notification),
      ),
      TopicExpressionDialect: TOPIC_DIALECTS,
      MessageContentFilterDialect: [ITEM_FILTER],
      MessageContentSchemaLocation: ["http://www.onvif.org/onvif/ver10/schema/onvif.xsd"],
    }),
    CreatePullPointSubscription({ Filter, InitialTerminationTime, SubscriptionPolicy }, { who, base }) {
      const subscription = subscriptions.open({
        who,
        filter: readEventFilter(Filter?.element, clock),
        changedOnly: changedOnly(SubscriptionPolicy, clock),
        lifeMs: lifeOf(InitialTerminationTime, clock, "UnacceptableInitialTerminationTimeFault"),
      });
      return {
        SubscriptionReference: { Address: addressOf(base, SUBSCRIPTION_PATH + subscription.token) },
        CurrentTime: clock.now(),
        TerminationTime: subscription.endsAt,
      };
    },
  });
  const pullPoint = serve(SUBSCRIPTION_PATH, PULL_POINT, {
    async PullMessages({ Timeout, MessageLimit }, { who, resource, gone }) {
      if (Timeout > LIMITS.waitMs) throw tooLong();
      const subscription = subscriptions.find(who, resource);
      if (subscription.waiting)
        throw eventFault(clock, "UnableToGetMessagesFault", "Another request waits for messages already");
      subscription.prolong(Timeout + LIMITS.lifeMs.least);
      await subscription.arrival(Timeout, gone);
      if (subscription.ended) subscriptions.find(who, resource);
      // What nobody receives stays for the next request.
      const most = gone.aborted ? 0 : Math.min(Math.max(MessageLimit, 1), LIMITS.messages);
      return {
        CurrentTime: clock.now(),
        TerminationTime: subscription.endsAt,
        NotificationMessage: subscription.take(most).map(({ xml }) => ({ xml, prefixes: MESSAGE_PREFIXES })),
      };
    },
    SetSynchronizationPoint(_, { who, resource }) {
      subscriptions.synchronize(subscriptions.find(who, resource));
      return {};
    },
  });
  const manager = serve(SUBSCRIPTION_PATH, SUBSCRIPTION_MANAGER, {
    Renew({ TerminationTime }, { who, resource }) {
      const subscription = subscriptions.find(who, resource);
      subscription.liveFor(lifeOf(TerminationTime, clock, "UnacceptableTerminationTimeFault"));
      return { TerminationTime: subscription.endsAt, CurrentTime: clock.now() };
    },
    Unsubscribe(_, { who, resource }) {
      subscriptions.end(subscriptions.find(who, resource));
      return {};
    },
  });
  return [events, serve("event_service", NOTIFICATION_PRODUCER, {}), pullPoint, manager];
}

const MESSAGE_PREFIXES = new Set(["wsnt", "tt", "tns1"] as const);

/** A time that is too short is made longer (WS-BaseNotification 1.3, 4.1 allows it); one that is too long is refused. */
function lifeOf(
  wished: Termination | undefined,
  clock: Clock,
  fault: "UnacceptableInitialTerminationTimeFault" | "UnacceptableTerminationTimeFault",
): Millis {
  const { least, most } = LIMITS.lifeMs;
  if (wished === undefined) return least;
  if (wished === "latest") return most;
  const now = clock.now();
  const ms = "at" in wished ? wished.at - now : wished.afterMs;
  if (ms > 0 && ms <= most) return Math.max(ms, least);
  const [earliest, latest] = [later(now, SECOND), later(now, most)].map(isoOf);
  const bounds = `<wsnt:MinimumTime>${earliest}</wsnt:MinimumTime><wsnt:MaximumTime>${latest}</wsnt:MaximumTime>`;
  throw eventFault(clock, fault, `A subscription ends in the future, at most ${duration.print(most)} from now`, bounds);
}

/** ONVIF Core 9.2.2. */
function tooLong(): SoapFault {
  const xml =
    `<tev:PullMessagesFaultResponse><tev:MaxTimeout>${duration.print(LIMITS.waitMs)}</tev:MaxTimeout>` +
    `<tev:MaxMessageLimit>${LIMITS.messages}</tev:MaxMessageLimit></tev:PullMessagesFaultResponse>`;
  const detail = { xml, prefixes: new Set(["tev"] as const) };
  const tell = `A request waits at most ${duration.print(LIMITS.waitMs)}`;
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "PullMessagesFault"], tell, { detail });
}

function changedOnly(policy: Xml | undefined, clock: Clock): boolean {
  const wishes = policy?.element?.children ?? [];
  if (!wishes.every(({ ns, name }) => ns === NAMESPACES.tev && name === "ChangedOnly"))
    throw eventFault(clock, "UnsupportedPolicyRequestFault", "The only policy is tev:ChangedOnly");
  return wishes.length > 0;
}
