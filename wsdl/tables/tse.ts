import { ANYTHING, many, opt, optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { boolean, dateTime, duration, int } from "../simple.ts";
import {
  FindEventResultList,
  FindRecordingResultList,
  JobToken,
  MediaAttributes,
  RecordingInformation,
  RecordingReference,
  RecordingSummary,
  SearchScope,
} from "./tt-recording.ts";

export const Capabilities = type("tse:Capabilities", {
  MetadataSearch: optAttr(boolean),
  GeneralStartEvents: optAttr(boolean),
  NLSearch: optAttr(boolean),
  ImageSearch: optAttr(boolean),
});

/** The recording search service: what we answer of it, and what else it has. */
export const SEARCH = service(
  "tse",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetRecordingSummary: operation("READ_MEDIA", {}, { Summary: RecordingSummary }),
    GetRecordingInformation: operation("READ_MEDIA", { RecordingToken: RecordingReference }, { RecordingInformation }),
    GetMediaAttributes: operation(
      "READ_MEDIA",
      { RecordingTokens: many(RecordingReference), Time: dateTime },
      { MediaAttributes: many(MediaAttributes) },
    ),
    FindRecordings: operation(
      "READ_MEDIA",
      { Scope: SearchScope, MaxMatches: opt(int), KeepAliveTime: duration },
      { SearchToken: JobToken },
    ),
    GetRecordingSearchResults: operation(
      "READ_MEDIA",
      { SearchToken: JobToken, MinResults: opt(int), MaxResults: opt(int), WaitTime: opt(duration) },
      { ResultList: FindRecordingResultList },
    ),
    FindEvents: operation(
      "READ_MEDIA",
      {
        StartPoint: dateTime,
        EndPoint: opt(dateTime),
        Scope: SearchScope,
        SearchFilter: ANYTHING,
        IncludeStartState: boolean,
        MaxMatches: opt(int),
        KeepAliveTime: duration,
      },
      { SearchToken: JobToken },
    ),
    GetEventSearchResults: operation(
      "READ_MEDIA",
      { SearchToken: JobToken, MinResults: opt(int), MaxResults: opt(int), WaitTime: opt(duration) },
      { ResultList: FindEventResultList },
    ),
    EndSearch: operation("READ_MEDIA", { SearchToken: JobToken }, { Endpoint: dateTime }),
  },
  {
    READ_MEDIA: `
      FindPTZPosition GetPTZPositionSearchResults FindMetadata
      GetMetadataSearchResults SearchImageByNL GetNLSearchResults SearchImageByImage GetImageSearchResults`,
    READ_SYSTEM_SECRET: `
      GetSearchState`,
  },
);
