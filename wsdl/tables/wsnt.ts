import type { Millis, UnixMillis } from "../../base/units.ts";
import { ANYTHING, OPEN, opt, type Simple, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { anyURI, dateTime, duration } from "../simple.ts";

/** When a subscription ends: at an instant, after a time, or, where the element is empty (`xsi:nil`), as late as can be. */
export type Termination = { readonly at: UnixMillis } | { readonly afterMs: Millis } | "latest";

export const AbsoluteOrRelativeTime: Simple<Termination> = {
  kind: "simple",
  name: "wsnt:AbsoluteOrRelativeTimeType",
  values: undefined,
  print: (of) => (of === "latest" ? "" : "at" in of ? dateTime.print(of.at) : duration.print(of.afterMs)),
  parse(given) {
    const text = given.trim();
    if (text === "") return "latest";
    const afterMs = duration.parse(text);
    if (afterMs !== undefined) return { afterMs };
    const at = dateTime.parse(text);
    return at === undefined ? undefined : { at };
  },
};

const Address = { ...anyURI, name: "wsa:AttributedURIType" };

/** Where somebody is to be reached; what it holds besides the address is not used. */
export const EndpointReference = type("wsa:EndpointReferenceType", { Address }, OPEN);

/** Where somebody is to be reached, with what would have to be sent along. */
export const ConsumerReference = type(
  "wsa:EndpointReferenceType",
  { Address, ReferenceParameters: opt(ANYTHING) },
  OPEN,
);

const PORTS = "http://docs.oasis-open.org/wsn/bw-2";

/** WS-BaseNotification 1.3, 4: being sent what happens. */
export const NOTIFICATION_PRODUCER = service(
  "wsnt",
  {
    Subscribe: operation(
      "READ_MEDIA",
      type(
        "wsnt:Subscribe",
        {
          ConsumerReference,
          Filter: opt(ANYTHING),
          InitialTerminationTime: opt(AbsoluteOrRelativeTime),
          SubscriptionPolicy: opt(ANYTHING),
        },
        OPEN,
      ),
      {
        SubscriptionReference: EndpointReference,
        CurrentTime: opt(dateTime),
        TerminationTime: opt(dateTime),
      },
    ),
  },
  { READ_MEDIA: "GetCurrentMessage CreatePullPoint GetMessages DestroyPullPoint Notify" },
  `${PORTS}/NotificationProducer`,
);

/** WS-BaseNotification 1.3, 6.1: what is done with a subscription, at its own address. */
export const SUBSCRIPTION_MANAGER = service(
  "wsnt",
  {
    Renew: operation("READ_MEDIA", type("wsnt:Renew", { TerminationTime: AbsoluteOrRelativeTime }, OPEN), {
      TerminationTime: dateTime,
      CurrentTime: opt(dateTime),
    }),
    Unsubscribe: operation("READ_MEDIA", type("wsnt:Unsubscribe", {}, OPEN), {}),
  },
  {},
  `${PORTS}/SubscriptionManager`,
);

/** WS-BaseNotification 1.3, 6.2: what is done besides with a subscription whose messages are sent. */
export const PAUSABLE_SUBSCRIPTION_MANAGER = service(
  "wsnt",
  {
    PauseSubscription: operation("READ_MEDIA", type("wsnt:PauseSubscription", {}, OPEN), {}),
    ResumeSubscription: operation("READ_MEDIA", type("wsnt:ResumeSubscription", {}, OPEN), {}),
  },
  {},
  `${PORTS}/PausableSubscriptionManager`,
);
