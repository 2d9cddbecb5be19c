import type { Audit } from "../../../auth/audit.ts";
import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { asFault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import { addressOf, type Base } from "../../../onvif/server/base.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { unserved } from "../../../wsdl/service.ts";
import { NOTIFICATION_PRODUCER, PAUSABLE_SUBSCRIPTION_MANAGER } from "../../../wsdl/tables/wsnt.ts";
import { type Consumer, type ConsumerRules, findConsumer } from "./consumer.ts";
import { eventFault } from "./event-faults.ts";
import { readEventFilter } from "./event-filter.ts";
import { notify } from "./notifier.ts";
import type { Subscription } from "./subscription.ts";
import { changedOnly, lifeOf } from "./subscription-wishes.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Where subscriptions are, each by its own name below. */
export const SUBSCRIPTION_PATH = "subscription/";

/** Of the messages of a subscription, as they are printed. */
export const MESSAGE_PREFIXES = new Set(["wsnt", "tt", "tns1"] as const);

export function subscriptionAddress(base: Base, { token }: Subscription): string {
  return addressOf(base, SUBSCRIPTION_PATH + token);
}

/** To whom events may be sent, and how they are known. */
export interface ConsumerOptions extends ConsumerRules {
  /** Certificates (PEM) of the authority of consumers; this machine's authorities if absent. */
  readonly ca: string | undefined;
}

export interface NotificationOptions extends ConsumerOptions {
  readonly audit: Audit;
  readonly log: Log;
  /** Told of each request to a consumer. */
  readonly answered: (outcome: "ok" | "failed") => void;
}

/** Being sent what happens, instead of fetching it (WS-BaseNotification 1.3; ONVIF Core 9.1). Not supported where `sending` is absent. */
export function notificationServices(o: {
  readonly subscriptions: Subscriptions;
  readonly sending: NotificationOptions | undefined;
  /** Of this camera alone. */
  readonly camera: string | undefined;
  readonly clock: Clock;
}): readonly Service[] {
  const { subscriptions, sending, camera, clock } = o;
  if (sending === undefined)
    return [
      serve("event_service", unserved(NOTIFICATION_PRODUCER), {}),
      serve(SUBSCRIPTION_PATH, unserved(PAUSABLE_SUBSCRIPTION_MANAGER), {}),
    ];
  const begin = sender(sending, subscriptions, clock);
  const sentTo = (who: Principal, token: string, fault: "PauseFailedFault" | "ResumeFailedFault"): Subscription => {
    const subscription = subscriptions.find(who, token);
    if (subscription.sent) return subscription;
    throw eventFault(clock, fault, "Only what is sent can be paused; this is fetched");
  };
  const producer = serve("event_service", NOTIFICATION_PRODUCER, {
    async Subscribe(wish, { who, base, peer }) {
      const { ConsumerReference, Filter, InitialTerminationTime = "latest", SubscriptionPolicy } = wish;
      if ((ConsumerReference.ReferenceParameters?.element?.children.length ?? 0) > 0)
        throw eventFault(
          clock,
          "ConsumerRefused",
          "Reference parameters are not sent along: put what they say into the address",
        );
      const asked = {
        who,
        filter: readEventFilter(Filter?.element, clock),
        changedOnly: changedOnly(SubscriptionPolicy, clock),
        lifeMs: lifeOf(InitialTerminationTime, clock, "UnacceptableInitialTerminationTimeFault"),
      };
      const consumer = await findConsumer(ConsumerReference.Address, sending);
      if ("why" in consumer) {
        const { why } = consumer;
        sending.log.info({ address: peer.address, account: who.name, why }, "no events are sent to a consumer");
        throw eventFault(
          clock,
          "ConsumerRefused",
          "No events are sent to this address: see clientSide.notifications in the settings of the bridge",
        );
      }
      const now = clock.now();
      const subscription = subscriptions.open({ ...asked, camera, sent: true });
      const reference = subscriptionAddress(base, subscription);
      begin(subscription, consumer, reference, peer.address);
      return {
        SubscriptionReference: { Address: reference },
        CurrentTime: now,
        TerminationTime: subscription.endsAt,
      };
    },
  });
  const pausable = serve(SUBSCRIPTION_PATH, PAUSABLE_SUBSCRIPTION_MANAGER, {
    PauseSubscription(_, { who, resource }) {
      sentTo(who, resource, "PauseFailedFault").pause();
      return {};
    },
    ResumeSubscription(_, { who, resource }) {
      sentTo(who, resource, "ResumeFailedFault").resume();
      return {};
    },
  });
  return [producer, pausable];
}

/** Begins to send the messages of a subscription. Audited, and so is its end where the consumer does not take them. */
function sender(
  { audit, log, answered, side, ca }: NotificationOptions,
  subscriptions: Subscriptions,
  clock: Clock,
): (subscription: Subscription, consumer: Consumer, reference: string, address: string) => void {
  return (subscription, consumer, reference, address) => {
    const { who } = subscription;
    const to = consumer.address;
    const entry = { who: who.name, interface: "onvif", address } as const;
    audit.record({ ...entry, action: "subscribe", outcome: "allowed", why: `events are sent to ${to}` });
    notify({
      subscription,
      consumer,
      reference,
      side,
      ca,
      answered,
      clock,
      log,
    }).catch((thrown: unknown) => {
      const err = asFault(thrown);
      log.warn({ err, consumer: to, account: who.name }, "a subscriber is given up");
      const why = `${to} takes no events: ${err.message}`;
      audit.record({ ...entry, action: "end-subscribe", outcome: "failed", why });
      subscriptions.end(subscription);
    });
  };
}
