import { unixMillis } from "../../base/units.ts";
import type { CameraControl, Controls } from "../../bridge/camera-control.ts";

const SPACE = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
const range = { Min: -1, Max: 1 };
const spaces = { ContinuousPanTiltVelocitySpace: [{ URI: SPACE, XRange: range, YRange: range }] };

const CONTROLS: Controls = {
  ptz: {
    configuration: {
      Name: "PTZ",
      UseCount: 9,
      token: "",
      NodeToken: "",
      DefaultContinuousPanTiltVelocitySpace: SPACE,
      DefaultPTZSpeed: { PanTilt: { x: 0.5, y: 0.5 }, Zoom: { x: 1 } },
      DefaultPTZTimeout: 5000,
    },
    node: {
      Name: "Head",
      SupportedPTZSpaces: spaces,
      MaximumNumberOfPresets: 8,
      HomeSupported: true,
      AuxiliaryCommands: ["tt:Wiper|On"],
      token: "",
    },
    options: { Spaces: spaces, PTZTimeout: { Min: 1000, Max: 60_000 } },
  },
  imaging: true,
  encoders: new Map(),
  relays: [{ token: "0", Properties: { Mode: "Bistable", DelayTime: 0, IdleState: "open" } }],
  inputs: [{ token: "1", IdleState: "open" }],
  snapshot: true,
};

const TOUR = {
  token: "round",
  Name: "Round",
  Status: { State: "Touring", CurrentTourSpot: { PresetDetail: { Home: true } } },
  AutoStart: false,
  StartingCondition: { RecurringTime: 3, RecurringDuration: 60_000, Direction: "Backward", RandomPresetOrder: false },
  TourSpot: [
    { PresetDetail: { PresetToken: "door" }, Speed: { PanTilt: { x: 1, y: 1 } }, StayTime: 5000 },
    { PresetDetail: { PTZPosition: { PanTilt: { x: 0.5, y: 0 } } } },
  ],
};

const ANSWERS: Readonly<Record<string, object>> = {
  GetStatus: {
    PTZStatus: {
      Position: { PanTilt: { x: 0.1, y: -0.2 }, Zoom: { x: 0 } },
      MoveStatus: { PanTilt: "IDLE", Zoom: "MOVING" },
      UtcTime: unixMillis(0),
    },
  },
  GetPresets: { Preset: [{ token: "door", Name: "Door", PTZPosition: { PanTilt: { x: 0, y: 0 } } }] },
  SetPreset: { PresetToken: "door" },
  GetPresetTours: { PresetTour: [TOUR] },
  GetPresetTour: { PresetTour: TOUR },
  GetPresetTourOptions: {
    Options: {
      AutoStart: false,
      StartingCondition: { RecurringTime: range, Direction: ["Forward", "Backward"] },
      TourSpot: {
        PresetDetail: {
          PresetToken: ["door"],
          Home: true,
          PanTiltPositionSpace: { URI: SPACE, XRange: range, YRange: range },
        },
        StayTime: { Min: 1000, Max: 60_000 },
      },
    },
  },
  CreatePresetTour: { PresetTourToken: "round" },
  SendAuxiliaryCommand: { AuxiliaryResponse: "" },
  GetImagingSettings: { ImagingSettings: { Brightness: 0.5, Exposure: { Mode: "AUTO" }, IrCutFilter: "AUTO" } },
  GetOptions: { ImagingOptions: { Brightness: range, IrCutFilterModes: ["ON", "AUTO"] } },
  GetMoveOptions: { MoveOptions: { Continuous: { Speed: range } } },
  imagingStatus: { Status: { FocusStatus20: { Position: 1, MoveStatus: "IDLE" } } },
};

/** A camera of which everything can be controlled, and that remembers what was asked. */
export interface FakeControl extends CameraControl {
  readonly asked: readonly (readonly [operation: string, request: object])[];
}

/** `encoders`: none if absent. */
export function fakeControl(encoders: Controls["encoders"] = new Map()): FakeControl {
  const asked: [string, object][] = [];
  const answer = (operation: string, request: object, key = operation): Promise<never> => {
    asked.push([operation, request]);
    return Promise.resolve((ANSWERS[key] ?? {}) as never);
  };
  return {
    asked,
    controls: { ...CONTROLS, encoders },
    ptz: (operation, request) => answer(operation, request),
    imaging: (operation, request) =>
      answer(operation, request, operation === "GetStatus" ? "imagingStatus" : operation),
    setEncoder: (stream, change) => answer("setEncoder", { stream, ...change }),
    setRelay: (token, state) => answer("setRelay", { token, state }),
    snapshot: () => Promise.resolve(Buffer.of(0xff, 0xd8, 0xff, 0xe0, 0xff, 0xd9)),
  };
}
