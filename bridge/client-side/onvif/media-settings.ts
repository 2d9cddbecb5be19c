import type { KnownCall } from "../../../onvif/server/service.ts";
import type { Part } from "../../made-profiles.ts";
import { assertSo } from "./as-it-is.ts";
import {
  audioSourceConfiguration,
  metadataConfiguration,
  type Tokened,
  videoSourceConfiguration,
} from "./media-parts.ts";
import { findPart } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import type { View } from "./view.ts";

/** What of a stream can be set by the media services. */
type Settable = Exclude<Part, "PTZ">;

/** One `Set…Configuration`, of either service. */
interface Setter {
  readonly needs: "live";
  readonly camera: (request: Wish, call: KnownCall) => string;
  readonly run: (request: Wish, call: KnownCall) => Readonly<Record<string, never>>;
}

interface Wish {
  readonly Configuration: Tokened;
}

/** How each configuration of a stream is made. */
type Makers = Readonly<Record<Settable, (view: View) => Tokened | undefined>>;

/** The same in both services. */
const SHARED = {
  VideoSource: videoSourceConfiguration,
  AudioSource: audioSourceConfiguration,
  Metadata: metadataConfiguration,
} as const;

/**
 * `Set…Configuration` of both media services. What a camera sends is for all who watch it: what may be set is what is so already, and
 * what may be adapted. `encoders`: as the service makes them.
 */
export function mediaSettings(
  site: OnvifSite,
  encoders: Omit<Makers, keyof typeof SHARED>,
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
  return {
    SetVideoSourceConfiguration: set("VideoSource"),
    SetVideoEncoderConfiguration: set("VideoEncoder"),
    SetAudioSourceConfiguration: set("AudioSource"),
    SetAudioEncoderConfiguration: set("AudioEncoder"),
    SetMetadataConfiguration: set("Metadata"),
  };
}
