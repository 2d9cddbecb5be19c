import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { asFault, Fault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import { MINUTE, SECOND } from "../../../base/units.ts";
import { httpRequest } from "../../../net/http-request.ts";
import type { Dialing } from "../../../net/sides.ts";
import { printEnvelope } from "../../../wsdl/envelope.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import { escapeXml } from "../../../wsdl/xml.ts";
import type { BridgeEvent } from "../../event-bus.ts";
import type { Consumer } from "./consumer.ts";
import type { Subscription } from "./subscription.ts";

const LIMITS = {
  /** Messages of one Notify. */
  messages: 100,
  /** For one Notify and its answer, from the dialing on. */
  requestMs: 10 * SECOND,
  /** Of the answer, which says nothing that is used. */
  answerBytes: 16 * 1024,
  /** Between two of one subscription: what happens meanwhile goes together. */
  pauseMs: SECOND / 10,
  /** After each failure in a row; at the next one the subscriber is given up. A restart of its machine passes in between. */
  waitsMs: [1, 5, 15, 30, 60].map((seconds) => seconds * SECOND),
  /** How long it waits at a time for something to happen. */
  idleMs: 10 * MINUTE,
} as const;

const ACTION = "http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify";

export interface NotifierOptions {
  readonly subscription: Subscription;
  readonly consumer: Consumer;
  /** The subscription's own address. */
  readonly reference: string;
  readonly side: Dialing;
  /** Certificates (PEM) of the authority of consumers; this machine's authorities if absent. */
  readonly ca: string | undefined;
  readonly answered: (outcome: "ok" | "failed") => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends the messages of one subscription to its consumer (WS-BaseNotification 1.3, 3.2) until the subscription ends: one Notify at a
 * time, oldest message first. What fails is sent again, and so may arrive twice. Rejects with the last Fault when a
 * consumer has failed six times in a row, which takes 111 s at least.
 */
export async function notify(o: NotifierOptions): Promise<void> {
  const { subscription, clock } = o;
  const { over } = subscription;
  while (!over.aborted) {
    await arrival(subscription);
    const events = subscription.take(LIMITS.messages);
    if (events.length === 0) continue;
    await deliver(o, events);
    await clock.sleep(LIMITS.pauseMs, over).catch(() => undefined);
  }
}

/** Until there is something to send, the subscription goes on after a pause, or it ends; no longer than `idleMs` at a time. */
function arrival(subscription: Subscription): Promise<void> {
  return subscription.arrival(LIMITS.idleMs, new AbortController().signal);
}

/** Until it is taken, or the subscription ends. */
async function deliver(o: NotifierOptions, events: readonly BridgeEvent[]): Promise<void> {
  const { over } = o.subscription;
  for (const waitMs of [...LIMITS.waitsMs, undefined]) {
    while (o.subscription.paused && !over.aborted) await arrival(o.subscription);
    // The right to a message may have ended since it was tried last.
    const told = events.filter((event) => o.subscription.mayKnow(event));
    if (told.length === 0 || over.aborted) return;
    const failure = await send(o, told);
    if (over.aborted) return;
    o.answered(failure === undefined ? "ok" : "failed");
    if (failure === undefined) return;
    if (waitMs === undefined) throw failure;
    o.log.info({ err: failure, consumer: o.consumer.address, waitMs }, "a notification was not taken");
    await o.clock.sleep(waitMs, over).catch(() => undefined);
  }
}

async function send(o: NotifierOptions, events: readonly BridgeEvent[]): Promise<Fault | undefined> {
  const { consumer, side, ca, clock, subscription } = o;
  const { url, host, name, address } = consumer;
  try {
    const { status } = await httpRequest({
      url,
      method: "POST",
      headers: { Host: host, "Content-Type": `application/soap+xml; charset=utf-8; action="${ACTION}"` },
      body: printNotify(address, o.reference, events),
      maxBytes: LIMITS.answerBytes,
      timeoutMs: LIMITS.requestMs,
      side,
      clock,
      signal: subscription.over,
      ...(url.protocol === "https:" ? { tls: { name, ...(ca === undefined ? {} : { ca }) } } : {}),
    });
    return status >= 200 && status < 300 ? undefined : new Fault("unavailable", `${host} answers ${status}`);
  } catch (thrown) {
    return asFault(thrown);
  }
}

function printNotify(to: string, reference: string, events: readonly BridgeEvent[]): string {
  const from = `<wsnt:SubscriptionReference><wsa:Address>${escapeXml(reference)}</wsa:Address></wsnt:SubscriptionReference>`;
  const messages = events.map(({ xml }) => `<wsnt:NotificationMessage>${from}${xml}</wsnt:NotificationMessage>`);
  const { wsa, wsnt, tt, tns1 } = NAMESPACES;
  return printEnvelope({
    header:
      `<wsa:To>${escapeXml(to)}</wsa:To><wsa:Action>${ACTION}</wsa:Action>` +
      `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>`,
    body: `<wsnt:Notify>${messages.join("")}</wsnt:Notify>`,
    namespaces: { wsa, wsnt, tt, tns1 },
  });
}
