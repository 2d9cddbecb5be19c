import type { Clock } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import type { Notification } from "../../wsdl/notification.ts";
import { Caller, type CallerOptions } from "./caller.ts";
import { readServices } from "./camera.ts";
import { readClock } from "./clock.ts";
import { PullPoint } from "./pull-point.ts";

/** Between the beginnings of two requests: with a camera that answers at once without anything, and with others. */
const LEAST_MS = { empty: SECOND, full: 100 } as const;

/** A camera that says nothing for so long is asked how everything stands. */
const SILENT_MS = 10 * MINUTE;

/** To give back the slot at the end. */
const UNSUBSCRIBE_MS = 3 * SECOND;

export interface EventPullOptions extends CallerOptions {
  /** The camera's device service, at `ip`. */
  readonly device: URL;
  /** The only address that is dialed. */
  readonly ip: string;
  readonly clock: Clock;
  /** Ends the subscription. */
  readonly signal: AbortSignal;
  /** The camera has taken the subscription. What it says next is how everything stands. */
  readonly onSubscribed: () => void;
  readonly onNotification: (notification: Notification) => void;
}

/**
 * Subscribes to the events of one camera and fetches them, until that fails or `signal` ends it: always throws then. Whatever the
 * camera says that it can, it is tried: capabilities are wrong in both directions (scrypted onvif-api.ts; home-assistant/core#91089).
 * There is never more than one subscription, for some cameras have few slots, and some end all with one (home-assistant/core#92627).
 */
export async function pullEvents(o: EventPullOptions): Promise<never> {
  const { clock, device, ip, signal } = o;
  const caller = new Caller({ ...o, unending: true });
  const offset = await readClock(caller, { url: device, prefix: "tds", operation: "GetSystemDateAndTime" });
  caller.login.clockOffsetMs = offset ?? caller.login.clockOffsetMs;
  const { urls } = await readServices(caller, device, ip);
  const events = urls.get(NAMESPACES.tev) ?? device;
  const point = await PullPoint.create(caller, { events, ip, clock });
  try {
    o.onSubscribed();
    return await fetchAll(point, o);
  } finally {
    // The signal has ended the conversation; a slot that is not given back may stay taken for good (ZoneMinder 257ecafa4).
    const { signal: _, ...rest } = o;
    const last = new Caller({ ...rest, login: caller.login });
    const giveBack = point.unsubscribe(last).catch(() => undefined);
    if (signal.aborted) await Promise.race([giveBack, clock.sleep(UNSUBSCRIBE_MS)]);
    else await giveBack;
  }
}

async function fetchAll(point: PullPoint, o: EventPullOptions): Promise<never> {
  const { clock, signal } = o;
  let heardAt = clock.monotonic();
  let asked = await synchronized(point);
  /** Whether the camera has ever said how everything stands when it was asked. */
  let answers = false;
  for (;;) {
    const begunAt = clock.monotonic();
    const notifications = await point.pull();
    for (const notification of notifications) o.onNotification(notification);
    const now = clock.monotonic();
    if (notifications.length > 0) {
      heardAt = now;
      answers ||= asked;
    }
    // A restarted camera may take requests about a subscription that it does not have any more (home-assistant/core PR#37711).
    else if (asked && answers) throw new Fault("unavailable", "the camera has forgotten its subscription");
    asked = false;
    if (now - heardAt >= SILENT_MS) {
      heardAt = now;
      asked = await synchronized(point);
    }
    await point.keep();
    const least = notifications.length === 0 ? LEAST_MS.empty : LEAST_MS.full;
    const rest = begunAt + least - clock.monotonic();
    if (rest > 0) await clock.sleep(rest, signal);
  }
}

/** False where the camera cannot be asked. */
async function synchronized(point: PullPoint): Promise<boolean> {
  try {
    await point.synchronize();
    return true;
  } catch (error) {
    if (isFault(error, "invalid") || isFault(error, "denied")) return false;
    throw error;
  }
}
