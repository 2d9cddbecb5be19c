import { createHash } from "node:crypto";
import { Fault } from "../../../base/fault.ts";
import type { Base } from "../../../onvif/server/base.ts";
import type { OwnPlace } from "../addresses.ts";
import type { OnvifSite } from "./site.ts";
import { seenCamera } from "./view.ts";

/** As what a camera is a device of its own: the same for ever, on this installation. */
export interface CameraIdentity {
  /** Without `urn:uuid:`. */
  readonly uuid: string;
  /** Locally administered (IEEE 802), in pairs with colons. */
  readonly mac: string;
  readonly serial: string;
}

/**
 * Made from the installation's name and the camera's id (RFC 9562 5.5), so that nothing has to be kept, and so that a camera that is
 * not there has one too: who asks for it without a log-in cannot tell.
 */
export function cameraIdentity(installation: string, camera: string): CameraIdentity {
  const namespace = Buffer.from(installation.replaceAll("-", ""), "hex");
  const hash = createHash("sha1").update(namespace).update(camera).digest();
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const uuid = bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const address = Buffer.from(createHash("sha256").update(bytes).digest().subarray(0, 6));
  address[0] = ((address[0] ?? 0) & 0xfc) | 0x02;
  const hex = address.toString("hex").toUpperCase();
  return { uuid, mac: (hex.match(/../g) ?? []).join(":").toLowerCase(), serial: hex };
}

/** Where a camera's device has an address or ports of its own; absent ones are the bridge's. */
export interface OwnDoor extends OwnPlace {
  readonly camera: string;
}

/** A site with one camera. `name`: for people; of a camera that is not there it is never told. */
export function siteOf(
  site: OnvifSite,
  { camera, name, own }: { readonly camera: string; readonly name: () => string; readonly own: OwnDoor | undefined },
): OnvifSite {
  const { uuid, mac, serial } = cameraIdentity(site.device.uuid, camera);
  const only = <T>(id: string, then: () => T): T => {
    if (id === camera) return then();
    throw new Fault("not-found", `${id} is not the camera of this device`);
  };
  const { multicast, srtp, discoverable, profileScopes } = site;
  // Each by its name: what a site will be able to do besides has to be thought of here too.
  return {
    multicast,
    srtp,
    discoverable,
    profileScopes,
    device: {
      ...site.device,
      model: `${site.device.model} camera`,
      serial,
      uuid,
      get name() {
        return name();
      },
    },
    cameras: (who) => [seenCamera(site, who, camera) ?? []].flat(),
    camera: (who, id) => only(id, () => site.camera(who, id)),
    profiles: (who) => site.profiles(who, camera),
    streamUri: (id, kind, how) => only(id, () => site.streamUri(id, kind, how)),
    snapshotUri: (id, base) => only(id, () => site.snapshotUri(id, base)),
    recordings: async (who) => (await site.recordings(who)).filter((one) => one.camera.id === camera),
    recording: async (who, of) => only(of.camera, () => site.recording(who, of)),
    switchRecording: async (who, of, how) => only(of.camera, () => site.switchRecording(who, of, how)),
    // Asked of recordings that were found here alone.
    history: site.history,
    eventsReachMs: (who, id) => (id === camera ? site.eventsReachMs(who, id) : 0),
    control: (who, id) => only(id, () => site.control(who, id)),
    setEncoder: async (who, of, change, address) => only(of.camera, () => site.setEncoder(who, of, change, address)),
    takePtz: (who, id, needs, address) => only(id, () => site.takePtz(who, id, needs, address)),
    requestKey: (who, of) => only(of.camera, () => site.requestKey(who, of)),
    ports(base) {
      const ports = site.ports(base);
      return { ...ports, https: own?.https ?? ports.https, http: ports.http && (own?.http ?? ports.http) };
    },
    addresses: (base) => [{ name: "eth0", mac, ...networkAt(site, base) }],
  };
}

/** The address that the client reached. */
function networkAt(site: OnvifSite, base: Base): { readonly address: string; readonly prefixLength: number } {
  const found = site.addresses(base).find(({ address }) => address === base.localAddress);
  return {
    address: base.localAddress,
    prefixLength: found?.prefixLength ?? (base.localAddress.includes(":") ? 64 : 24),
  };
}
