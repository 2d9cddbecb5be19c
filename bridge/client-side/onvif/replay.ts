import { type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { REPLAY } from "../../../wsdl/tables/trp.ts";
import type { ReplayConfiguration } from "../../../wsdl/tables/tt-recording.ts";
import { assertSo } from "./as-it-is.ts";
import { SESSION_TIMEOUT_MS } from "./media-parts.ts";
import { findRecording } from "./recorded.ts";
import type { OnvifSite } from "./site.ts";
import { played, RTSP_WEB_SOCKET_URI, streamUri, transportOf } from "./stream.ts";
import { find } from "./view.ts";

export const REPLAY_CAPABILITIES: ResponseOf<(typeof REPLAY)["operations"]["GetServiceCapabilities"]>["Capabilities"] =
  {
    ReversePlayback: true,
    SessionTimeoutRange: [SESSION_TIMEOUT_MS / 1000, SESSION_TIMEOUT_MS / 1000],
    RTP_RTSP_TCP: true,
    RTSPWebSocketUri: RTSP_WEB_SOCKET_URI,
  };

/** For all clients. */
const CONFIGURATION: ValueOf<typeof ReplayConfiguration> = { SessionTimeout: SESSION_TIMEOUT_MS };

/** Where recordings are played. The time is chosen by RTSP's `Range`, so that the address names the recording alone. */
export function replayService(site: OnvifSite): Service {
  return serve("replay_service", REPLAY, {
    GetServiceCapabilities: () => ({ Capabilities: REPLAY_CAPABILITIES }),
    GetReplayUri: {
      needs: "playback",
      camera: ({ RecordingToken }, { who }) => find(site, who, RecordingToken, "NoRecording").camera.id,
      async run({ RecordingToken, StreamSetup }, { who, base }) {
        const { view } = await findRecording(site, who, RecordingToken);
        return { Uri: streamUri(site, played(view), "recorded", transportOf(StreamSetup), base) };
      },
    },
    GetReplayConfiguration: () => ({ Configuration: CONFIGURATION }),
    SetReplayConfiguration({ Configuration }) {
      assertSo(CONFIGURATION, Configuration, new Set());
      return {};
    },
  });
}
