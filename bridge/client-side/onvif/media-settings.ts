import type { VideoChange } from "../../../media/video-settings.ts";
import type { KnownCall } from "../../../onvif/server/service.ts";
import type { Part } from "../../made-profiles.ts";
import { ADAPTED, assertSo } from "./as-it-is.ts";
import { encoderChange } from "./encoder-change.ts";
import {
  audioSourceConfiguration,
  metadataConfiguration,
  type Tokened,
  videoSourceConfiguration,
} from "./media-parts.ts";
import { findPart } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import { played } from "./stream.ts";
import type { View } from "./view.ts";

/** What of a stream can be set by the media services. */
type Settable = Exclude<Part, "PTZ">;

/** One `Set…Configuration`, of either service. */
interface Setter {
  readonly needs: "live";
  readonly camera: (request: Wish, call: KnownCall) => string;
  readonly run: (request: Wish, call: KnownCall) => Empty | Promise<Empty>;
}

interface Wish {
  readonly Configuration: Tokened;
}

type Empty = Readonly<Record<string, never>>;

/** How each configuration of a stream is made. */
type Makers = Readonly<Record<Settable, (view: View) => Tokened | undefined>>;

/** The same in both services. */
const SHARED = {
  VideoSource: videoSourceConfiguration,
  AudioSource: audioSourceConfiguration,
  Metadata: metadataConfiguration,
} as const;

/** What of a video encoder goes through to the camera for who may set it. */
const THROUGH: ReadonlySet<string> = new Set([...ADAPTED, "Resolution", "H264", "GovLength", "Profile"]);

/**
 * `Set…Configuration` of both media services. What a camera sends is for all who watch it: what may be set is what is so already, and
 * what may be adapted. Who may change how it encodes a stream changes that at the camera. `encoders`: as the service makes them;
 * `said`: what one of its video encoders says.
 */
export function mediaSettings<T extends Tokened>(
  site: OnvifSite,
  encoders: { readonly VideoEncoder: (view: View) => T | undefined } & Pick<Makers, "AudioEncoder">,
  said: (configuration: T) => VideoChange,
): Readonly<Record<`Set${Settable}Configuration`, Setter>> {
  const makers: Makers = { ...SHARED, ...encoders };
  const set = (part: Settable): Setter => ({
    needs: "live",
    camera: ({ Configuration }, { who }) => findPart(site, who, part, Configuration.token).camera.id,
    run({ Configuration }, { who }) {
      assertSo(makers[part](findPart(site, who, part, Configuration.token)) ?? {}, Configuration);
      return {};
    },
  });
  const asIs = set("VideoEncoder");
  return {
    SetVideoSourceConfiguration: set("VideoSource"),
    SetVideoEncoderConfiguration: {
      ...asIs,
      async run(request, call) {
        const view = findPart(site, call.who, "VideoEncoder", request.Configuration.token);
        const current = encoders.VideoEncoder(view);
        if (current === undefined || view.choices === undefined) return asIs.run(request, call);
        assertSo(current, request.Configuration, THROUGH);
        const change = encoderChange(view.choices, said(current), said(request.Configuration as T));
        if (Object.keys(change).length > 0) await site.setEncoder(call.who, played(view), change, call.peer.address);
        return {};
      },
    },
    SetAudioSourceConfiguration: set("AudioSource"),
    SetAudioEncoderConfiguration: set("AudioEncoder"),
    SetMetadataConfiguration: set("Metadata"),
  };
}
