import { demand } from "../../auth/access.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Clock } from "../../base/clock.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Millis } from "../../base/units.ts";
import { DEVICE, NETWORK_VIDEO_TRANSMITTER } from "../../discovery/message.ts";
import type { DiscoveredDevice } from "../../discovery/server/hello.ts";
import type { HttpAuthentication, UsernameTokenAuthentication } from "../../onvif/server/authenticate.ts";
import { OnvifServer, type OnvifServerOptions } from "../../onvif/server/dispatch.ts";
import type { DeviceScopes } from "../device-scopes.ts";
import type { EventBus } from "../event-bus.ts";
import type { MadeProfiles } from "../made-profiles.ts";
import type { Addresses } from "./addresses.ts";
import type { HttpPart } from "./front-door.ts";
import type { MulticastPlan } from "./multicast-plan.ts";
import { bridgeSite, type RecordingSwitch } from "./onvif/bridge-site.ts";
import type { OwnDoor } from "./onvif/camera-device.ts";
import { CameraDevices, type ShownDevices } from "./onvif/camera-devices.ts";
import type { ConsumerOptions } from "./onvif/notifications.ts";
import type { OnvifProfile } from "./onvif/profile-scopes.ts";
import { deviceScopes } from "./onvif/scopes.ts";
import { SearchSessions } from "./onvif/search-sessions.ts";
import { onvifServices } from "./onvif/services.ts";
import type { EventHistory } from "./onvif/site.ts";
import { Subscriptions } from "./onvif/subscriptions.ts";
import type { OnvifUsers } from "./onvif/users.ts";
import type { PtzHolders } from "./ptz-holders.ts";
import { Snapshots } from "./snapshots.ts";
import type { Watch } from "./watch.ts";

/** A device for each camera. */
export interface CameraDeviceSettings {
  /** Discovery tells of them. */
  readonly discoverable: boolean;
  readonly own: readonly OwnDoor[];
  /** By account name in lower case; both where an account is not named. */
  readonly shown: ReadonlyMap<string, ShownDevices>;
}

/** ONVIF on the client side: its services below `/onvif/`, and what discovery says of them. */
export interface OnvifPart extends HttpPart, Closable {
  /** The device of one camera, for an address or port of its own. */
  cameraDoor(camera: string): HttpPart;
  /** What discovery answers clients that reach us at `local`, the device of all cameras first. */
  devices(local: string): readonly DiscoveredDevice[];
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
  /** Profiles that are announced besides those that are full. */
  readonly profileScopes: readonly OnvifProfile[];
  /** Accounts as ONVIF's users, and what its levels stand for; absent: there are none. */
  readonly users?: Pick<OnvifUsers, "accounts" | "approvals" | "levels"> | undefined;
  /** Scopes of the device of all cameras that clients have set. */
  readonly scopes: DeviceScopes;
  readonly multicast: MulticastPlan | undefined;
  readonly srtp: boolean;
  readonly ptzHolders: PtzHolders;
  /** To whom events are sent that subscribes to them; absent: to nobody. */
  readonly consumers?: ConsumerOptions | undefined;
  /** A device for each camera besides; absent: there are none. */
  readonly cameraDevices?: CameraDeviceSettings | undefined;
  /** Told of each request that was refused. */
  readonly refused?: OnvifServerOptions["refused"];
  /** How long recordings are kept. */
  readonly retentionMs: Millis;
  readonly recordings: RecordingSwitch;
  readonly history: EventHistory;
  /** Media profiles that clients have made. */
  readonly profiles: MadeProfiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly audit: Audit;
}): OnvifPart {
  const { clock, metrics, audit, authenticator, usernameTokens } = o;
  const site = bridgeSite({ ...o, users: o.users && { ...o.users, audit } });
  const subscriptions = new Subscriptions(o.bus, clock);
  const sent = metrics.counter("viaduct_onvif_notifications_total", "Notify requests to subscribers", ["outcome"]);
  const notifications = o.consumers && {
    ...o.consumers,
    audit,
    log: o.log.child({ part: "notifications" }),
    answered: (outcome: "ok" | "failed") => sent.inc({ outcome }),
  };
  const common = { bus: o.bus, subscriptions, searches: new SearchSessions(clock), notifications, clock };
  const { cameraDevices: settings } = o;
  const cameraDevices =
    settings &&
    new CameraDevices({
      site,
      cameras: () => o.watch.all().map(({ info }) => info),
      own: settings.own,
      shown: settings.shown,
      services: (of, camera) => onvifServices({ ...common, site: of, camera }),
    });
  const server = new OnvifServer({
    services: onvifServices({ ...common, site }),
    ...(cameraDevices === undefined
      ? {}
      : {
          cameraServices: (camera) => cameraDevices.services(camera),
          admit: (who, camera) => cameraDevices.admit(who, camera),
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
  const types = [NETWORK_VIDEO_TRANSMITTER, DEVICE];
  const doorOf = (camera?: string): HttpPart => ({
    handle: (request, response) =>
      snapshots.takes(request) ? snapshots.handle(request, response) : server.handle(request, response, camera),
  });
  return {
    ...doorOf(),
    cameraDoor: doorOf,
    close() {
      subscriptions.close();
    },
    devices: (local) => [
      {
        endpoint: `urn:uuid:${o.uuid}`,
        types,
        scopes: deviceScopes(site),
        xaddrs: o.addresses().onvifAll(local),
      },
      ...(settings?.discoverable === true ? (cameraDevices?.list() ?? []) : []).map(
        ({ camera, uuid, scopes, own }) => ({
          endpoint: `urn:uuid:${uuid}`,
          types,
          scopes,
          xaddrs: o.addresses().onvifAll(local, { camera, own }),
        }),
      ),
    ],
  };
}
