import { many, optAttr, type } from "../schema.ts";
import { operation, service } from "../service.ts";
import { boolean, duration, float, int } from "../simple.ts";
import { StringAttrList, StringList } from "./tt.ts";
import {
  GetRecordingJobsResponseItem,
  GetRecordingsResponseItem,
  RecordingConfiguration,
  RecordingJobConfiguration,
  RecordingJobMode,
  RecordingJobReference,
  RecordingJobStateInformation,
  RecordingReference,
  TrackConfiguration,
  TrackReference,
} from "./tt-recording.ts";

export const Capabilities = type("trc:Capabilities", {
  DynamicRecordings: optAttr(boolean),
  DynamicTracks: optAttr(boolean),
  Encoding: optAttr(StringList),
  MaxRate: optAttr(float),
  MaxTotalRate: optAttr(float),
  MaxRecordings: optAttr(float),
  MaxRecordingJobs: optAttr(int),
  Options: optAttr(boolean),
  MetadataRecording: optAttr(boolean),
  SupportedExportFileFormats: optAttr(StringAttrList),
  EventRecording: optAttr(boolean),
  BeforeEventLimit: optAttr(duration),
  AfterEventLimit: optAttr(duration),
  SupportedTargetFormats: optAttr(StringAttrList),
  EncryptionEntryLimit: optAttr(int),
  SupportedEncryptionModes: optAttr(StringAttrList),
  OverrideSegmentDuration: optAttr(boolean),
  AsymmetricEncryptionSupported: optAttr(boolean),
  ScheduledRecording: optAttr(boolean),
  OnboardStorage: optAttr(boolean),
  SegmentExport: optAttr(boolean),
});
export const JobOptions = type("trc:JobOptions", { Spare: optAttr(int), CompatibleSources: optAttr(StringAttrList) });
export const TrackOptions = type("trc:TrackOptions", {
  SpareTotal: optAttr(int),
  SpareVideo: optAttr(int),
  SpareAudio: optAttr(int),
  SpareMetadata: optAttr(int),
});
export const RecordingOptions = type("trc:RecordingOptions", { Job: JobOptions, Track: TrackOptions });

/** The recording control service: what we answer of it, and what else it has. */
export const RECORDING = service(
  "trc",
  {
    GetServiceCapabilities: operation("PRE_AUTH", {}, { Capabilities }),
    GetRecordings: operation("READ_MEDIA", {}, { RecordingItem: many(GetRecordingsResponseItem) }),
    GetRecordingConfiguration: operation(
      "READ_MEDIA",
      { RecordingToken: RecordingReference },
      { RecordingConfiguration },
    ),
    GetRecordingOptions: operation("READ_MEDIA", { RecordingToken: RecordingReference }, { Options: RecordingOptions }),
    GetTrackConfiguration: operation(
      "READ_MEDIA",
      { RecordingToken: RecordingReference, TrackToken: TrackReference },
      { TrackConfiguration },
    ),
    GetRecordingJobs: operation("READ_MEDIA", {}, { JobItem: many(GetRecordingJobsResponseItem) }),
    GetRecordingJobConfiguration: operation(
      "READ_MEDIA",
      { JobToken: RecordingJobReference },
      { JobConfiguration: RecordingJobConfiguration },
    ),
    SetRecordingJobMode: operation("ACTUATE", { JobToken: RecordingJobReference, Mode: RecordingJobMode }, {}),
    GetRecordingJobState: operation(
      "READ_MEDIA",
      { JobToken: RecordingJobReference },
      { State: RecordingJobStateInformation },
    ),
  },
  {
    ACTUATE: `
      CreateRecording DeleteRecording SetRecordingConfiguration CreateTrack DeleteTrack
      SetTrackConfiguration CreateRecordingJob DeleteRecordingJob SetRecordingJobConfiguration
      OverrideSegmentDuration`,
    READ_MEDIA: `
      ListRecordedSegments ExportRecordedSegments StopExportRecordedSegments ExportRecordedData
      StopExportRecordedData GetExportRecordedDataState`,
  },
);
