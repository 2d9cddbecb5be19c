import type { Principal } from "../../../auth/principal.ts";
import { type Guarded, type KnownCall, type Service, serve } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { RequestOf, ResponseOf } from "../../../wsdl/service.ts";
import { IMAGING } from "../../../wsdl/tables/timg.ts";
import type { ImagingOperation } from "../../camera-control.ts";
import type { OnvifSite } from "./site.ts";
import { findCamera } from "./view.ts";

type Operations = (typeof IMAGING)["operations"];
type Capabilities = ResponseOf<Operations["GetServiceCapabilities"]>["Capabilities"];

export const IMAGING_CAPABILITIES: Capabilities = { ImageStabilization: false, Presets: false, AdaptablePreset: false };

/** The imaging service: how a camera sees, for those who may change that. Requests go through to the camera. */
export function imagingService(site: OnvifSite): Service {
  const sourceOf = (who: Principal, request: unknown): string => {
    const { VideoSourceToken } = request as { readonly VideoSourceToken: string };
    const { id, controls } = findCamera(site, who, VideoSourceToken, "NoSource");
    if (!controls.imaging)
      throw new SoapFault(
        "invalid",
        "Receiver",
        ["ActionNotSupported", "NoImagingForSource"],
        "Nothing can be set here",
      );
    return id;
  };
  const through = <K extends ImagingOperation>(
    operation: K,
    request: RequestOf<Operations[K]>,
    { who }: KnownCall,
  ): Promise<ResponseOf<Operations[K]>> => site.control(who, sourceOf(who, request)).imaging(operation, request);
  const read =
    <K extends ImagingOperation>(operation: K) =>
    (request: RequestOf<Operations[K]>, call: KnownCall): Promise<ResponseOf<Operations[K]>> =>
      through(operation, request, call);
  const guarded = <K extends ImagingOperation>(operation: K): Guarded<Operations[K]> => ({
    needs: "imaging",
    camera: (request, call) =>
      findCamera(
        site,
        (call as KnownCall).who,
        (request as { readonly VideoSourceToken: string }).VideoSourceToken,
        "NoSource",
      ).id,
    run: (request, call) => through(operation, request, call as KnownCall),
  });
  return serve("imaging_service", IMAGING, {
    GetServiceCapabilities: () => ({ Capabilities: IMAGING_CAPABILITIES }),
    GetImagingSettings: read("GetImagingSettings"),
    GetOptions: read("GetOptions"),
    GetMoveOptions: read("GetMoveOptions"),
    GetStatus: read("GetStatus"),
    SetImagingSettings: guarded("SetImagingSettings"),
    Move: guarded("Move"),
    Stop: guarded("Stop"),
  });
}
