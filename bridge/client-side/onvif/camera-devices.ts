import type { Principal } from "../../../auth/principal.ts";
import type { Service } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { cameraIdentity, type OwnDoor, siteOf } from "./camera-device.ts";
import { deviceScopes } from "./scopes.ts";
import type { OnvifSite } from "./site.ts";
import { seenCamera } from "./view.ts";

/** Which devices an account is shown: that of all cameras, those of single ones, or both. */
export type ShownDevices = "bridge" | "cameras" | "both";

export interface CameraDevicesOptions {
  readonly site: OnvifSite;
  /** Cameras that are there, for the names of their devices. */
  readonly cameras: () => readonly { readonly id: string; readonly name: string }[];
  readonly own: readonly OwnDoor[];
  /** By account name in lower case; both where an account is not named. */
  readonly shown: ReadonlyMap<string, ShownDevices>;
  readonly services: (site: OnvifSite, camera: string) => readonly Service[];
}

/** A device as discovery tells of it. */
export interface CameraDevice {
  readonly camera: string;
  /** Without `urn:uuid:`. */
  readonly uuid: string;
  readonly scopes: readonly string[];
  readonly own: OwnDoor | undefined;
}

/** An ONVIF device for each camera, for clients that take a device for a camera, and know it by its hardware address. */
export class CameraDevices {
  readonly #o: CameraDevicesOptions;

  constructor(options: CameraDevicesOptions) {
    this.#o = options;
  }

  /** Of that camera, whether it is there or not. Made for each request: what was kept would be there sooner, and tell that others ask for it. */
  services(camera: string): readonly Service[] {
    return this.#o.services(this.#siteOf(camera), camera);
  }

  /** Of every camera that is there. */
  list(): readonly CameraDevice[] {
    return this.#o.cameras().map(({ id }) => ({
      camera: id,
      uuid: cameraIdentity(this.#o.site.device.uuid, id).uuid,
      scopes: deviceScopes(this.#siteOf(id)),
      own: this.#ownOf(id),
    }));
  }

  /** Throws `denied` unless the account is shown that device; a camera that is hidden from it is answered as one that is not there. */
  admit(who: Principal, camera: string | undefined): void {
    const shown = this.#o.shown.get(who.name.toLowerCase()) ?? "both";
    const allowed =
      camera === undefined
        ? shown !== "cameras"
        : shown !== "bridge" && seenCamera(this.#o.site, who, camera) !== undefined;
    if (!allowed) throw new SoapFault("denied", "Sender", ["NotAuthorized"], "This device is not for this account");
  }

  #siteOf(camera: string): OnvifSite {
    const name = (): string => this.#o.cameras().find(({ id }) => id === camera)?.name ?? camera;
    return siteOf(this.#o.site, { camera, name, own: this.#ownOf(camera) });
  }

  #ownOf(camera: string): OwnDoor | undefined {
    return this.#o.own.find((one) => one.camera === camera);
  }
}
