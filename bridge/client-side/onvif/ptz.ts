import type { Principal } from "../../../auth/principal.ts";
import { remembered } from "../../../base/remember.ts";
import { type Guarded, type KnownCall, type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { RequestOf, ResponseOf } from "../../../wsdl/service.ts";
import { PTZ } from "../../../wsdl/tables/tptz.ts";
import type { PTZConfiguration, PTZNode } from "../../../wsdl/tables/tt-ptz.ts";
import type { PtzOperation } from "../../camera-control.ts";
import { assertSo } from "./as-it-is.ts";
import { cameraIdOf, compatible, findProfile } from "./profiles.ts";
import type { OnvifCamera, OnvifSite } from "./site.ts";
import { findCamera, missing } from "./view.ts";

type Operations = (typeof PTZ)["operations"];
type Capabilities = ResponseOf<Operations["GetServiceCapabilities"]>["Capabilities"];

/** What a camera says of its position and movement is handed on as far as it does say it. */
export const PTZ_CAPABILITIES: Capabilities = {
  EFlip: false,
  Reverse: false,
  GetCompatibleConfigurations: true,
  MoveStatus: true,
  StatusPosition: true,
};

/** Of the camera: it has one way to be moved, whichever of its profiles is named, and so one configuration and one node. */
export const ptzConfiguration = remembered(
  ({ id, controls, streams }: OnvifCamera): ValueOf<typeof PTZConfiguration> | undefined => {
    const configuration = controls.ptz?.configuration;
    return configuration && { ...configuration, UseCount: streams.length, token: id, NodeToken: id };
  },
);

function ptzNode({ id, controls }: OnvifCamera): ValueOf<typeof PTZNode> | undefined {
  return controls.ptz && { ...controls.ptz.node, token: id };
}

/**
 * The PTZ service: what a camera has, in its own spaces, for those who may move it or keep its presets; to others it is as if the
 * camera could not be moved. Requests go through to the camera, one holder at a time.
 */
export function ptzService(site: OnvifSite): Service {
  const all = (who: Principal): readonly OnvifCamera[] =>
    site.cameras(who).filter(({ controls }) => controls.ptz !== undefined);

  /** The camera behind the token of a profile; that of one which cannot be moved is refused. */
  const moved = (who: Principal, profile: string): OnvifCamera => {
    const camera = findProfile(site, who, profile).parts.PTZ?.camera;
    if (camera?.controls.ptz === undefined) throw missing("NoPTZProfile");
    return camera;
  };

  /** For requests that change nothing: for whoever may move the camera or keep its presets, without a word in the audit log. */
  const read =
    <K extends PtzOperation>(operation: K) =>
    (request: RequestOf<Operations[K]>, { who }: KnownCall): Promise<ResponseOf<Operations[K]>> => {
      const { ProfileToken } = request as { readonly ProfileToken: string };
      const { id } = moved(who, ProfileToken);
      // The profile of ours that is in it goes no further than to the camera's own port.
      return site.control(who, id).ptz(operation, request);
    };

  /** For requests that move the camera, or change the places that it is sent to. */
  const guarded = <K extends PtzOperation>(operation: K, needs: "ptz" | "presets"): Guarded<Operations[K]> => ({
    needs,
    // The right is asked for first: whether there is anything to be moved is told to those who may.
    camera: (request, call) =>
      cameraIdOf(site, (call as KnownCall).who, (request as { readonly ProfileToken: string }).ProfileToken),
    run(request, call) {
      const { who, peer } = call as KnownCall;
      const { id } = moved(who, (request as { readonly ProfileToken: string }).ProfileToken);
      site.takePtz(who, id, needs, peer.address);
      return site.control(who, id).ptz(operation, request);
    },
  });

  return serve("ptz_service", PTZ, {
    GetServiceCapabilities: () => ({ Capabilities: PTZ_CAPABILITIES }),
    GetNodes: (_, { who }) => ({ PTZNode: all(who).flatMap((camera) => ptzNode(camera) ?? []) }),
    GetNode({ NodeToken }, { who }) {
      const node = ptzNode(findCamera(site, who, NodeToken, "NoEntity"));
      if (node === undefined) throw missing("NoEntity");
      return { PTZNode: node };
    },
    GetConfigurations: (_, { who }) => ({
      PTZConfiguration: all(who).flatMap((camera) => ptzConfiguration(camera) ?? []),
    }),
    GetConfiguration({ PTZConfigurationToken }, { who }) {
      const configuration = ptzConfiguration(findCamera(site, who, PTZConfigurationToken, "NoConfig"));
      if (configuration === undefined) throw missing("NoConfig");
      return { PTZConfiguration: configuration };
    },
    GetConfigurationOptions({ ConfigurationToken }, { who }) {
      const { ptz } = findCamera(site, who, ConfigurationToken, "NoConfig").controls;
      if (ptz === undefined) throw missing("NoConfig");
      return { PTZConfigurationOptions: ptz.options };
    },
    GetCompatibleConfigurations({ ProfileToken }, { who }) {
      const cameras = compatible(site, who, findProfile(site, who, ProfileToken), "PTZ").map(({ camera }) => camera);
      return { PTZConfiguration: [...new Set(cameras)].flatMap((camera) => ptzConfiguration(camera) ?? []) };
    },
    GetStatus: read("GetStatus"),
    GetPresets: read("GetPresets"),
    GetPresetTours: read("GetPresetTours"),
    GetPresetTour: read("GetPresetTour"),
    ContinuousMove: guarded("ContinuousMove", "ptz"),
    RelativeMove: guarded("RelativeMove", "ptz"),
    AbsoluteMove: guarded("AbsoluteMove", "ptz"),
    Stop: guarded("Stop", "ptz"),
    GotoPreset: guarded("GotoPreset", "ptz"),
    GotoHomePosition: guarded("GotoHomePosition", "ptz"),
    SendAuxiliaryCommand: guarded("SendAuxiliaryCommand", "ptz"),
    OperatePresetTour: guarded("OperatePresetTour", "ptz"),
    SetPreset: guarded("SetPreset", "presets"),
    RemovePreset: guarded("RemovePreset", "presets"),
    SetHomePosition: guarded("SetHomePosition", "presets"),
    GetPresetTourOptions: read("GetPresetTourOptions"),
    CreatePresetTour: guarded("CreatePresetTour", "presets"),
    ModifyPresetTour: guarded("ModifyPresetTour", "presets"),
    RemovePresetTour: guarded("RemovePresetTour", "presets"),
    SetConfiguration: {
      needs: "ptz",
      camera: ({ PTZConfiguration: { token } }, { who }) => findCamera(site, who, token, "NoConfig").id,
      run({ PTZConfiguration: wish }, { who }) {
        const configuration = ptzConfiguration(findCamera(site, who, wish.token, "NoConfig"));
        if (configuration === undefined) throw missing("NoConfig");
        assertSo(configuration, wish);
        return {};
      },
    },
  });
}
