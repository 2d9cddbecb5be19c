import type { Identity } from "../../net/tls.ts";
import type { RtspServer } from "../../rtsp/server/server.ts";
import type { Doors } from "./addresses.ts";
import type { FrontDoor } from "./front-door.ts";
import type { OwnDoor } from "./onvif/camera-device.ts";
import type { OnvifPart } from "./onvif-part.ts";

/**
 * Listens for clients at the addresses and ports that single cameras have of their own. At an address of its own, a camera has RTSP
 * too, for its streams are named by the address that the client dialed; at a port, they are where they always are.
 */
export async function listenForCameras(
  own: readonly OwnDoor[],
  o: {
    /** The ports that the bridge itself listens on. */
    readonly doors: Doors;
    readonly addresses: readonly string[];
    readonly identity: Identity;
    readonly door: FrontDoor;
    readonly rtsp: RtspServer;
    readonly onvif: OnvifPart;
  },
): Promise<void> {
  const { doors, identity, door, rtsp } = o;
  for (const { camera, address, https, http } of own) {
    const part = o.onvif.cameraDoor(camera);
    const [securePort, plainPort] = address === undefined ? [https, http] : [https ?? doors.https, http ?? doors.http];
    for (const at of address === undefined ? o.addresses : [address]) {
      if (securePort !== undefined) await door.listen(at, securePort, identity, part);
      if (plainPort !== undefined && doors.http !== undefined) await door.listen(at, plainPort, undefined, part);
    }
    if (address === undefined || o.addresses.includes(address)) continue;
    await rtsp.listen({ address, port: doors.rtsps, identity });
    if (doors.rtsp !== undefined) await rtsp.listen({ address, port: doors.rtsp });
  }
}
