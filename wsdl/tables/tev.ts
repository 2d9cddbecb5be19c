import { ANYTHING, from, many, OPEN, opt, optAttr, some, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { anyURI, boolean, dateTime, duration, int } from "../simple.ts";
import { PRINTED_NOTIFICATION } from "./tt-event.ts";
import { AbsoluteOrRelativeTime, EndpointReference } from "./wsnt.ts";

export const Capabilities = type("tev:Capabilities", {
  WSSubscriptionPolicySupport: optAttr(boolean),
  WSPausableSubscriptionManagerInterfaceSupport: optAttr(boolean),
  MaxNotificationProducers: optAttr(int),
  MaxPullPoints: optAttr(int),
  PersistentNotificationStorage: optAttr(boolean),
  MaxEventBrokers: optAttr(int),
  MetadataOverMQTT: optAttr(boolean),
});

const PORTS = "http://www.onvif.org/ver10/events/wsdl";

/** The event service: what can happen, and how to be told of it (ONVIF Core 9). */
export const EVENTS = service(
  "tev",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetEventProperties: operation(
      "READ_MEDIA",
      {},
      {
        TopicNamespaceLocation: some(anyURI),
        FixedTopicSet: from("wsnt", boolean),
        TopicSet: from("wstop", ANYTHING),
        TopicExpressionDialect: from("wsnt", some(anyURI)),
        MessageContentFilterDialect: some(anyURI),
        MessageContentSchemaLocation: some(anyURI),
      },
    ),
    CreatePullPointSubscription: operation(
      "READ_MEDIA",
      type(
        "tev:CreatePullPointSubscription",
        {
          Filter: opt(ANYTHING),
          InitialTerminationTime: opt(AbsoluteOrRelativeTime),
          SubscriptionPolicy: opt(ANYTHING),
        },
        OPEN,
      ),
      {
        SubscriptionReference: EndpointReference,
        CurrentTime: from("wsnt", dateTime),
        TerminationTime: from("wsnt", dateTime),
      },
    ),
  },
  {
    READ_MEDIA: "PullMessages Seek SetSynchronizationPoint GetEventBrokers",
    WRITE_SYSTEM: "AddEventBroker DeleteEventBroker",
  },
  `${PORTS}/EventPortType`,
);

/** What a pull point answers, each at an address of its own. */
export const PULL_POINT = service(
  "tev",
  {
    PullMessages: operation("READ_MEDIA", type("tev:PullMessages", { Timeout: duration, MessageLimit: int }, OPEN), {
      CurrentTime: dateTime,
      TerminationTime: dateTime,
      NotificationMessage: from("wsnt", many(PRINTED_NOTIFICATION)),
    }),
    Seek: operation("READ_MEDIA", type("tev:Seek", { UtcTime: dateTime, Reverse: opt(boolean) }, OPEN), {}),
    SetSynchronizationPoint: operation("READ_MEDIA", {}, {}),
  },
  {},
  `${PORTS}/PullPointSubscription`,
);
