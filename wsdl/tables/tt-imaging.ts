import { attr, many, opt, some, type } from "../schema.ts";
import { float, oneOf, string } from "../simple.ts";
import { FloatRange } from "./tt.ts";
import { MoveStatus } from "./tt-ptz.ts";

// Types of the common schema that the imaging service needs. Extensions are left out.

export const BacklightCompensationMode = oneOf("tt:BacklightCompensationMode", "OFF", "ON");
export const BacklightCompensation20 = type("tt:BacklightCompensation20", {
  Mode: BacklightCompensationMode,
  Level: opt(float),
});
export const ExposureMode = oneOf("tt:ExposureMode", "AUTO", "MANUAL");
export const ExposurePriority = oneOf("tt:ExposurePriority", "LowNoise", "FrameRate");
export const Rectangle = type("tt:Rectangle", {
  bottom: attr(float),
  top: attr(float),
  right: attr(float),
  left: attr(float),
});
export const Exposure20 = type("tt:Exposure20", {
  Mode: ExposureMode,
  Priority: opt(ExposurePriority),
  Window: opt(Rectangle),
  MinExposureTime: opt(float),
  MaxExposureTime: opt(float),
  MinGain: opt(float),
  MaxGain: opt(float),
  MinIris: opt(float),
  MaxIris: opt(float),
  ExposureTime: opt(float),
  Gain: opt(float),
  Iris: opt(float),
});
export const AutoFocusMode = oneOf("tt:AutoFocusMode", "AUTO", "MANUAL");
export const FocusConfiguration20 = type("tt:FocusConfiguration20", {
  AutoFocusMode,
  DefaultSpeed: opt(float),
  NearLimit: opt(float),
  FarLimit: opt(float),
});
export const IrCutFilterMode = oneOf("tt:IrCutFilterMode", "ON", "OFF", "AUTO");
export const WideDynamicMode = oneOf("tt:WideDynamicMode", "OFF", "ON");
export const WideDynamicRange20 = type("tt:WideDynamicRange20", { Mode: WideDynamicMode, Level: opt(float) });
export const WhiteBalanceMode = oneOf("tt:WhiteBalanceMode", "AUTO", "MANUAL");
export const WhiteBalance20 = type("tt:WhiteBalance20", {
  Mode: WhiteBalanceMode,
  CrGain: opt(float),
  CbGain: opt(float),
});
export const ImagingSettings20 = type("tt:ImagingSettings20", {
  BacklightCompensation: opt(BacklightCompensation20),
  Brightness: opt(float),
  ColorSaturation: opt(float),
  Contrast: opt(float),
  Exposure: opt(Exposure20),
  Focus: opt(FocusConfiguration20),
  IrCutFilter: opt(IrCutFilterMode),
  Sharpness: opt(float),
  WideDynamicRange: opt(WideDynamicRange20),
  WhiteBalance: opt(WhiteBalance20),
});

export const BacklightCompensationOptions20 = type("tt:BacklightCompensationOptions20", {
  Mode: some(BacklightCompensationMode),
  Level: opt(FloatRange),
});
export const ExposureOptions20 = type("tt:ExposureOptions20", {
  Mode: some(ExposureMode),
  Priority: many(ExposurePriority),
  MinExposureTime: opt(FloatRange),
  MaxExposureTime: opt(FloatRange),
  MinGain: opt(FloatRange),
  MaxGain: opt(FloatRange),
  MinIris: opt(FloatRange),
  MaxIris: opt(FloatRange),
  ExposureTime: opt(FloatRange),
  Gain: opt(FloatRange),
  Iris: opt(FloatRange),
});
export const FocusOptions20 = type("tt:FocusOptions20", {
  AutoFocusModes: many(AutoFocusMode),
  DefaultSpeed: opt(FloatRange),
  NearLimit: opt(FloatRange),
  FarLimit: opt(FloatRange),
});
export const WideDynamicRangeOptions20 = type("tt:WideDynamicRangeOptions20", {
  Mode: some(WideDynamicMode),
  Level: opt(FloatRange),
});
export const WhiteBalanceOptions20 = type("tt:WhiteBalanceOptions20", {
  Mode: some(WhiteBalanceMode),
  YrGain: opt(FloatRange),
  YbGain: opt(FloatRange),
});
export const ImagingOptions20 = type("tt:ImagingOptions20", {
  BacklightCompensation: opt(BacklightCompensationOptions20),
  Brightness: opt(FloatRange),
  ColorSaturation: opt(FloatRange),
  Contrast: opt(FloatRange),
  Exposure: opt(ExposureOptions20),
  Focus: opt(FocusOptions20),
  IrCutFilterModes: many(IrCutFilterMode),
  Sharpness: opt(FloatRange),
  WideDynamicRange: opt(WideDynamicRangeOptions20),
  WhiteBalance: opt(WhiteBalanceOptions20),
});

export const AbsoluteFocus = type("tt:AbsoluteFocus", { Position: float, Speed: opt(float) });
export const RelativeFocus = type("tt:RelativeFocus", { Distance: float, Speed: opt(float) });
export const ContinuousFocus = type("tt:ContinuousFocus", { Speed: float });
export const FocusMove = type("tt:FocusMove", {
  Absolute: opt(AbsoluteFocus),
  Relative: opt(RelativeFocus),
  Continuous: opt(ContinuousFocus),
});
export const AbsoluteFocusOptions = type("tt:AbsoluteFocusOptions", { Position: FloatRange, Speed: opt(FloatRange) });
export const RelativeFocusOptions20 = type("tt:RelativeFocusOptions20", {
  Distance: FloatRange,
  Speed: opt(FloatRange),
});
export const ContinuousFocusOptions = type("tt:ContinuousFocusOptions", { Speed: FloatRange });
export const MoveOptions20 = type("tt:MoveOptions20", {
  Absolute: opt(AbsoluteFocusOptions),
  Relative: opt(RelativeFocusOptions20),
  Continuous: opt(ContinuousFocusOptions),
});
export const FocusStatus20 = type("tt:FocusStatus20", { Position: float, MoveStatus, Error: opt(string) });
export const ImagingStatus20 = type("tt:ImagingStatus20", { FocusStatus20: opt(FocusStatus20) });
