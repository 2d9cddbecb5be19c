import { allowedNow } from "../../../auth/access.ts";
import type { Audit } from "../../../auth/audit.ts";
import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import { DAY, type Millis } from "../../../base/units.ts";
import { type BridgedCamera, type BridgedStream, MAIN_STREAM } from "../../camera.ts";
import type { DeviceScopes } from "../../device-scopes.ts";
import type { MadeProfiles } from "../../made-profiles.ts";
import { type RecordingPlan, recordingChange, switched } from "../../recording-plan.ts";
import { type Addresses, interfacesOf, narrowed } from "../addresses.ts";
import { AgedSource } from "../aged-source.ts";
import type { MulticastPlan } from "../multicast-plan.ts";
import type { PtzHolders } from "../ptz-holders.ts";
import { SNAPSHOT_PATH } from "../snapshots.ts";
import { reachOf } from "../timeline.ts";
import { streamOf, type Watch } from "../watch.ts";
import type { OnvifProfile } from "./profile-scopes.ts";
import { ShownCameras } from "./shown-cameras.ts";
import type { EventHistory, OnvifCamera, OnvifRecording, OnvifSite } from "./site.ts";
import { mayKnow } from "./subscriptions.ts";
import type { OnvifUsers } from "./users.ts";

const PRODUCT = "Viaduct";

/** How the recording of a stream is set. */
export interface RecordingSwitch {
  setRecording(camera: string, stream: string, plan: RecordingPlan): Promise<void>;
}

/** The bridge as the ONVIF services see it. */
export function bridgeSite(o: {
  readonly uuid: string;
  readonly version: string;
  readonly watch: Watch;
  /** Known once everything listens. */
  readonly addresses: () => Addresses;
  readonly clientAddresses: readonly string[];
  readonly discoverable: boolean;
  readonly profileScopes: readonly OnvifProfile[];
  readonly multicast: MulticastPlan | undefined;
  readonly srtp: boolean;
  readonly retentionMs: Millis;
  readonly ptzHolders: PtzHolders;
  readonly recordings: RecordingSwitch;
  readonly history: EventHistory;
  readonly profiles: MadeProfiles;
  readonly users: OnvifUsers | undefined;
  readonly scopes: DeviceScopes;
  readonly audit: Audit;
  readonly clock: Clock;
}): OnvifSite {
  const { watch, retentionMs } = o;
  const shown = new ShownCameras(o.multicast);
  const cameraOf = (who: Principal, camera: BridgedCamera): OnvifCamera => {
    return shown.of(camera, allowedNow(who, { camera: camera.info.id, interface: "onvif" }));
  };
  const recordingOf = async (
    who: Principal,
    camera: BridgedCamera,
    { info: { name, recording }, recorded }: BridgedStream,
  ): Promise<OnvifRecording> => {
    const maxAgeMs = (): Millis => reachOf(who, camera.info.id, "onvif");
    const extent = await new AgedSource(recorded, { clock: o.clock, maxAgeMs }).extent();
    return {
      camera: cameraOf(who, camera),
      stream: name,
      plan: recording.plan,
      earliest: extent?.from,
      latest: extent?.to,
      reachMs: reachOf(who, camera.info.id, "onvif"),
      retentionMs: camera.info.retention.maxDays === undefined ? retentionMs : camera.info.retention.maxDays * DAY,
      recording: recording.state === "recording",
      failing: recording.state === "failing",
    };
  };
  const recordingsOf = async (who: Principal, camera: BridgedCamera): Promise<readonly OnvifRecording[]> => {
    const all = await Promise.all(camera.streams.map((stream) => recordingOf(who, camera, stream)));
    return all.filter(
      ({ stream, plan, earliest }) => stream === MAIN_STREAM || plan.mode !== "off" || earliest !== undefined,
    );
  };
  const addressOf = (...[id, kind, { stream, transport, base }]: Parameters<OnvifSite["streamUri"]>): string => {
    const addresses = o.addresses();
    // On the port of the web service, so that a client that came through a firewall needs no other (Media2 5.4.1).
    if (transport === "http") return addresses.rtspInHttp(kind, id, base, stream);
    if (transport === "multicast") {
      const address = o.multicast && kind === "live" ? addresses.multicast(id, base.host, stream) : undefined;
      if (address === undefined) throw new Fault("invalid", "multicast is switched off");
      return address;
    }
    // Without SRTP it is RTP in the same TLS, which clients go on to when RTSP refuses SRTP.
    if (transport === "rtsps")
      return o.srtp ? addresses.srtp(kind, id, base.host, stream) : addresses.rtsps(kind, id, base.host, stream);
    // UDP is what many clients ask for first and go on from when SETUP refuses it; nothing of the address depends on it.
    return addresses.rtsp(kind, id, base.host, stream);
  };
  return {
    device: {
      manufacturer: PRODUCT,
      model: PRODUCT,
      firmware: o.version,
      serial: o.uuid,
      hardwareId: PRODUCT,
      uuid: o.uuid,
      name: PRODUCT,
    },
    discoverable: o.discoverable,
    profileScopes: o.profileScopes,
    users: o.users,
    scopes: { set: o.scopes, audit: o.audit },
    history: o.history,
    eventsReachMs: (who, id) => (mayKnow(who, { camera: id }) ? reachOf(who, id, "onvif") : 0),
    multicast: o.multicast !== undefined,
    srtp: o.srtp,
    cameras: (who) => watch.visible(who, "onvif").map((camera) => cameraOf(who, camera)),
    camera: (who, id) => cameraOf(who, watch.see(who, id, "onvif")),
    profiles: ({ accountId }, device = "") => o.profiles.of({ accountId, device }),
    async recordings(who) {
      const cameras = watch.visible(who, "onvif").filter((camera) => reachOf(who, camera.info.id, "onvif") > 0);
      return (await Promise.all(cameras.map((camera) => recordingsOf(who, camera)))).flat();
    },
    async recording(who, { camera: id, stream }) {
      const camera = watch.see(who, id, "onvif");
      const all = reachOf(who, camera.info.id, "onvif") > 0 ? await recordingsOf(who, camera) : [];
      const found = all.find((one) => one.stream === stream);
      if (found === undefined) throw new Fault("not-found", `no recording ${id}/${stream} for ${who.name}`);
      return found;
    },
    async switchRecording(who, { camera, stream }, { on, address }) {
      const { plan } = streamOf(watch.see(who, camera, "onvif"), stream).info.recording;
      const next = switched(plan, on);
      if (next === plan) return;
      await o.recordings.setRecording(camera, stream, next);
      o.audit.record({ who: who.name, interface: "onvif", address, ...recordingChange(camera, stream, plan, next) });
    },
    streamUri(id, kind, how) {
      const address = addressOf(id, kind, how);
      return how.tracks === undefined ? address : narrowed(address, how.tracks);
    },
    control: (who, id) => watch.see(who, id, "onvif").control,
    async setEncoder(who, { camera: id, stream }, change, address) {
      const { control } = watch.open(who, id, "encoding", "onvif", address);
      const told = (): string => JSON.stringify(control.controls.encoders.get(stream)?.settings ?? {});
      const entry = { who: who.name, action: "set-encoder", camera: id, interface: "onvif", address } as const;
      const before = told();
      try {
        await control.setEncoder(stream, change);
        o.audit.record({ ...entry, outcome: "allowed", why: stream, before, after: told() });
      } catch (error) {
        o.audit.record({ ...entry, outcome: "failed", why: stream, before, after: JSON.stringify(change) });
        throw error;
      }
    },
    takePtz: (who, id, needs, address) =>
      o.ptzHolders.take(who, watch.see(who, id, "onvif"), needs, { interface: "onvif", address }),
    snapshotUri: (id, base) => `${base.tls ? "https" : "http"}://${base.host}:${base.port}${SNAPSHOT_PATH}${id}`,
    requestKey: (who, { camera, stream }) => streamOf(watch.see(who, camera, "onvif"), stream).live.requestKey(),
    ports() {
      const { https, http, rtsp } = o.addresses().doors;
      return { https, http, rtsp };
    },
    addresses: () => interfacesOf(o.clientAddresses),
  };
}
