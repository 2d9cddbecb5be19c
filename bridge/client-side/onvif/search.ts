import type { Principal } from "../../../auth/principal.ts";
import type { Clock } from "../../../base/clock.ts";
import { type UnixMillis, unixMillis } from "../../../base/units.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { printNotification } from "../../../wsdl/notification.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { SEARCH } from "../../../wsdl/tables/tse.ts";
import type {
  FindEventResult,
  MediaAttributes,
  SearchScope,
  TrackAttributes,
} from "../../../wsdl/tables/tt-recording.ts";
import { readEventFilter } from "./event-filter.ts";
import { EventSearch, type FoundEvent } from "./event-search.ts";
import { audioBitrate } from "./media-parts.ts";
import { MESSAGE_PREFIXES } from "./notifications.ts";
import { extentOf, findRecording, informationOf, type RecordedTrack, type Recording, recordings } from "./recorded.ts";
import { resultsFor, type SearchSessions } from "./search-sessions.ts";
import type { OnvifSite } from "./site.ts";
import type { View } from "./view.ts";

export const SEARCH_CAPABILITIES: ResponseOf<(typeof SEARCH)["operations"]["GetServiceCapabilities"]>["Capabilities"] =
  { MetadataSearch: false, GeneralStartEvents: true };

/** What was recorded, and from when to when. A search for recordings looks at what is there when it begins. */
export function searchService(site: OnvifSite, sessions: SearchSessions, clock: Clock): Service {
  const ownerOf = (who: Principal): string => `${who.accountId} ${site.device.uuid}`;
  return serve("search_service", SEARCH, {
    GetServiceCapabilities: () => ({ Capabilities: SEARCH_CAPABILITIES }),
    GetRecordingSummary: async (_, { who }) => {
      const all = await recordings(site, who);
      const extents = all.flatMap((recording) => extentOf(recording) ?? []);
      const now = clock.now();
      return {
        Summary: {
          DataFrom: unixMillis(Math.min(now, ...extents.map(({ from }) => from))),
          DataUntil: extents.length === 0 ? now : unixMillis(Math.max(...extents.map(({ to }) => to))),
          NumberRecordings: all.length,
        },
      };
    },
    GetRecordingInformation: async ({ RecordingToken }, { who }) => ({
      RecordingInformation: informationOf(await findRecording(site, who, RecordingToken)),
    }),
    GetMediaAttributes: async ({ RecordingTokens = [], Time }, { who }) => {
      const found = new Map((await recordings(site, who)).map((recording) => [recording.view.token, recording]));
      return {
        MediaAttributes: [...new Set(RecordingTokens)].flatMap((token) => attributesOf(found.get(token), Time) ?? []),
      };
    },
    FindRecordings: async ({ Scope, MaxMatches, KeepAliveTime }, { who }) => {
      const matches = matcherOf(Scope);
      const found = (await recordings(site, who)).filter(matches);
      const bounded = MaxMatches === undefined || MaxMatches <= 0 ? found : found.slice(0, MaxMatches);
      return { SearchToken: sessions.open(ownerOf(who), "recordings", [...bounded], KeepAliveTime) };
    },
    // Everything was found at once, so there is nothing to wait for: MinResults and WaitTime are met by any answer.
    GetRecordingSearchResults: async ({ SearchToken, MaxResults }, { who }) => {
      const waiting = sessions.find(ownerOf(who), "recordings", SearchToken);
      const results = waiting.splice(0, resultsFor(MaxResults));
      const completed = waiting.length === 0;
      if (completed) sessions.end(ownerOf(who), SearchToken);
      // Rights may have changed since the search began, and footage has become older.
      const now = new Map((await recordings(site, who)).map((recording) => [recording.view.token, recording]));
      const found = results.flatMap(({ view }) => now.get(view.token) ?? []);
      return {
        ResultList: {
          SearchState: completed ? ("Completed" as const) : ("Searching" as const),
          RecordingInformation: found.map(informationOf),
        },
      };
    },
    async FindEvents(
      { StartPoint, EndPoint, Scope, SearchFilter, IncludeStartState, MaxMatches, KeepAliveTime },
      { who },
    ) {
      const filter = readEventFilter(SearchFilter.element, clock);
      const searched = {
        recordings: (await recordings(site, who)).filter(matcherOf(Scope)),
        from: StartPoint,
        to: EndPoint ?? clock.now(),
        filter,
        startState: IncludeStartState,
        most: MaxMatches === undefined || MaxMatches <= 0 ? Number.POSITIVE_INFINITY : MaxMatches,
      };
      const search = new EventSearch(site.history, searched, clock);
      return { SearchToken: sessions.open(ownerOf(who), "events", search, KeepAliveTime) };
    },
    async GetEventSearchResults({ SearchToken, MaxResults, WaitTime }, { who }) {
      const search = sessions.find(ownerOf(who), "events", SearchToken);
      const { events, completed } = await search.next(resultsFor(MaxResults), WaitTime);
      if (completed) sessions.end(ownerOf(who), SearchToken);
      // Rights may have changed since the search began, and footage has become older.
      const now = new Map((await recordings(site, who)).map((recording) => [recording.view.token, recording]));
      const mayKnow = ({ recording: { view }, notification, told }: FoundEvent): boolean => {
        const ageMs = clock.now() - notification.at;
        const reachMs = now.get(view.token)?.reachMs ?? 0;
        return ageMs <= reachMs && (!told || ageMs <= site.eventsReachMs(who, view.camera.id));
      };
      return {
        ResultList: {
          SearchState: completed ? ("Completed" as const) : ("Searching" as const),
          Result: events.filter(mayKnow).map(resultOf),
        },
      };
    },
    EndSearch: ({ SearchToken }, { who }) => {
      sessions.end(ownerOf(who), SearchToken);
      return { Endpoint: clock.now() };
    },
  });
}

function resultOf({ recording, track, notification, virtual }: FoundEvent): ValueOf<typeof FindEventResult> {
  return {
    RecordingToken: recording.view.token,
    TrackToken: track,
    Time: notification.at,
    Event: { xml: printNotification(notification), prefixes: MESSAGE_PREFIXES },
    StartStateEvent: virtual,
  };
}

/**
 * The one condition that clients are known to send (Recording Search 5.22 and its examples): a track of one type; several with `and`
 * between. Anything else in the filter language is refused as such, rather than answered with too many recordings.
 */
const TRACK_FILTER = /^boolean\(\/\/Track\[TrackType\s*=\s*(["'])(Video|Audio|Metadata)\1\]\)$/;

/** The types of track that a recording has to have, all of them. */
function typesIn(filter: string): readonly string[] {
  if (filter === "") return [];
  return filter.split(/\sand\s/).map((condition) => {
    const type = TRACK_FILTER.exec(condition.trim())?.[2];
    if (type === undefined)
      throw new SoapFault("invalid", "Sender", ["InvalidArgVal", "InvalidFilterFault"], "The filter is not supported");
    return type;
  });
}

function matcherOf(scope: ValueOf<typeof SearchScope>): (recording: Recording) => boolean {
  const { IncludedSources = [], IncludedRecordings = [], RecordingInformationFilter } = scope;
  const sources = new Set(IncludedSources.map(({ Token }) => Token));
  const tokens = new Set(IncludedRecordings);
  const types = typesIn(RecordingInformationFilter?.trim() ?? "");
  return (recording) =>
    // By the video source, or by the profile that is recorded: clients compare with either.
    (sources.size === 0 || sources.has(recording.view.source.token) || sources.has(recording.view.token)) &&
    (tokens.size === 0 || tokens.has(recording.view.token)) &&
    (types.length === 0 ||
      (extentOf(recording) !== undefined &&
        types.every((type) => recording.tracks.some((track) => track.type === type))));
}

/** Undefined for a recording that is not there, is hidden, or has nothing at that time. */
function attributesOf(recording: Recording | undefined, at: UnixMillis): ValueOf<typeof MediaAttributes> | undefined {
  const extent = recording && extentOf(recording);
  if (recording === undefined || extent === undefined || at < extent.from || at > extent.to) return undefined;
  const { view, tracks } = recording;
  return {
    RecordingToken: view.token,
    TrackAttributes: tracks.map((track) => trackAttributes(view, track, extent)),
    From: extent.from,
    Until: extent.to,
  };
}

function trackAttributes(
  { width, height, fps }: View,
  { token, type, track }: RecordedTrack,
  extent: { readonly from: UnixMillis; readonly to: UnixMillis },
): ValueOf<typeof TrackAttributes> {
  const video = { Width: width, Height: height, Encoding: track.encoding, Framerate: fps };
  const audio = {
    Bitrate: audioBitrate(track),
    Encoding: track.codec === "MPEG4-GENERIC" ? "AAC" : /^PCM[UA]$/.test(track.codec) ? "G711" : track.encoding,
    Samplerate: Math.round(track.clockRateHz / 1000),
  };
  return {
    TrackInformation: {
      TrackToken: token,
      TrackType: type,
      Description: type,
      DataFrom: extent.from,
      DataTo: extent.to,
    },
    VideoAttributes: type === "Video" ? video : undefined,
    AudioAttributes: type === "Audio" ? audio : undefined,
    MetadataAttributes:
      type === "Metadata"
        ? { CanContainPTZ: true, CanContainAnalytics: true, CanContainNotifications: true }
        : undefined,
  };
}
