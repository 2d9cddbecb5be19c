import type { UnixMillis } from "../../base/units.ts";
import type { PictureSize } from "../../media/picture-size.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { RECORDING } from "../../wsdl/tables/trc.ts";
import { SEARCH } from "../../wsdl/tables/tse.ts";
import { ifThere } from "./caller.ts";
import type { Conversation } from "./conversation.ts";

const LIMITS = {
  /** Recording jobs that are looked at: a camera has one for each of its recordings. */
  jobs: 64,
} as const;

/** What the source of a recording job is, where that is a media profile of the camera itself. */
const PROFILE_TYPE = "http://www.onvif.org/ver10/schema/Profile";

/**
 * From which media profiles a camera fills its recordings, by the token of each: what its recording jobs say (ONVIF Recording Control,
 * GetRecordingJobs; their source is a receiver where they do not say that it is a profile). Empty where it tells of none. Faults:
 * `unavailable`, `unauthenticated`, `busy`.
 */
export async function readRecordedProfiles(
  conversation: Conversation,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>();
  const isThere = await conversation.run(async ({ services: { urls } }) => urls.has(NAMESPACES.trc));
  if (!isThere) return found;
  const { JobItem = [] } = (await ifThere(conversation.ask(RECORDING, "GetRecordingJobs", {}))) ?? {};
  for (const { JobConfiguration } of JobItem.slice(0, LIMITS.jobs)) {
    const { RecordingToken, Source = [] } = JobConfiguration;
    const profiles = found.get(RecordingToken) ?? new Set();
    for (const { SourceToken } of Source)
      if (SourceToken?.Type?.trim() === PROFILE_TYPE) profiles.add(SourceToken.Token.trim());
    found.set(RecordingToken, profiles);
  }
  return found;
}

/**
 * How large the pictures of one recording are at an instant of the camera's clock (ONVIF Recording Search, GetMediaAttributes): one
 * size for each of its tracks with pictures, none where it does not say. Faults: `unavailable`, `unauthenticated`, `busy`.
 */
export async function readRecordedSizes(
  conversation: Conversation,
  token: string,
  at: UnixMillis,
): Promise<readonly PictureSize[]> {
  const asked = { RecordingTokens: [token], Time: at };
  const { MediaAttributes = [] } = (await ifThere(conversation.ask(SEARCH, "GetMediaAttributes", asked))) ?? {};
  return MediaAttributes.filter(({ RecordingToken }) => RecordingToken === token)
    .flatMap(({ TrackAttributes = [] }) => TrackAttributes)
    .flatMap(({ VideoAttributes }) => (VideoAttributes === undefined ? [] : [VideoAttributes]))
    .map(({ Width: width, Height: height }) => ({ width, height }))
    .filter(({ width, height }) => width > 0 && height > 0);
}
