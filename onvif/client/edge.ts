import { Fault, isFault } from "../../base/fault.ts";
import { SECOND, type UnixMillis } from "../../base/units.ts";
import { pinnedToHost } from "../../net/sides.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import { RECORDING } from "../../wsdl/tables/trc.ts";
import { REPLAY } from "../../wsdl/tables/trp.ts";
import { SEARCH } from "../../wsdl/tables/tse.ts";
import type { RecordingInformation } from "../../wsdl/tables/tt-recording.ts";
import type { Conversation } from "./conversation.ts";
import { addressOf } from "./quirks.ts";

const LIMITS = {
  /** Recordings that are looked at; a camera has one for each of its sensors, a recorder one for each channel. */
  recordings: 64,
  /** How often the results of one search are asked for: cameras search in pieces. */
  rounds: 20,
  waitMs: 5 * SECOND,
  keepAliveMs: 30 * SECOND,
} as const;

/** A recording that a camera has of its own, on a card in it. Times by the camera's clock. */
export interface EdgeRecording {
  readonly token: string;
  /** The sensor that it is of, as the camera names it; undefined where it does not say. */
  readonly source: string | undefined;
  /** Undefined where the camera does not say. */
  readonly from: UnixMillis | undefined;
  /** Undefined where it goes on, or the camera does not say. */
  readonly to: UnixMillis | undefined;
}

/**
 * What a camera has recorded itself of pictures (ONVIF Recording Search 5; Profile G); undefined where it has no services for that.
 * Faults: those of {@link Conversation.ask}.
 */
export async function readEdgeRecordings(conversation: Conversation): Promise<readonly EdgeRecording[] | undefined> {
  const has = await conversation.run(async ({ services: { urls } }) => ({
    search: urls.has(NAMESPACES.tse),
    replay: urls.has(NAMESPACES.trp),
  }));
  if (!has.search || !has.replay) return undefined;
  const found = await searched(conversation).catch((error: unknown) => {
    // Profile G demands both; there are cameras that know only one.
    if (isFault(error, "invalid")) return listed(conversation);
    throw error;
  });
  return found.flatMap((one) => recordingOf(one) ?? []);
}

/** Where a recording is replayed, at the camera's own IP address. Faults: those of {@link Conversation.ask}, `denied`, `invalid`. */
export async function readReplayUri(conversation: Conversation, token: string, ip: string): Promise<URL> {
  const StreamSetup = { Stream: "RTP-Unicast", Transport: { Protocol: "RTSP" } } as const;
  const { Uri } = await conversation.ask(REPLAY, "GetReplayUri", { StreamSetup, RecordingToken: token });
  return pinnedToHost(addressOf(Uri) ?? "", ip, ["rtsp", "rtsps"]);
}

type Information = ValueOf<typeof RecordingInformation>;

async function searched(conversation: Conversation): Promise<readonly Information[]> {
  const asked = { Scope: {}, MaxMatches: LIMITS.recordings, KeepAliveTime: LIMITS.keepAliveMs };
  const { SearchToken } = await conversation.ask(SEARCH, "FindRecordings", asked);
  const found: Information[] = [];
  for (let round = 0; round < LIMITS.rounds; round += 1) {
    const wanted = { SearchToken, MaxResults: LIMITS.recordings, WaitTime: LIMITS.waitMs };
    const { ResultList } = await conversation.ask(SEARCH, "GetRecordingSearchResults", wanted);
    found.push(...(ResultList.RecordingInformation ?? []));
    // Completed, it ends by itself (Recording Search 5.10).
    if (ResultList.SearchState === "Completed") return found.slice(0, LIMITS.recordings);
    if (found.length >= LIMITS.recordings) break;
  }
  await conversation.ask(SEARCH, "EndSearch", { SearchToken }).catch(() => undefined);
  return found.slice(0, LIMITS.recordings);
}

async function listed(conversation: Conversation): Promise<readonly Information[]> {
  const { RecordingItem = [] } = await conversation.ask(RECORDING, "GetRecordings", {});
  const found: Information[] = [];
  for (const { RecordingToken } of RecordingItem.slice(0, LIMITS.recordings))
    found.push((await conversation.ask(SEARCH, "GetRecordingInformation", { RecordingToken })).RecordingInformation);
  return found;
}

/** Undefined for one without pictures. */
function recordingOf(one: Information): EdgeRecording | undefined {
  const pictures = (one.Track ?? []).filter(({ TrackType }) => TrackType === "Video");
  if (pictures.length === 0) return undefined;
  const { RecordingToken: token, Source, EarliestRecording, LatestRecording, RecordingStatus } = one;
  const ends = pictures.map(({ DataTo }) => DataTo);
  return {
    token,
    source: sourceOf(Source.VideoSourceToken) ?? sourceOf(Source.SourceId),
    from: EarliestRecording ?? pictures.map(({ DataFrom }) => DataFrom).toSorted((a, b) => a - b)[0],
    to: RecordingStatus === "Recording" ? undefined : (LatestRecording ?? ends.toSorted((a, b) => b - a)[0]),
  };
}

function sourceOf(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? undefined : trimmed;
}

/**
 * The recordings that are of one sensor: all of them, where neither they nor the camera's streams are of any other; else those that name
 * it. `streamed`: the sensors that the camera has streams of, as far as it says. Fault `invalid` where it cannot be told: footage of another
 * sensor must not be taken for this one's.
 */
export function ofSensor(
  recordings: readonly EdgeRecording[],
  sensor: string | undefined,
  streamed: readonly (string | undefined)[] = [],
): readonly EdgeRecording[] {
  const sources = new Set(recordings.map(({ source }) => source));
  const isOfOne = recordings.length <= 1 || (sources.size === 1 && !sources.has(undefined));
  if (recordings.length === 0 || (isOfOne && new Set(streamed).size <= 1)) return recordings;
  const own = sensor === undefined ? [] : recordings.filter(({ source }) => source === sensor);
  if (own.length > 0) return own;
  throw new Fault("invalid", `${recordings.length} recordings, and none names the sensor ${sensor ?? ""}`, {
    tell: "the camera has several sensors or recordings, and does not say which recording is of this stream",
  });
}
