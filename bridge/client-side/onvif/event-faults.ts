import type { Clock } from "../../../base/clock.ts";
import type { FaultKind } from "../../../base/fault.ts";
import { isoOf } from "../../../base/units.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { Prefix } from "../../../wsdl/namespaces.ts";

/** Faults of WS-BaseNotification 1.3 and WS-ResourceFramework, by the elements that say so in the fault's detail. */
const FAULTS = {
  ResourceUnknownFault: ["wsrfr", "not-found", "InvalidArgVal"],
  InvalidFilterFault: ["wsnt", "invalid", "InvalidArgVal"],
  TopicExpressionDialectUnknownFault: ["wsnt", "invalid", "InvalidArgVal"],
  InvalidTopicExpressionFault: ["wsnt", "invalid", "InvalidArgVal"],
  TopicNotSupportedFault: ["wsnt", "invalid", "InvalidArgVal"],
  InvalidMessageContentExpressionFault: ["wsnt", "invalid", "InvalidArgVal"],
  UnacceptableInitialTerminationTimeFault: ["wsnt", "invalid", "InvalidArgVal"],
  UnacceptableTerminationTimeFault: ["wsnt", "invalid", "InvalidArgVal"],
  UnsupportedPolicyRequestFault: ["wsnt", "invalid", "InvalidArgVal"],
  SubscribeCreationFailedFault: ["wsnt", "busy", "Action"],
  /** The same as an element; there is none for this. */
  ConsumerRefused: ["wsnt", "invalid", "InvalidArgVal"],
  UnableToGetMessagesFault: ["wsnt", "busy", "Action"],
  PauseFailedFault: ["wsnt", "invalid", "InvalidArgVal"],
  ResumeFailedFault: ["wsnt", "invalid", "InvalidArgVal"],
} as const satisfies Readonly<Record<string, readonly [Prefix, FaultKind, string]>>;

export type EventFault = keyof typeof FAULTS;

/** `inner`: what the fault's element holds besides the time. */
export function eventFault(clock: Clock, fault: EventFault, tell: string, inner = ""): SoapFault {
  const [prefix, kind, subcode] = FAULTS[fault];
  const element = fault === "ConsumerRefused" ? "SubscribeCreationFailedFault" : fault;
  const time = `<wsrfbf:Timestamp>${isoOf(clock.now())}</wsrfbf:Timestamp>`;
  const detail = {
    xml: `<${prefix}:${element}>${time}${inner}</${prefix}:${element}>`,
    prefixes: new Set<Prefix>([prefix, "wsrfbf"]),
  };
  return new SoapFault(kind, kind === "busy" ? "Receiver" : "Sender", [subcode, element], tell, { detail });
}
