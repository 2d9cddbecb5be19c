import { many, opt, optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { boolean, duration, string } from "../simple.ts";
import { ReferenceToken, StringList } from "./tt.ts";
import { PresetTour, PTZPresetTourOptions } from "./tt-preset-tour.ts";
import {
  AuxiliaryData,
  PTZConfiguration,
  PTZConfigurationOptions,
  PTZNode,
  PTZPreset,
  PTZPresetTourOperation,
  PTZSpeed,
  PTZStatus,
  PTZVector,
} from "./tt-ptz.ts";

export const Capabilities = type("tptz:Capabilities", {
  EFlip: optAttr(boolean),
  Reverse: optAttr(boolean),
  GetCompatibleConfigurations: optAttr(boolean),
  MoveStatus: optAttr(boolean),
  StatusPosition: optAttr(boolean),
  MoveAndTrack: optAttr(StringList),
});

const ProfileToken = ReferenceToken;

/** The PTZ service (ONVIF PTZ): what we answer of it and ask cameras for, and what else it has. */
export const PTZ = service(
  "tptz",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetNodes: operation("READ_MEDIA", {}, { PTZNode: many(PTZNode) }),
    GetNode: operation("READ_MEDIA", { NodeToken: ReferenceToken }, { PTZNode }),
    GetConfigurations: operation("READ_MEDIA", {}, { PTZConfiguration: many(PTZConfiguration) }),
    GetConfiguration: operation("READ_MEDIA", { PTZConfigurationToken: ReferenceToken }, { PTZConfiguration }),
    GetConfigurationOptions: operation(
      "READ_MEDIA",
      { ConfigurationToken: ReferenceToken },
      { PTZConfigurationOptions },
    ),
    GetCompatibleConfigurations: operation(
      "READ_MEDIA",
      { ProfileToken },
      { PTZConfiguration: many(PTZConfiguration) },
    ),
    GetStatus: operation("READ_MEDIA", { ProfileToken }, { PTZStatus }),
    GetPresets: operation("READ_MEDIA", { ProfileToken }, { Preset: many(PTZPreset) }),
    SetPreset: operation(
      "ACTUATE",
      { ProfileToken, PresetName: opt(string), PresetToken: opt(ReferenceToken) },
      { PresetToken: ReferenceToken },
    ),
    RemovePreset: operation("ACTUATE", { ProfileToken, PresetToken: ReferenceToken }, {}),
    GotoPreset: operation("ACTUATE", { ProfileToken, PresetToken: ReferenceToken, Speed: opt(PTZSpeed) }, {}),
    GotoHomePosition: operation("ACTUATE", { ProfileToken, Speed: opt(PTZSpeed) }, {}),
    SetHomePosition: operation("ACTUATE", { ProfileToken }, {}),
    ContinuousMove: operation("ACTUATE", { ProfileToken, Velocity: PTZSpeed, Timeout: opt(duration) }, {}),
    RelativeMove: operation("ACTUATE", { ProfileToken, Translation: PTZVector, Speed: opt(PTZSpeed) }, {}),
    AbsoluteMove: operation("ACTUATE", { ProfileToken, Position: PTZVector, Speed: opt(PTZSpeed) }, {}),
    Stop: operation("ACTUATE", { ProfileToken, PanTilt: opt(boolean), Zoom: opt(boolean) }, {}),
    GetPresetTours: operation("READ_MEDIA", { ProfileToken }, { PresetTour: many(PresetTour) }),
    GetPresetTour: operation("READ_MEDIA", { ProfileToken, PresetTourToken: ReferenceToken }, { PresetTour }),
    OperatePresetTour: operation(
      "ACTUATE",
      { ProfileToken, PresetTourToken: ReferenceToken, Operation: PTZPresetTourOperation },
      {},
    ),
    SendAuxiliaryCommand: operation("ACTUATE", { ProfileToken, AuxiliaryData }, { AuxiliaryResponse: AuxiliaryData }),
    GetPresetTourOptions: operation(
      "READ_MEDIA",
      { ProfileToken, PresetTourToken: opt(ReferenceToken) },
      { Options: PTZPresetTourOptions },
    ),
    CreatePresetTour: operation("ACTUATE", { ProfileToken }, { PresetTourToken: ReferenceToken }),
    ModifyPresetTour: operation("ACTUATE", { ProfileToken, PresetTour }, {}),
    RemovePresetTour: operation("ACTUATE", { ProfileToken, PresetTourToken: ReferenceToken }, {}),
    SetConfiguration: operation("ACTUATE", { PTZConfiguration, ForcePersistence: boolean }, {}),
  },
  { ACTUATE: "GeoMove MoveAndStartTracking" },
);
