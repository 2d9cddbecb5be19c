import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { MINUTE, type Millis } from "../../../base/units.ts";
import { ITEM_FILTER } from "../../../onvif/server/item-filter.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { TOPIC_DIALECTS } from "../../../onvif/server/topic-filter.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { duration } from "../../../wsdl/simple.ts";
import { EVENTS, PULL_POINT } from "../../../wsdl/tables/tev.ts";
import { SUBSCRIPTION_MANAGER } from "../../../wsdl/tables/wsnt.ts";
import type { EventBus } from "../../event-bus.ts";
import { eventFault } from "./event-faults.ts";
import { readEventFilter } from "./event-filter.ts";
import { topicSet } from "./event-topics.ts";
import {
  MESSAGE_PREFIXES,
  type NotificationOptions,
  notificationServices,
  SUBSCRIPTION_PATH,
  subscriptionAddress,
} from "./notifications.ts";
import { PastEvents } from "./past-events.ts";
import type { OnvifSite } from "./site.ts";
import { changedOnly, LIFE_MS, lifeOf } from "./subscription-wishes.ts";
import { mayKnow, LIMITS as SUBSCRIPTIONS, type Subscriptions } from "./subscriptions.ts";

const LIMITS = {
  /** How long a request for messages may wait (ONVIF Core 9.2.2: a minute at least). */
  waitMs: 5 * MINUTE,
  /** Messages of one answer. */
  messages: 100,
} as const;

export type EventCapabilities = ResponseOf<(typeof EVENTS)["operations"]["GetServiceCapabilities"]>["Capabilities"];

/** `sends`: events are sent to clients that subscribe to them. */
export function eventCapabilities(sends: boolean): EventCapabilities {
  return {
    WSSubscriptionPolicySupport: false,
    WSPausableSubscriptionManagerInterfaceSupport: sends,
    MaxNotificationProducers: sends ? SUBSCRIPTIONS.sentOfAccount : 0,
    MaxPullPoints: SUBSCRIPTIONS.ofAccount,
    PersistentNotificationStorage: true,
    MaxEventBrokers: 0,
    MetadataOverMQTT: false,
  };
}

/** What happens, to be told to clients that ask for it (ONVIF Core 9). The first service is the one that is announced. */
export function eventServices(o: {
  readonly site: OnvifSite;
  readonly bus: EventBus;
  readonly subscriptions: Subscriptions;
  /** Absent: events are fetched, and sent to nobody. */
  readonly notifications: NotificationOptions | undefined;
  /** Of this camera alone; of all, and of the bridge, if absent. */
  readonly camera: string | undefined;
  readonly clock: Clock;
}): readonly [events: Service, ...others: Service[]] {
  const { site, bus, subscriptions, camera, clock } = o;
  const capabilities = eventCapabilities(o.notifications !== undefined);
  const events = serve("event_service", EVENTS, {
    GetServiceCapabilities: () => ({ Capabilities: capabilities }),
    GetEventProperties: (_, { who }) => ({
      TopicNamespaceLocation: ["http://www.onvif.org/onvif/ver10/topics/topicns.xml"],
      FixedTopicSet: false,
      TopicSet: topicSet(
        bus
          .properties(camera)
          .filter((event) => mayKnow(who, event))
          .map(({ notification }) => notification),
      ),
      TopicExpressionDialect: TOPIC_DIALECTS,
      MessageContentFilterDialect: [ITEM_FILTER],
      MessageContentSchemaLocation: ["http://www.onvif.org/onvif/ver10/schema/onvif.xsd"],
    }),
    CreatePullPointSubscription({ Filter, InitialTerminationTime, SubscriptionPolicy }, { who, base }) {
      const now = clock.now();
      const subscription = subscriptions.open({
        who,
        camera,
        filter: readEventFilter(Filter?.element, clock),
        changedOnly: changedOnly(SubscriptionPolicy, clock),
        // It is prolonged by being used.
        lifeMs:
          InitialTerminationTime === undefined
            ? LIFE_MS.usual
            : lifeOf(InitialTerminationTime, clock, "UnacceptableInitialTerminationTimeFault"),
      });
      return {
        SubscriptionReference: { Address: subscriptionAddress(base, subscription) },
        CurrentTime: now,
        TerminationTime: subscription.endsAt,
      };
    },
  });
  const pullPoint = serve(SUBSCRIPTION_PATH, PULL_POINT, {
    async PullMessages({ Timeout, MessageLimit }, { who, resource, gone }) {
      if (Timeout > LIMITS.waitMs) throw tooLong();
      const subscription = subscriptions.find(who, resource);
      if (subscription.sent) throw eventFault(clock, "UnableToGetMessagesFault", "The messages of this one are sent");
      if (subscription.waiting)
        throw eventFault(clock, "UnableToGetMessagesFault", "Another request waits for messages already");
      subscription.prolong(Timeout + LIFE_MS.usual);
      await subscription.arrival(Timeout, gone);
      if (subscription.over.aborted) subscriptions.find(who, resource);
      // What nobody receives stays for the next request.
      const most = gone.aborted ? 0 : Math.min(Math.max(MessageLimit, 1), LIMITS.messages);
      return {
        CurrentTime: clock.now(),
        TerminationTime: subscription.endsAt,
        NotificationMessage: subscription.take(most).map(({ xml }) => ({ xml, prefixes: MESSAGE_PREFIXES })),
      };
    },
    async Seek({ UtcTime, Reverse }, { who, resource }) {
      const subscription = subscriptions.find(who, resource);
      if (subscription.sent) throw eventFault(clock, "UnableToGetMessagesFault", "The messages of this one are sent");
      // In one go: what is told from now on is not of the past.
      await subscription.seek(
        site.history.newest(),
        (newest) =>
          new PastEvents({
            history: site.history,
            newest,
            at: UtcTime,
            reverse: Reverse === true,
            filter: subscription.wants,
            // As what is told live: by the log-in that made the subscription, with which it ends.
            reach: () => reachOf(site, subscription.who, subscription.camera),
            clock,
          }),
      );
      return {};
    },
    SetSynchronizationPoint(_, { who, resource }) {
      subscriptions.synchronize(subscriptions.find(who, resource));
      return {};
    },
  });
  const manager = serve(SUBSCRIPTION_PATH, SUBSCRIPTION_MANAGER, {
    Renew({ TerminationTime }, { who, resource }) {
      const now = clock.now();
      const subscription = subscriptions.find(who, resource);
      subscription.liveFor(lifeOf(TerminationTime, clock, "UnacceptableTerminationTimeFault"));
      return { TerminationTime: subscription.endsAt, CurrentTime: now };
    },
    Unsubscribe(_, { who, resource }) {
      subscriptions.end(subscriptions.find(who, resource));
      return {};
    },
  });
  return [
    events,
    pullPoint,
    manager,
    ...notificationServices({ subscriptions, clock, sending: o.notifications, camera }),
  ];
}

/** The cameras whose events `who` may be told at this moment, each with how old they may be; of one alone where it is named. */
function reachOf(site: OnvifSite, who: Principal, camera: string | undefined): ReadonlyMap<string, Millis> {
  const ids = site.cameras(who).map(({ id }) => id);
  return new Map(
    ids
      .filter((id) => camera === undefined || id === camera)
      .map((id) => [id, site.eventsReachMs(who, id)] as const)
      .filter(([, ms]) => ms > 0),
  );
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
