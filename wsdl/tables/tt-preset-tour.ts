import { many, OPEN, opt, optAttr, type } from "../schema.ts";
import { boolean, duration, int, oneOf } from "../simple.ts";
import { Name, ReferenceToken } from "./tt.ts";
import { IntRange } from "./tt-media.ts";
import { DurationRange, PTZSpeed, PTZVector, Space1DDescription, Space2DDescription } from "./tt-ptz.ts";

// Types of the common schema for preset tours, of what reading, making and operating them needs. Extensions are left out.

export const PTZPresetTourState = oneOf("tt:PTZPresetTourState", "Idle", "Touring", "Paused", "Extended");
export const PTZPresetTourDirection = oneOf("tt:PTZPresetTourDirection", "Forward", "Backward", "Extended");
/** One of the three: a choice in the schema. */
export const PTZPresetTourPresetDetail = type(
  "tt:PTZPresetTourPresetDetail",
  { PresetToken: opt(ReferenceToken), Home: opt(boolean), PTZPosition: opt(PTZVector) },
  OPEN,
);
export const PTZPresetTourSpot = type(
  "tt:PTZPresetTourSpot",
  { PresetDetail: PTZPresetTourPresetDetail, Speed: opt(PTZSpeed), StayTime: opt(duration) },
  OPEN,
);
export const PTZPresetTourStatus = type(
  "tt:PTZPresetTourStatus",
  { State: PTZPresetTourState, CurrentTourSpot: opt(PTZPresetTourSpot) },
  OPEN,
);
export const PTZPresetTourStartingCondition = type(
  "tt:PTZPresetTourStartingCondition",
  {
    RecurringTime: opt(int),
    RecurringDuration: opt(duration),
    Direction: opt(PTZPresetTourDirection),
    RandomPresetOrder: optAttr(boolean),
  },
  OPEN,
);
export const PresetTour = type(
  "tt:PresetTour",
  {
    Name: opt(Name),
    Status: PTZPresetTourStatus,
    AutoStart: boolean,
    StartingCondition: PTZPresetTourStartingCondition,
    TourSpot: many(PTZPresetTourSpot),
    token: optAttr(ReferenceToken),
  },
  OPEN,
);
export const PTZPresetTourStartingConditionOptions = type("tt:PTZPresetTourStartingConditionOptions", {
  RecurringTime: opt(IntRange),
  RecurringDuration: opt(DurationRange),
  Direction: many(PTZPresetTourDirection),
});
export const PTZPresetTourPresetDetailOptions = type("tt:PTZPresetTourPresetDetailOptions", {
  PresetToken: many(ReferenceToken),
  Home: opt(boolean),
  PanTiltPositionSpace: opt(Space2DDescription),
  ZoomPositionSpace: opt(Space1DDescription),
});
export const PTZPresetTourSpotOptions = type("tt:PTZPresetTourSpotOptions", {
  PresetDetail: PTZPresetTourPresetDetailOptions,
  StayTime: DurationRange,
});
export const PTZPresetTourOptions = type("tt:PTZPresetTourOptions", {
  AutoStart: boolean,
  StartingCondition: PTZPresetTourStartingConditionOptions,
  TourSpot: PTZPresetTourSpotOptions,
});
