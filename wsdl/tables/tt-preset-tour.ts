import { many, opt, optAttr, type } from "../schema.ts";
import { boolean, duration, int, oneOf } from "../simple.ts";
import { Name, ReferenceToken } from "./tt.ts";
import { PTZSpeed, PTZVector } from "./tt-ptz.ts";

// Types of the common schema for preset tours, of what reading and operating them needs. Extensions are left out.

export const PTZPresetTourState = oneOf("tt:PTZPresetTourState", "Idle", "Touring", "Paused", "Extended");
export const PTZPresetTourDirection = oneOf("tt:PTZPresetTourDirection", "Forward", "Backward", "Extended");
/** One of the three: a choice in the schema. */
export const PTZPresetTourPresetDetail = type("tt:PTZPresetTourPresetDetail", {
  PresetToken: opt(ReferenceToken),
  Home: opt(boolean),
  PTZPosition: opt(PTZVector),
});
export const PTZPresetTourSpot = type("tt:PTZPresetTourSpot", {
  PresetDetail: PTZPresetTourPresetDetail,
  Speed: opt(PTZSpeed),
  StayTime: opt(duration),
});
export const PTZPresetTourStatus = type("tt:PTZPresetTourStatus", {
  State: PTZPresetTourState,
  CurrentTourSpot: opt(PTZPresetTourSpot),
});
export const PTZPresetTourStartingCondition = type("tt:PTZPresetTourStartingCondition", {
  RecurringTime: opt(int),
  RecurringDuration: opt(duration),
  Direction: opt(PTZPresetTourDirection),
  RandomPresetOrder: optAttr(boolean),
});
export const PresetTour = type("tt:PresetTour", {
  Name: opt(Name),
  Status: PTZPresetTourStatus,
  AutoStart: boolean,
  StartingCondition: PTZPresetTourStartingCondition,
  TourSpot: many(PTZPresetTourSpot),
  token: optAttr(ReferenceToken),
});
