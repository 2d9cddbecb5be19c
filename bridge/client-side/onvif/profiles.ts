import type { Principal } from "../../../auth/principal.ts";
import { remembered, sameLists } from "../../../base/remember.ts";
import type { TrackKind } from "../../../media/track.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { type MadeProfile, PARTS, type Part } from "../../made-profiles.ts";
import type { OnvifSite } from "./site.ts";
import { missing, seek, type View, views } from "./view.ts";

/** By what a profile has: the stream that it is of, which need not have it. */
export type Parts = Readonly<Partial<Record<Part, View>>>;

/** A media profile as it is shown: that of a stream, or one that its client has put together of parts of one. */
export interface ShownProfile {
  readonly token: string;
  readonly name: string;
  /** Of a stream: it has all of that, and nobody changes it. */
  readonly fixed: boolean;
  readonly parts: Parts;
}

/** The token of a stream's part of each kind; undefined where it has none. */
const TOKENS: Readonly<Record<Part, (view: View) => string | undefined>> = {
  VideoSource: ({ video, source }) => video && source.token,
  VideoEncoder: ({ video, token }) => video && token,
  AudioSource: ({ audio, source }) => audio && source.token,
  AudioEncoder: ({ audio, token }) => audio && token,
  Metadata: ({ metadata, token }) => metadata && token,
  PTZ: ({ camera: { controls, id } }) => controls.ptz && id,
};

/** What is there with one of the others alone (Media2 5.3.1). */
const DEPENDS: Readonly<Partial<Record<Part, readonly Part[]>>> = {
  VideoEncoder: ["VideoSource"],
  AudioEncoder: ["AudioSource"],
  PTZ: ["VideoSource"],
  Metadata: ["VideoSource", "AudioSource"],
};

/** What is of a stream, and not of its camera: those of a profile go out in one RTSP session. */
const OF_STREAM = ["VideoEncoder", "AudioEncoder", "Metadata"] as const satisfies readonly Part[];

const KINDS: Readonly<Record<(typeof OF_STREAM)[number], TrackKind>> = {
  VideoEncoder: "video",
  AudioEncoder: "audio",
  Metadata: "metadata",
};

const ofStream = remembered((view: View): ShownProfile => {
  const { token, name } = view;
  return { token, name, fixed: true, parts: Object.fromEntries(PARTS.map((part) => [part, view])) };
});

/** What is hidden from the profile's owner by now, or gone, is not in it. */
function shown(site: OnvifSite, who: Principal, { token, name, parts }: MadeProfile): ShownProfile {
  const there = PARTS.flatMap((part) => {
    const view = seekPart(site, who, part, parts[part]);
    return view === undefined ? [] : [[part, view] as const];
  });
  return { token, name, fixed: false, parts: Object.fromEntries(there) };
}

function seekPart(site: OnvifSite, who: Principal, part: Part, token: string | undefined): View | undefined {
  const view = token === undefined ? undefined : seek(site, who, token);
  return view !== undefined && TOKENS[part](view) === token ? view : undefined;
}

/** The stream whose part of that kind has this token. Fault `NoConfig`. */
export function findPart(site: OnvifSite, who: Principal, part: Part, token: string): View {
  const view = seekPart(site, who, part, token);
  if (view === undefined) throw missing("NoConfig");
  return view;
}

const sameProfiles = sameLists<ShownProfile>();

/** All profiles that `who` may see: those of the streams, and what `who` has made. Where there is nothing of the latter, the same list as before while it is no other. */
export function profiles(site: OnvifSite, who: Principal): readonly ShownProfile[] {
  const fixed = sameProfiles(views(site, who).map(ofStream));
  const made = site.profiles(who).list();
  if (made.length === 0) return fixed;
  // What was made stays what its maker knows by that token: a stream that has come later by the same one is there again without it.
  const taken = new Set(made.map(({ token }) => token));
  return [...fixed.filter(({ token }) => !taken.has(token)), ...made.map((one) => shown(site, who, one))];
}

/** Fault `NoProfile`. */
export function findProfile(site: OnvifSite, who: Principal, token: string): ShownProfile {
  const made = site.profiles(who).find(token);
  if (made !== undefined) return shown(site, who, made);
  const view = seek(site, who, token);
  if (view === undefined) throw missing("NoProfile");
  return ofStream(view);
}

/**
 * Of `tokens`, of which nothing is shown to `who` now: what can stay in a profile beside `parts`, to be there again when it is. What
 * is of a camera that is not seen can where nothing is shown at all, for a profile is of one camera.
 */
export function hiddenBeside(
  site: OnvifSite,
  who: Principal,
  parts: Parts,
  tokens: MadeProfile["parts"],
): MadeProfile["parts"] {
  const isEmpty = PARTS.every((part) => parts[part] === undefined);
  const hidden: Partial<Record<Part, string>> = {};
  let all = parts;
  for (const part of PARTS) {
    const token = tokens[part];
    if (token === undefined || all[part] !== undefined) continue;
    const view = seek(site, who, token);
    const beside = { ...all, [part]: view };
    const fits =
      view === undefined
        ? isEmpty && !isAlone(part, (other) => hidden[other] !== undefined)
        : conflictOf(beside) === undefined;
    if (!fits) continue;
    hidden[part] = token;
    all = beside;
  }
  return hidden;
}

/** Why these cannot be in one profile; undefined where they can. */
export function conflictOf(parts: Parts): string | undefined {
  const cameras = new Set(PARTS.flatMap((part) => parts[part]?.camera.id ?? []));
  if (cameras.size > 1) return "A profile has parts of one camera alone";
  const streams = new Set(OF_STREAM.flatMap((part) => parts[part]?.token ?? []));
  if (streams.size > 1) return "Encoders and metadata of a profile are of one stream of the camera";
  const alone = PARTS.find((part) => parts[part] !== undefined && isAlone(part, (other) => parts[other] !== undefined));
  return alone && `${alone} needs ${DEPENDS[alone]?.join(" or ")} in the same profile`;
}

function isAlone(part: Part, has: (other: Part) => boolean): boolean {
  return DEPENDS[part]?.some(has) === false;
}

/** The streams whose part of that kind a profile has, or can be given in place of what it has. */
export function compatible(
  site: OnvifSite,
  who: Principal,
  { fixed, parts }: ShownProfile,
  part: Part,
): readonly View[] {
  const has = (view: View): boolean => TOKENS[part](view) !== undefined;
  if (fixed) return [parts[part] ?? []].flat().filter(has);
  return views(site, who).filter((view) => has(view) && conflictOf({ ...parts, [part]: view }) === undefined);
}

/** The token of a profile's part; undefined where it has none. */
export function tokenOf({ parts }: ShownProfile, part: Part): string | undefined {
  const view = parts[part];
  return view && TOKENS[part](view);
}

/** The camera that a profile shows. Fault where there is nothing of one in it. */
export function cameraOf(profile: ShownProfile): View["camera"] {
  const camera = PARTS.map((part) => profile.parts[part]?.camera).find((one) => one !== undefined);
  if (camera === undefined) throw incomplete();
  return camera;
}

/** The stream that is played for a profile, with what of it is in the profile where that is not all. Fault where it has nothing to be played. */
export function streamOf(profile: ShownProfile): { readonly view: View; readonly tracks?: readonly TrackKind[] } {
  const inside = OF_STREAM.filter((part) => profile.parts[part] !== undefined);
  const [first] = inside;
  const view = first && profile.parts[first];
  if (view === undefined) throw incomplete();
  if (OF_STREAM.every((part) => inside.includes(part) || TOKENS[part](view) === undefined)) return { view };
  return { view, tracks: inside.map((part) => KINDS[part]) };
}

function incomplete(): SoapFault {
  return new SoapFault(
    "invalid",
    "Receiver",
    ["Action", "IncompleteConfiguration"],
    "There is nothing in the profile that could be streamed: add a source, and an encoder of it",
  );
}

/** For a right: the camera of the profile behind a token. */
export function cameraIdOf(site: OnvifSite, who: Principal, token: string): string {
  return cameraOf(findProfile(site, who, token)).id;
}
