import { optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { anyURI, boolean } from "../simple.ts";
import { FloatList, ReferenceToken, StreamSetup } from "./tt.ts";
import { ReplayConfiguration } from "./tt-recording.ts";

export const Capabilities = type("trp:Capabilities", {
  ReversePlayback: optAttr(boolean),
  SessionTimeoutRange: optAttr(FloatList),
  RTP_RTSP_TCP: optAttr(boolean),
  RTSPWebSocketUri: optAttr(anyURI),
});

/** The replay control service: what we answer of it, and what else it has. */
export const REPLAY = service(
  "trp",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetReplayUri: operation("READ_MEDIA", { StreamSetup, RecordingToken: ReferenceToken }, { Uri: anyURI }),
    GetReplayConfiguration: operation("READ_MEDIA", {}, { Configuration: ReplayConfiguration }),
    SetReplayConfiguration: operation("ACTUATE", { Configuration: ReplayConfiguration }, {}),
  },
  {},
);
