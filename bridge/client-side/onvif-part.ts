import { demand } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Clock } from "../../base/clock.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Millis } from "../../base/units.ts";
import { DEVICE, NETWORK_VIDEO_TRANSMITTER, type TypeName } from "../../discovery/message.ts";
import type { HttpAuthentication, UsernameTokenAuthentication } from "../../onvif/server/authenticate.ts";
import { OnvifServer, type OnvifServerOptions } from "../../onvif/server/dispatch.ts";
import type { EventBus } from "../event-bus.ts";
import type { Addresses } from "./addresses.ts";
import type { HttpPart } from "./front-door.ts";
import type { MulticastPlan } from "./multicast-plan.ts";
import { bridgeSite, type RecordingSwitch } from "./onvif/bridge-site.ts";
import { deviceScopes } from "./onvif/device.ts";
import type { ConsumerOptions } from "./onvif/notifications.ts";
import { onvifServices } from "./onvif/services.ts";
import { Subscriptions } from "./onvif/subscriptions.ts";
import { PtzHolders } from "./ptz-holders.ts";
import { Snapshots } from "./snapshots.ts";
import type { Watch } from "./watch.ts";

/** ONVIF on the client side: its services below `/onvif/`, and what discovery says of them. */
export interface OnvifPart extends HttpPart, Closable {
  readonly discoveryTypes: readonly TypeName[];
  scopes(): readonly string[];
  /** Addresses of the device service for clients that reach us at `local`. */
  deviceAddresses(addresses: Addresses, local: string): readonly string[];
}

export function onvifPart(o: {
  /** Names this installation for ever. Without `urn:uuid:`. */
  readonly uuid: string;
  readonly version: string;
  readonly watch: Watch;
  readonly bus: EventBus;
  readonly authenticator: HttpAuthentication;
  readonly usernameTokens: UsernameTokenAuthentication;
  /** Known once everything listens. */
  readonly addresses: () => Addresses;
  readonly clientAddresses: readonly string[];
  /** Host names by which clients may know this machine. */
  readonly clientNames: readonly string[];
  readonly discoverable: boolean;
  readonly multicast: MulticastPlan | undefined;
  readonly srtp: boolean;
  /** To whom events are sent that subscribes to them; absent: to nobody. */
  readonly consumers?: ConsumerOptions | undefined;
  /** Told of each request that was refused. */
  readonly refused?: OnvifServerOptions["refused"];
  /** How long recordings are kept. */
  readonly retentionMs: Millis;
  readonly recordings: RecordingSwitch;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly audit: Audit;
}): OnvifPart {
  const { clock, metrics, audit, authenticator, usernameTokens } = o;
  const ptzHolders = new PtzHolders(o);
  const site = bridgeSite({ ...o, ptzHolders });
  const subscriptions = new Subscriptions(o.bus, clock);
  const server = new OnvifServer({
    services: onvifServices({
      site,
      bus: o.bus,
      subscriptions,
      notifications: o.consumers && { ...o.consumers, audit, metrics, log: o.log.child({ part: "notifications" }) },
      clock,
    }),
    authenticator,
    usernameTokens,
    demand: (who, what) => demand(audit, who, what),
    ...(o.refused === undefined ? {} : { refused: o.refused }),
    publicHosts: o.clientNames.map((name) => name.toLowerCase()),
    clock,
    log: o.log.child({ part: "onvif" }),
    metrics,
  });
  const snapshots = new Snapshots({ watch: o.watch, authenticator, log: o.log.child({ part: "snapshots" }) });
  return {
    handle: (request, response) =>
      snapshots.takes(request) ? snapshots.handle(request, response) : server.handle(request, response),
    discoveryTypes: [NETWORK_VIDEO_TRANSMITTER, DEVICE],
    close() {
      ptzHolders.close();
      subscriptions.close();
    },
    scopes: () => deviceScopes(site),
    // Plain HTTP, which is switched on for clients that know nothing else, stands first: these take the first address.
    deviceAddresses: (addresses, local) => [...new Set([addresses.onvif(local, false), addresses.onvif(local, true)])],
  };
}
