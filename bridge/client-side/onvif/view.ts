import type { Principal } from "../../../auth/principal.ts";
import { isFault } from "../../../base/fault.ts";
import type { Track } from "../../../media/track.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { OnvifCamera, OnvifSite } from "./site.ts";

/**
 * A camera as ONVIF sees it. Its id is the token of its profile, its sources, its configurations and its recording: tokens
 * need to be unique among things of one kind only, and so a token says no more than a camera's own address does.
 */
export interface View {
  readonly camera: OnvifCamera;
  readonly token: string;
  /** The camera's name as far as ONVIF's `Name` goes. */
  readonly name: string;
  readonly video: Track | undefined;
  readonly audio: Track | undefined;
  readonly metadata: Track | undefined;
  /** 0 while unknown. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const NAME_CHARACTERS = 64;

export function viewOf(camera: OnvifCamera): View {
  const track = (kind: Track["kind"]): Track | undefined => camera.tracks.find((one) => one.kind === kind);
  return {
    camera,
    token: camera.id,
    name: clipped(camera.name),
    video: track("video"),
    audio: track("audio"),
    metadata: track("metadata"),
    width: camera.width ?? 0,
    height: camera.height ?? 0,
    fps: camera.fps ?? 0,
  };
}

/** Cuts between characters, never inside one that takes two code units. */
function clipped(name: string): string {
  let cut = "";
  for (const character of name) {
    if (cut.length + character.length > NAME_CHARACTERS) break;
    cut += character;
  }
  return cut;
}

/** What a token that does not exist, or belongs to a camera that `who` may not see, is answered with. */
export type Missing = "NoProfile" | "NoConfig" | "NoSource" | "NoRecording" | "NoRecordingJob" | "NoTrack";

export function missing(what: Missing): SoapFault {
  return new SoapFault("not-found", "Sender", ["InvalidArgVal", what], `${what}: the token is not known`);
}

/** The camera behind a token. */
export function find(site: OnvifSite, who: Principal, token: string, otherwise: Missing): View {
  try {
    return viewOf(site.camera(who, token));
  } catch (thrown) {
    if (isFault(thrown, "not-found")) throw missing(otherwise);
    throw thrown;
  }
}

/** All cameras that `who` may see. */
export function views(site: OnvifSite, who: Principal): readonly View[] {
  return site.cameras(who).map(viewOf);
}
