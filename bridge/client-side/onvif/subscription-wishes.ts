import type { Clock } from "../../../base/clock.ts";
import { isoOf, later, MINUTE, type Millis, SECOND } from "../../../base/units.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import type { Xml } from "../../../wsdl/schema.ts";
import { duration } from "../../../wsdl/simple.ts";
import type { Termination } from "../../../wsdl/tables/wsnt.ts";
import { eventFault } from "./event-faults.ts";

/** How long a subscription lives that nobody uses or renews; `usual`: where nobody wished anything, and after each use. */
export const LIFE_MS = { least: 10 * SECOND, usual: MINUTE, most: 60 * MINUTE } as const;

/** A time that is too short is made longer (WS-BaseNotification 1.3, 4.1 allows it); one that is too long is refused. */
export function lifeOf(
  wished: Termination,
  clock: Clock,
  fault: "UnacceptableInitialTerminationTimeFault" | "UnacceptableTerminationTimeFault",
): Millis {
  const { least, most } = LIFE_MS;
  if (wished === "latest") return most;
  const now = clock.now();
  const ms = "at" in wished ? wished.at - now : wished.afterMs;
  if (ms > 0 && ms <= most) return Math.max(ms, least);
  const [earliest, latest] = [later(now, SECOND), later(now, most)].map(isoOf);
  const bounds = `<wsnt:MinimumTime>${earliest}</wsnt:MinimumTime><wsnt:MaximumTime>${latest}</wsnt:MaximumTime>`;
  throw eventFault(clock, fault, `A subscription ends in the future, at most ${duration.print(most)} from now`, bounds);
}

/** Reads a `SubscriptionPolicy`: whether neither `Initialized` nor `Deleted` is wanted. */
export function changedOnly(policy: Xml | undefined, clock: Clock): boolean {
  const wishes = policy?.element?.children ?? [];
  if (!wishes.every(({ ns, name }) => ns === NAMESPACES.tev && name === "ChangedOnly"))
    throw eventFault(clock, "UnsupportedPolicyRequestFault", "The only policy is tev:ChangedOnly");
  return wishes.length > 0;
}
