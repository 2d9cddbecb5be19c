import { isFault } from "../../../base/fault.ts";
import type { TrackKind } from "../../../media/track.ts";
import type { Base } from "../../../onvif/server/base.ts";
import type { Guarded } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { MEDIA2 } from "../../../wsdl/tables/tr2.ts";
import type { StreamSetup } from "../../../wsdl/tables/tt.ts";
import { RTSP_WEB_SOCKET } from "../front-door.ts";
import { invalidStreamSetup } from "./media-parts.ts";
import { cameraIdOf, cameraOf, findProfile, type ShownProfile, streamOf } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import type { View } from "./view.ts";

/** Of live and of recorded video: at the door by which the client came, so without a host (ONVIF Streaming 5.1.1.5). */
export const RTSP_WEB_SOCKET_URI = `ws:${RTSP_WEB_SOCKET}`;

/** How RTP travels; `rtsps` is RTSP and RTP in one TLS connection. */
export type Transport = Parameters<OnvifSite["streamUri"]>[2]["transport"];

/** Media 1.0 and replay: `StreamSetup`. TCP is RTP without RTSP by its name, and RTSP interleaved to those who ask for it. */
export function transportOf({ Stream, Transport: { Protocol } }: ValueOf<typeof StreamSetup>): Transport {
  if (Stream === "RTP-Multicast") {
    if (Protocol !== "UDP") throw invalidStreamSetup("Multicast goes over UDP alone");
    return "multicast";
  }
  return Protocol === "UDP" ? "udp" : Protocol === "HTTP" ? "http" : "tcp";
}

const PROTOCOLS: ReadonlyMap<string, Transport> = new Map([
  ["RtspUnicast", "udp"],
  ["RtspMulticast", "multicast"],
  ["RTSP", "tcp"],
  ["RtspsUnicast", "rtsps"],
  ["RtspOverHttp", "http"],
]);

/** Media 2.0: a word for transport and protection together (Media2 5.4.1). */
export function transportOfProtocol(protocol: string): Transport {
  const transport = PROTOCOLS.get(protocol);
  if (transport === undefined) throw invalidStreamSetup("The protocol is not supported");
  return transport;
}

/** What of a stream stands in its address. */
export function played({ camera, stream }: View): { readonly camera: string; readonly stream: string } {
  return { camera: camera.id, stream };
}

/** Both media services: asks the camera for a key frame. Whoever may watch may ask by RTCP as well, so this needs no more. */
export function synchronizationPoint(
  site: OnvifSite,
): Guarded<(typeof MEDIA2)["operations"]["SetSynchronizationPoint"]> {
  return {
    needs: "live",
    camera: ({ ProfileToken }, { who }) => cameraIdOf(site, who, ProfileToken),
    run({ ProfileToken }, { who }) {
      site.requestKey(who, played(streamOf(findProfile(site, who, ProfileToken)).view));
      return {};
    },
  };
}

/** Where what a profile shows is watched. */
export function liveUri(site: OnvifSite, profile: ShownProfile, transport: Transport, base: Base): string {
  const { view, ...tracks } = streamOf(profile);
  return streamUri(site, { ...played(view), ...tracks }, "live", transport, base);
}

/** Where the camera's picture is fetched: the same for all of its profiles. */
export function snapshotUri(site: OnvifSite, profile: ShownProfile, base: Base): string {
  const camera = cameraOf(profile);
  if (!camera.controls.snapshot)
    throw new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "The camera has no snapshot");
  return site.snapshotUri(camera.id, base);
}

/** The address to play. A transport that is switched off is a stream setup that cannot be had. */
export function streamUri(
  site: OnvifSite,
  { camera, ...what }: { readonly camera: string; readonly stream?: string; readonly tracks?: readonly TrackKind[] },
  kind: "live" | "recorded",
  transport: Transport,
  base: Base,
): string {
  try {
    return site.streamUri(camera, kind, { transport, base, ...what });
  } catch (thrown) {
    if (isFault(thrown, "invalid")) throw invalidStreamSetup("The transport is switched off");
    throw thrown;
  }
}
