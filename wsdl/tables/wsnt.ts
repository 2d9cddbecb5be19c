import type { Millis, UnixMillis } from "../../base/units.ts";
import { OPEN, opt, type Simple, type } from "../schema.ts";
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

/** Where somebody is to be reached; what it holds besides the address is not used. */
export const EndpointReference = type(
  "wsa:EndpointReferenceType",
  { Address: { ...anyURI, name: "wsa:AttributedURIType" } },
  OPEN,
);

/** WS-BaseNotification 1.3, 4: being sent what happens. None of it is served. */
export const NOTIFICATION_PRODUCER = service(
  "wsnt",
  {},
  { READ_MEDIA: "Subscribe GetCurrentMessage CreatePullPoint GetMessages DestroyPullPoint Notify" },
  "http://docs.oasis-open.org/wsn/bw-2/NotificationProducer",
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
  { READ_MEDIA: "PauseSubscription ResumeSubscription" },
  "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager",
);
