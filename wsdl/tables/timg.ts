import { opt, optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { boolean } from "../simple.ts";
import { ReferenceToken } from "./tt.ts";
import { FocusMove, ImagingOptions20, ImagingSettings20, ImagingStatus20, MoveOptions20 } from "./tt-imaging.ts";

export const Capabilities = type("timg:Capabilities", {
  ImageStabilization: optAttr(boolean),
  Presets: optAttr(boolean),
  AdaptablePreset: optAttr(boolean),
});

const VideoSourceToken = ReferenceToken;

/** The imaging service (ONVIF Imaging): what we answer of it and ask cameras for, and what else it has. */
export const IMAGING = service(
  "timg",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetImagingSettings: operation("READ_MEDIA", { VideoSourceToken }, { ImagingSettings: ImagingSettings20 }),
    SetImagingSettings: operation(
      "ACTUATE",
      { VideoSourceToken, ImagingSettings: ImagingSettings20, ForcePersistence: opt(boolean) },
      {},
    ),
    GetOptions: operation("READ_MEDIA", { VideoSourceToken }, { ImagingOptions: ImagingOptions20 }),
    Move: operation("ACTUATE", { VideoSourceToken, Focus: FocusMove }, {}),
    Stop: operation("ACTUATE", { VideoSourceToken }, {}),
    GetStatus: operation("READ_MEDIA", { VideoSourceToken }, { Status: ImagingStatus20 }),
    GetMoveOptions: operation("READ_MEDIA", { VideoSourceToken }, { MoveOptions: MoveOptions20 }),
  },
  {
    READ_MEDIA: `
      GetPresets GetCurrentPreset`,
    ACTUATE: `
      SetCurrentPreset`,
  },
);
