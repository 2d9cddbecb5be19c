import { ANYTHING, attr, extend, many, OPEN, opt, optAttr, printedOnce, type } from "../schema.ts";
import { anyURI, boolean, dateTime, duration, float, int, oneOf, string, text } from "../simple.ts";
import { ConfigurationEntity, DeviceEntity, FloatRange, Name, ReferenceToken } from "./tt.ts";

// Types of the common schema that the PTZ service needs.
// Extensions are left out but for what a node says of preset tours: no client that we know asks anything of the others.

/** Longest name of an auxiliary command; those that ONVIF names (`tt:Wiper|On`) have 30 characters at most. */
const AUXILIARY_CHARACTERS = 128;

export const AuxiliaryData = text("tt:AuxiliaryData", AUXILIARY_CHARACTERS);
export const DurationRange = type("tt:DurationRange", { Min: duration, Max: duration });
export const Vector2D = type("tt:Vector2D", { x: attr(float), y: attr(float), space: optAttr(anyURI) });
export const Vector1D = type("tt:Vector1D", { x: attr(float), space: optAttr(anyURI) });
export const PTZVector = type("tt:PTZVector", { PanTilt: opt(Vector2D), Zoom: opt(Vector1D) });
export const PTZSpeed = type("tt:PTZSpeed", { PanTilt: opt(Vector2D), Zoom: opt(Vector1D) });
export const Space2DDescription = type("tt:Space2DDescription", {
  URI: anyURI,
  XRange: FloatRange,
  YRange: FloatRange,
});
export const Space1DDescription = type("tt:Space1DDescription", { URI: anyURI, XRange: FloatRange });
export const PTZSpaces = type("tt:PTZSpaces", {
  AbsolutePanTiltPositionSpace: many(Space2DDescription),
  AbsoluteZoomPositionSpace: many(Space1DDescription),
  RelativePanTiltTranslationSpace: many(Space2DDescription),
  RelativeZoomTranslationSpace: many(Space1DDescription),
  ContinuousPanTiltVelocitySpace: many(Space2DDescription),
  ContinuousZoomVelocitySpace: many(Space1DDescription),
  PanTiltSpeedSpace: many(Space1DDescription),
  ZoomSpeedSpace: many(Space1DDescription),
});
export const PTZPresetTourOperation = oneOf("tt:PTZPresetTourOperation", "Start", "Stop", "Pause", "Extended");
export const PTZPresetTourSupported = type("tt:PTZPresetTourSupported", {
  MaximumNumberOfPresetTours: int,
  PTZPresetTourOperation: many(PTZPresetTourOperation),
});
export const PTZNodeExtension = type("tt:PTZNodeExtension", { SupportedPresetTour: opt(PTZPresetTourSupported) });
export const PTZNode = extend("tt:PTZNode", DeviceEntity, {
  Name: opt(Name),
  SupportedPTZSpaces: PTZSpaces,
  MaximumNumberOfPresets: int,
  HomeSupported: boolean,
  AuxiliaryCommands: many(AuxiliaryData),
  Extension: opt(PTZNodeExtension),
  FixedHomePosition: optAttr(boolean),
});
export const PanTiltLimits = type("tt:PanTiltLimits", { Range: Space2DDescription });
export const ZoomLimits = type("tt:ZoomLimits", { Range: Space1DDescription });
export const PTZConfiguration = printedOnce(
  extend(
    "tt:PTZConfiguration",
    ConfigurationEntity,
    {
      NodeToken: ReferenceToken,
      DefaultAbsolutePantTiltPositionSpace: opt(anyURI),
      DefaultAbsoluteZoomPositionSpace: opt(anyURI),
      DefaultRelativePanTiltTranslationSpace: opt(anyURI),
      DefaultRelativeZoomTranslationSpace: opt(anyURI),
      DefaultContinuousPanTiltVelocitySpace: opt(anyURI),
      DefaultContinuousZoomVelocitySpace: opt(anyURI),
      DefaultPTZSpeed: opt(PTZSpeed),
      DefaultPTZTimeout: opt(duration),
      PanTiltLimits: opt(PanTiltLimits),
      ZoomLimits: opt(ZoomLimits),
      Extension: opt(ANYTHING),
    },
    OPEN,
  ),
);
export const PTZConfigurationOptions = type("tt:PTZConfigurationOptions", {
  Spaces: PTZSpaces,
  PTZTimeout: DurationRange,
});
export const MoveStatus = oneOf("tt:MoveStatus", "IDLE", "MOVING", "UNKNOWN");
export const PTZMoveStatus = type("tt:PTZMoveStatus", { PanTilt: opt(MoveStatus), Zoom: opt(MoveStatus) });
export const PTZStatus = type("tt:PTZStatus", {
  Position: opt(PTZVector),
  MoveStatus: opt(PTZMoveStatus),
  Error: opt(string),
  UtcTime: dateTime,
});
export const PTZPreset = type("tt:PTZPreset", {
  Name: opt(Name),
  PTZPosition: opt(PTZVector),
  token: optAttr(ReferenceToken),
});
