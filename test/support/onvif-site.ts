import { type IncomingHttpHeaders, request } from "node:http";
import { type RequestOptions, request as tlsRequest } from "node:https";
import { Accounts } from "../../auth/accounts.ts";
import { nobodyElse, type SecondPerson } from "../../auth/approval.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import type { Grant } from "../../auth/principal.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { HttpAuthenticator } from "../../auth/scheme/http.ts";
import { UsernameTokenVerifier } from "../../auth/scheme/usernametoken.ts";
import { Throttle } from "../../auth/throttle.ts";
import type { Clock } from "../../base/clock.ts";
import { openDatabase } from "../../base/database.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Sealer } from "../../base/seal.ts";
import { DAY, unixMillis } from "../../base/units.ts";
import type { CameraDirectory } from "../../bridge/camera.ts";
import type { CameraControl } from "../../bridge/camera-control.ts";
import { Addresses } from "../../bridge/client-side/addresses.ts";
import { FrontDoor } from "../../bridge/client-side/front-door.ts";
import type { MulticastPlan } from "../../bridge/client-side/multicast-plan.ts";
import type { ConsumerOptions } from "../../bridge/client-side/onvif/notifications.ts";
import type { OnvifProfile } from "../../bridge/client-side/onvif/profile-scopes.ts";
import type { UserLevel } from "../../bridge/client-side/onvif/users.ts";
import { type CameraDeviceSettings, type OnvifPart, onvifPart } from "../../bridge/client-side/onvif-part.ts";
import { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import { Watch } from "../../bridge/client-side/watch.ts";
import { DeviceScopes } from "../../bridge/device-scopes.ts";
import { EventBus } from "../../bridge/event-bus.ts";
import { EventKeeper } from "../../bridge/event-keeper.ts";
import { MadeProfiles } from "../../bridge/made-profiles.ts";
import { OwnEvents } from "../../bridge/own-events.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";
import type { Identity } from "../../net/tls.ts";
import { Journal } from "../../recorder/journal.ts";
import { fakeCameras } from "./onvif-cameras.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const UUID = "5f5a69c2-e0ae-504f-829b-00fcee1ab001";
const RTSP_PORT = 8554;

export interface OnvifLogin {
  readonly name: string;
  readonly secret: string;
}

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Each WWW-Authenticate field. */
  readonly challenges: readonly string[];
  readonly body: string;
}

/** The ONVIF part of a bridge behind its own front door on loopback, with cameras that are not there. */
export interface OnvifTestSite {
  readonly part: OnvifPart;
  /** What is put here, clients are told. */
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly audited: readonly AuditEntry[];
  /** What is kept of events. */
  readonly journal: Journal;
  /** Which recordings were set, and how. */
  readonly switched: readonly (readonly unknown[])[];
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly addresses: Addresses;
  readonly accounts: Accounts;
  /** An external system's account; without `grants` it may everything. */
  account(grants?: readonly Grant[]): Promise<OnvifLogin>;
  send(o: {
    readonly path: string;
    readonly body?: string | Buffer;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly tls?: boolean;
  }): Promise<Answer>;
  close(): Promise<void>;
}

export async function startOnvifSite(
  o: {
    readonly clock?: Clock;
    /** Loopback if absent. */
    readonly address?: string;
    readonly identity?: Identity;
    readonly names?: readonly string[];
    readonly plainRtsp?: boolean;
    readonly multicast?: MulticastPlan;
    readonly srtp?: boolean;
    /** Profiles that are announced though they are not full. */
    readonly profileScopes?: readonly OnvifProfile[];
    /** A device for each camera; none if absent. */
    readonly cameraDevices?: CameraDeviceSettings;
    /** Roles that ONVIF's user levels stand for; none if absent. */
    readonly levels?: ReadonlyMap<UserLevel, string>;
    /** What waits for a second person; nothing if absent. */
    readonly approvals?: SecondPerson;
    readonly refused?: (refused: RefusedRequest) => void;
    /** To whom events are sent; to nobody if absent. */
    readonly consumers?: ConsumerOptions;
    /** Of the first camera; one that is not there if absent. */
    readonly control?: CameraControl;
    /** Those of {@link fakeCameras} if absent. */
    readonly cameras?: CameraDirectory;
  } = {},
): Promise<OnvifTestSite> {
  const clock = o.clock ?? new VirtualClock();
  const address = o.address ?? "127.0.0.1";
  const log = silentLog();
  const metrics = new Metrics();
  const database = await openDatabase<SiteSchema>(":memory:", siteMigrations);
  const sealer = new Sealer(Buffer.alloc(32, 7));
  const accounts = await Accounts.open({ query: database.query, sealer, clock, log });
  const throttle = new Throttle(clock);
  const audited: AuditEntry[] = [];
  const switched: (readonly unknown[])[] = [];
  const journal = await Journal.open(":memory:");
  const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
  let addresses = new Addresses({ https: 0, http: 0, rtsps: 0, rtsp: undefined });
  const bus = new EventBus(clock, log);
  const cameras = o.cameras ?? fakeCameras(clock.now(), undefined, o.control);
  const own = new OwnEvents({ bus, cameras, clock });
  const keeper = new EventKeeper({ bus, journal, clock, log });
  const watch = new Watch(cameras, audit, new Leases({ accounts, audit, clock }));
  const part = onvifPart({
    uuid: UUID,
    version: "1.2.3",
    watch,
    ptzHolders: new PtzHolders({ clock, audit, watch }),
    bus,
    authenticator: new HttpAuthenticator({ accounts, clock, realm: "Viaduct", door: "onvif", throttle }),
    usernameTokens: new UsernameTokenVerifier({ accounts, clock, throttle }),
    addresses: () => addresses,
    clientAddresses: [address],
    clientNames: o.names ?? [],
    discoverable: true,
    profileScopes: o.profileScopes ?? [],
    users: { accounts, approvals: o.approvals ?? nobodyElse([]), levels: o.levels ?? new Map() },
    multicast: o.multicast,
    srtp: o.srtp === true,
    consumers: o.consumers,
    cameraDevices: o.cameraDevices,
    ...(o.refused === undefined ? {} : { refused: o.refused }),
    retentionMs: 30 * DAY,
    history: {
      journal,
      newest: () => keeper.newest(),
      spans: async (id, from, to, stream = "main") => {
        const span = await cameras
          .find(id)
          ?.streams.find(({ info }) => info.name === stream)
          ?.recorded.extent();
        if (span === undefined || span.from >= to || span.to <= from) return [];
        return [{ from: unixMillis(Math.max(span.from, from)), to: unixMillis(Math.min(span.to, to)) }];
      },
    },
    profiles: await MadeProfiles.open({ query: database.query, accounts: new Set() }),
    scopes: await DeviceScopes.open(database.query),
    recordings: { setRecording: (...set) => Promise.resolve(void switched.push(set)) },
    clock,
    log,
    metrics,
    audit,
  });
  const door = new FrontDoor({ onvif: part, web: undefined, metrics, metricsToken: undefined, ready: () => true, log });
  const { port } = await door.listen(address, 0, undefined);
  const tlsPort = o.identity === undefined ? undefined : (await door.listen(address, 0, o.identity)).port;
  addresses = new Addresses({
    https: tlsPort ?? 8443,
    http: port,
    rtsps: 8322,
    rtsp: o.plainRtsp === false ? undefined : RTSP_PORT,
  });
  let count = 0;
  return {
    part,
    bus,
    clock,
    audited,
    switched,
    journal,
    port,
    tlsPort,
    addresses,
    accounts,
    async account(grants) {
      count += 1;
      const name = `vms-${count}`;
      const rights = (
        [
          "live",
          "playback",
          "audio",
          "search",
          "metadata",
          "events",
          "ptz",
          "presets",
          "imaging",
          "relay",
          "record",
          "snapshot",
        ] as const
      ).map((right) => ({ right, cameras: "any", interfaces: "any" }) as const);
      const { secret } = await accounts.createIntegration({ name, grants: grants ?? rights });
      return { name, secret: secret.reveal() };
    },
    send: ({ path, body, method = "POST", headers = {}, tls = false }) =>
      exchange(
        {
          host: address,
          port: tls ? tlsPort : port,
          path,
          method,
          agent: false,
          rejectUnauthorized: false,
          headers: { "content-type": "application/soap+xml; charset=utf-8", ...headers },
        },
        tls,
        body,
      ),
    async close() {
      own.close();
      await keeper.close();
      await part.close();
      await door.close();
      await database.close();
      await journal.close();
    },
  };
}

/** One HTTP request and its whole answer. */
export function exchange(options: RequestOptions, tls: boolean, body: string | Buffer | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = (tls ? tlsRequest : request)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          challenges: response.headersDistinct["www-authenticate"] ?? [],
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
