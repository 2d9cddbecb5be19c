import type { Principal } from "../../../auth/principal.ts";
import { isFault } from "../../../base/fault.ts";
import { remembered } from "../../../base/remember.ts";
import type { Track } from "../../../media/track.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { OnvifCamera, OnvifSite, OnvifStream } from "./site.ts";

/**
 * A stream of a camera as ONVIF sees it: with a profile of its own that nobody changes. The camera's id is the token of its main
 * profile, its sources, its source configurations and its recording, and the id with the stream's name that of every other
 * profile and of what only that has.
 * Tokens need to be unique among things of one kind only, and so a token says no more than an address does.
 */
export interface View {
  readonly camera: OnvifCamera;
  /** Of the camera: `main`, `sub`, … */
  readonly stream: string;
  /** Of the profile and its encoders. */
  readonly token: string;
  /** As far as ONVIF's `Name` goes. */
  readonly name: string;
  readonly tracks: readonly Track[];
  readonly video: Track | undefined;
  readonly audio: Track | undefined;
  readonly metadata: Track | undefined;
  /** 0 while unknown. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Of what the stream is encoded with now; see {@link OnvifStream}. */
  readonly settings: OnvifStream["settings"];
  readonly choices: OnvifStream["choices"];
  readonly multicast: OnvifStream["multicast"];
  readonly source: Source;
}

/** What all streams of a camera come from. */
export interface Source {
  readonly token: string;
  readonly name: string;
  /** How many profiles show it. */
  readonly uses: number;
  /** Of the main stream; 0 while unknown. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const NAME_CHARACTERS = 64;

/** The profiles of a camera, the main one first. */
export const viewsOf: (camera: OnvifCamera) => readonly [View, ...View[]] = remembered((camera) => {
  const [main, ...others] = camera.streams;
  const source: Source = {
    token: camera.id,
    name: clipped(camera.name, NAME_CHARACTERS),
    uses: camera.streams.length,
    width: main.width ?? 0,
    height: main.height ?? 0,
    fps: main.fps ?? 0,
  };
  const view = (stream: OnvifStream, token: string, name: string): View => {
    const track = (kind: Track["kind"]): Track | undefined => stream.tracks.find((one) => one.kind === kind);
    const video = track("video");
    // What the camera said may be older than what it sends.
    const isSaid = stream.settings?.encoding === video?.codec;
    return {
      camera,
      stream: stream.name,
      token,
      name,
      tracks: stream.sent,
      video,
      audio: track("audio"),
      metadata: stream.metadata,
      width: stream.width ?? 0,
      height: stream.height ?? 0,
      fps: stream.fps ?? 0,
      settings: isSaid ? stream.settings : undefined,
      choices: isSaid ? stream.choices : undefined,
      multicast: stream.multicast,
      source,
    };
  };
  return [
    view(main, camera.id, source.name),
    ...others.map((stream) => {
      const suffix = ` ${stream.name}`;
      const name = clipped(camera.name, NAME_CHARACTERS - suffix.length) + suffix;
      return view(stream, `${camera.id}_${stream.name}`, name);
    }),
  ];
});

/** Cuts between characters, never inside one that takes two code units. */
function clipped(name: string, characters: number): string {
  let cut = "";
  for (const character of name) {
    if (cut.length + character.length > characters) break;
    cut += character;
  }
  return cut;
}

/** What a token that does not exist, or belongs to a camera that `who` may not see, is answered with. */
export type Missing =
  | "NoProfile"
  | "NoConfig"
  | "NoSource"
  | "NoRecording"
  | "NoRecordingJob"
  | "NoTrack"
  | "NoEntity"
  | "NoPTZProfile"
  | "RelayToken";

export function missing(what: Missing): SoapFault {
  return new SoapFault("not-found", "Sender", ["InvalidArgVal", what], `${what}: the token is not known`);
}

/** The stream behind a token. */
export function find(site: OnvifSite, who: Principal, token: string, otherwise: Missing): View {
  const found = seek(site, who, token);
  if (found === undefined) throw missing(otherwise);
  return found;
}

/** The same, and undefined where there is none. Ids of cameras may have a `_` of their own. */
export function seek(site: OnvifSite, who: Principal, token: string): View | undefined {
  const main = viewsFor(site, who, token)?.[0];
  if (main !== undefined) return main.token === token ? main : undefined;
  const [, id = token, stream] = /^(.*)_([a-z0-9-]+)$/.exec(token) ?? [];
  const found = viewsFor(site, who, id)?.find((view) => view.stream === stream);
  return found?.token === token ? found : undefined;
}

/** The camera behind a token. */
export function findCamera(site: OnvifSite, who: Principal, token: string, otherwise: Missing): OnvifCamera {
  const camera = viewsFor(site, who, token)?.[0].camera;
  if (camera === undefined) throw missing(otherwise);
  return camera;
}

/** All streams that `who` may see. */
export function views(site: OnvifSite, who: Principal): readonly View[] {
  return site.cameras(who).flatMap(viewsOf);
}

function viewsFor(site: OnvifSite, who: Principal, id: string): ReturnType<typeof viewsOf> | undefined {
  const camera = seenCamera(site, who, id);
  return camera && viewsOf(camera);
}

/** Undefined where it is missing or hidden. */
export function seenCamera(site: OnvifSite, who: Principal, id: string): OnvifCamera | undefined {
  try {
    return site.camera(who, id);
  } catch (thrown) {
    if (isFault(thrown, "not-found")) return undefined;
    throw thrown;
  }
}
