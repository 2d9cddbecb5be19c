import { ANYTHING, many, OPEN, opt, optAttr, some, type } from "../schema.ts";
import { anyURI, boolean, dateTime, duration, float, int, oneOf, string, text } from "../simple.ts";
import { Name, ReferenceToken, StringAttrList } from "./tt.ts";
import { PRINTED_NOTIFICATION } from "./tt-event.ts";

// Types of the common schema that recording, search and replay need.
// A row stands behind those that it needs; optional elements that are never printed are left out.

export const RecordingReference = text("tt:RecordingReference", 64);
export const Description = text("tt:Description");
export const RecordingSourceInformation = type("tt:RecordingSourceInformation", {
  SourceId: anyURI,
  Name,
  Location: Description,
  Description,
  Address: anyURI,
  VideoSourceToken: opt(ReferenceToken),
});
export const RecordingConfiguration = type("tt:RecordingConfiguration", {
  Source: RecordingSourceInformation,
  Content: Description,
  MaximumRetentionTime: duration,
});
export const TrackReference = text("tt:TrackReference", 64);
export const TrackType = oneOf("tt:TrackType", "Video", "Audio", "Metadata", "Extended");
export const TrackConfiguration = type("tt:TrackConfiguration", { TrackType, Description });
export const GetTracksResponseItem = type("tt:GetTracksResponseItem", {
  TrackToken: TrackReference,
  Configuration: TrackConfiguration,
});
export const GetTracksResponseList = type("tt:GetTracksResponseList", { Track: many(GetTracksResponseItem) });
export const GetRecordingsResponseItem = type("tt:GetRecordingsResponseItem", {
  RecordingToken: RecordingReference,
  Configuration: RecordingConfiguration,
  Tracks: GetTracksResponseList,
});
export const RecordingJobReference = text("tt:RecordingJobReference", 64);
export const RecordingJobMode = text("tt:RecordingJobMode");
export const SourceReference = type("tt:SourceReference", { Token: ReferenceToken, Type: optAttr(anyURI) }, OPEN);
export const RecordingJobTrack = type("tt:RecordingJobTrack", { SourceTag: string, Destination: TrackReference });
export const RecordingJobSource = type("tt:RecordingJobSource", {
  SourceToken: opt(SourceReference),
  AutoCreateReceiver: opt(boolean),
  Tracks: many(RecordingJobTrack),
});
/** A type that the schema gives no name. */
const EventCondition = type("tt:RecordingEventFilter.Filter", { Topic: string });
export const RecordingEventFilter = type("tt:RecordingEventFilter", {
  Filter: some(EventCondition),
  Before: opt(duration),
  After: opt(duration),
});
export const RecordingJobConfiguration = type("tt:RecordingJobConfiguration", {
  RecordingToken: RecordingReference,
  Mode: RecordingJobMode,
  Priority: int,
  Source: many(RecordingJobSource),
  EventFilter: opt(RecordingEventFilter),
});
export const GetRecordingJobsResponseItem = type("tt:GetRecordingJobsResponseItem", {
  JobToken: RecordingJobReference,
  JobConfiguration: RecordingJobConfiguration,
});
export const RecordingJobState = text("tt:RecordingJobState");
export const RecordingJobStateTrack = type("tt:RecordingJobStateTrack", {
  SourceTag: string,
  Destination: TrackReference,
  Error: opt(string),
  State: RecordingJobState,
});
export const RecordingJobStateTracks = type("tt:RecordingJobStateTracks", { Track: many(RecordingJobStateTrack) });
export const RecordingJobStateSource = type("tt:RecordingJobStateSource", {
  SourceToken: SourceReference,
  State: RecordingJobState,
  Tracks: RecordingJobStateTracks,
});
export const RecordingJobStateInformation = type("tt:RecordingJobStateInformation", {
  RecordingToken: RecordingReference,
  State: RecordingJobState,
  Sources: many(RecordingJobStateSource),
});
export const RecordingSummary = type("tt:RecordingSummary", {
  DataFrom: dateTime,
  DataUntil: dateTime,
  NumberRecordings: int,
});
export const TrackInformation = type("tt:TrackInformation", {
  TrackToken: TrackReference,
  TrackType,
  Description,
  DataFrom: dateTime,
  DataTo: dateTime,
});
export const RecordingStatus = oneOf(
  "tt:RecordingStatus",
  "Initiated",
  "Recording",
  "Stopped",
  "Removing",
  "Removed",
  "Unknown",
);
export const RecordingInformation = type("tt:RecordingInformation", {
  RecordingToken: RecordingReference,
  Source: RecordingSourceInformation,
  EarliestRecording: opt(dateTime),
  LatestRecording: opt(dateTime),
  Content: Description,
  Track: many(TrackInformation),
  RecordingStatus,
});
export const VideoAttributes = type("tt:VideoAttributes", {
  Bitrate: opt(int),
  Width: int,
  Height: int,
  Encoding: string,
  Framerate: float,
});
export const AudioAttributes = type("tt:AudioAttributes", { Bitrate: opt(int), Encoding: string, Samplerate: int });
export const MetadataAttributes = type("tt:MetadataAttributes", {
  CanContainPTZ: boolean,
  CanContainAnalytics: boolean,
  CanContainNotifications: boolean,
  PtzSpaces: optAttr(StringAttrList),
});
export const TrackAttributes = type("tt:TrackAttributes", {
  TrackInformation,
  VideoAttributes: opt(VideoAttributes),
  AudioAttributes: opt(AudioAttributes),
  MetadataAttributes: opt(MetadataAttributes),
});
export const MediaAttributes = type("tt:MediaAttributes", {
  RecordingToken: RecordingReference,
  TrackAttributes: many(TrackAttributes),
  From: dateTime,
  Until: dateTime,
});
export const XPathExpression = text("tt:XPathExpression");
export const SearchScope = type("tt:SearchScope", {
  IncludedSources: many(SourceReference),
  IncludedRecordings: many(RecordingReference),
  RecordingInformationFilter: opt(XPathExpression),
  Extension: opt(ANYTHING),
});
export const JobToken = text("tt:JobToken", 64);
export const SearchState = oneOf("tt:SearchState", "Queued", "Searching", "Completed", "Unknown");
export const FindRecordingResultList = type("tt:FindRecordingResultList", {
  SearchState,
  RecordingInformation: many(RecordingInformation),
});
export const FindEventResult = type("tt:FindEventResult", {
  RecordingToken: RecordingReference,
  TrackToken: TrackReference,
  Time: dateTime,
  Event: PRINTED_NOTIFICATION,
  StartStateEvent: boolean,
});
export const FindEventResultList = type("tt:FindEventResultList", { SearchState, Result: many(FindEventResult) });
export const ReplayConfiguration = type("tt:ReplayConfiguration", { SessionTimeout: duration });
