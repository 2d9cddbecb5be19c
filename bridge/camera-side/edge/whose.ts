import { Fault } from "../../../base/fault.ts";
import { pictureOf } from "../../../media/picture-of.ts";
import type { PictureSize } from "../../../media/picture-size.ts";
import type { Track } from "../../../media/track.ts";
import type { EdgeRecording } from "../../../onvif/client/edge.ts";
import type { ListedProfile } from "../../../onvif/client/media.ts";
import { MAIN_STREAM } from "../../camera.ts";

/** What one stream of a camera is known by, in what the camera has recorded. */
export interface StreamSigns {
  readonly name: string;
  /** Undefined where the camera has none (any more) that is sent at the stream's address. */
  readonly profile: Pick<ListedProfile, "token" | "encoder"> | undefined;
  /** Undefined where it was never described, or has a codec that does not tell. */
  readonly size: PictureSize | undefined;
}

/** A recording that a camera has of its own, and what it says of where it is from. */
export interface ToldRecording extends EdgeRecording {
  /** The media profiles that the camera fills it from. */
  readonly profiles: readonly Pick<ListedProfile, "token" | "encoder">[];
  /** Of its pictures at the time that is asked for. */
  readonly sizes: readonly PictureSize[];
}

/** How it is known that a recording is of the wanted stream: the camera names the profile, its pictures have the size, or nothing speaks against it. */
export type Known = "profile" | "size" | "nothing";

export interface OwnRecording {
  readonly recording: EdgeRecording;
  readonly known: Known;
}

/**
 * The recordings of a camera that are of one stream and not of another one of `others`. Cards have the main stream where nothing is said; of
 * any other stream, the camera has to say it. Fault `not-found` where there is none, with the reason for people.
 */
export function ofStream(
  recordings: readonly ToldRecording[],
  wanted: StreamSigns,
  others: readonly StreamSigns[],
): readonly OwnRecording[] {
  if (recordings.length === 0) return [];
  const judged = recordings.map((recording) => ({ recording, known: judge(recording, wanted, others) }));
  const having = (...those: (Known | "other")[]): readonly OwnRecording[] =>
    judged.flatMap(({ recording, known }) =>
      known !== "other" && those.includes(known) ? [{ recording, known } as const] : [],
    );
  const own = having("profile", "size");
  if (own.length > 0) return own;
  const open = having("nothing");
  if (open.length > 0 && wanted.name === MAIN_STREAM) return open;
  const tell =
    open.length > 0
      ? "the camera does not say which of its streams it records"
      : "the camera records another one of its streams, and not this one";
  throw new Fault("not-found", `${recordings.length} recordings, none of ${wanted.name}`, { tell });
}

/** Whether what a camera sends of such a recording is of another stream all the same, as far as its description tells. */
export function isOfAnother(
  tracks: readonly Track[],
  known: Known,
  wanted: StreamSigns,
  others: readonly StreamSigns[],
): boolean {
  const [video, ...more] = tracks.filter(({ kind }) => kind === "video");
  if (more.length > 0) return true;
  if (video === undefined) return false;
  const size = pictureOf(video);
  if (size !== undefined && isSame(size, wanted.size)) return false;
  return known === "size" || others.some((one) => size !== undefined && isSame(size, one.size));
}

function judge(
  { profiles, sizes }: ToldRecording,
  wanted: StreamSigns,
  others: readonly StreamSigns[],
): Known | "other" {
  const isFrom = ({ profile }: StreamSigns): boolean =>
    profile !== undefined && profiles.some((one) => isSameProfile(one, profile));
  const has = ({ size }: StreamSigns): boolean => sizes.some((one) => isSame(one, size));
  // What is of both of them cannot be told apart.
  for (const [signs, known] of [
    [isFrom, "profile"],
    [has, "size"],
  ] as const) {
    const [own, foreign] = [signs(wanted), others.some(signs)];
    if (own !== foreign) return own ? known : "other";
  }
  return "nothing";
}

/** Profiles with one encoder send the same. */
function isSameProfile(a: NonNullable<StreamSigns["profile"]>, b: NonNullable<StreamSigns["profile"]>): boolean {
  return a.token === b.token || (a.encoder !== undefined && a.encoder === b.encoder);
}

function isSame(a: PictureSize, b: PictureSize | undefined): boolean {
  return b !== undefined && a.width === b.width && a.height === b.height;
}
