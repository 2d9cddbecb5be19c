import { type Service, serve } from "../../../onvif/server/service.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { REPLAY } from "../../../wsdl/tables/trp.ts";
import { SESSION_TIMEOUT_MS } from "./media-parts.ts";
import type { OnvifSite } from "./site.ts";
import { RTSP_WEB_SOCKET_URI, streamUri, transportOf } from "./stream.ts";
import { findCamera } from "./view.ts";

export const REPLAY_CAPABILITIES: ResponseOf<(typeof REPLAY)["operations"]["GetServiceCapabilities"]>["Capabilities"] =
  {
    ReversePlayback: true,
    SessionTimeoutRange: [SESSION_TIMEOUT_MS / 1000, SESSION_TIMEOUT_MS / 1000],
    RTP_RTSP_TCP: true,
    RTSPWebSocketUri: RTSP_WEB_SOCKET_URI,
  };

/** Where recordings are played. The time is chosen by RTSP's `Range`, so that the address names the recording alone. */
export function replayService(site: OnvifSite): Service {
  return serve("replay_service", REPLAY, {
    GetServiceCapabilities: () => ({ Capabilities: REPLAY_CAPABILITIES }),
    GetReplayUri: {
      needs: "playback",
      camera: ({ RecordingToken }, { who }) => findCamera(site, who, RecordingToken, "NoRecording").id,
      run: ({ RecordingToken, StreamSetup }, { base }) => ({
        Uri: streamUri(site, { camera: RecordingToken }, "recorded", transportOf(StreamSetup), base),
      }),
    },
    GetReplayConfiguration: () => ({ Configuration: { SessionTimeout: SESSION_TIMEOUT_MS } }),
  });
}
