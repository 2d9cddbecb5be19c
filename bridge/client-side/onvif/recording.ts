import type { Principal } from "../../../auth/principal.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { RECORDING } from "../../../wsdl/tables/trc.ts";
import type {
  RecordingConfiguration,
  RecordingJobConfiguration,
  RecordingJobStateInformation,
  TrackConfiguration,
} from "../../../wsdl/tables/tt-recording.ts";
import { findRecording, type RecordedTrack, type Recording, recordings, sourceOf } from "./recorded.ts";
import type { OnvifSite } from "./site.ts";
import { missing } from "./view.ts";

export const RECORDING_CAPABILITIES: ResponseOf<
  (typeof RECORDING)["operations"]["GetServiceCapabilities"]
>["Capabilities"] = {
  DynamicRecordings: false,
  DynamicTracks: false,
  Encoding: ["H264", "H265", "JPEG", "AAC", "G711"],
  Options: true,
  MetadataRecording: true,
  EventRecording: false,
};

/** A job's source is a profile of our own media services, by its token (Recording Control 5.14). */
const PROFILE_TYPE = "http://www.onvif.org/ver10/schema/Profile";

/** Every camera is recorded by one job that is always there, so jobs have no life of their own to tell priorities by. */
const PRIORITY = 1;

/** Recordings and what records them, to be read: what is recorded is decided in the bridge's own interface. */
export function recordingService(site: OnvifSite): Service {
  const job = (who: Principal, token: string): Promise<Recording> => findRecording(site, who, token, "NoRecordingJob");

  return serve("recording_service", RECORDING, {
    GetServiceCapabilities: () => ({ Capabilities: RECORDING_CAPABILITIES }),
    GetRecordings: async (_, { who }) => ({
      RecordingItem: (await recordings(site, who)).map((recording) => ({
        RecordingToken: recording.view.token,
        Configuration: configurationOf(recording),
        Tracks: {
          Track: recording.tracks.map((track) => ({ TrackToken: track.token, Configuration: trackOf(track) })),
        },
      })),
    }),
    GetRecordingConfiguration: async ({ RecordingToken }, { who }) => ({
      RecordingConfiguration: configurationOf(await findRecording(site, who, RecordingToken)),
    }),
    GetRecordingOptions: async ({ RecordingToken }, { who }) => {
      const { view } = await findRecording(site, who, RecordingToken);
      return {
        Options: {
          Job: { Spare: 0, CompatibleSources: [view.token] },
          Track: { SpareTotal: 0, SpareVideo: 0, SpareAudio: 0, SpareMetadata: 0 },
        },
      };
    },
    GetTrackConfiguration: async ({ RecordingToken, TrackToken }, { who }) => {
      const { tracks } = await findRecording(site, who, RecordingToken);
      const track = tracks.find(({ token }) => token === TrackToken);
      if (track === undefined) throw missing("NoTrack");
      return { TrackConfiguration: trackOf(track) };
    },
    GetRecordingJobs: async (_, { who }) => ({
      JobItem: (await recordings(site, who)).map((recording) => ({
        JobToken: recording.view.token,
        JobConfiguration: jobOf(recording),
      })),
    }),
    GetRecordingJobConfiguration: async ({ JobToken }, { who }) => ({
      JobConfiguration: jobOf(await job(who, JobToken)),
    }),
    GetRecordingJobState: async ({ JobToken }, { who }) => ({ State: stateOf(await job(who, JobToken)) }),
  });
}

function configurationOf({ view, retentionMs }: Recording): ValueOf<typeof RecordingConfiguration> {
  // PT0S: kept for as long as there is room (Recording Control 5.3.3).
  return { Source: sourceOf(view), Content: view.name, MaximumRetentionTime: retentionMs ?? 0 };
}

function trackOf({ type }: RecordedTrack): ValueOf<typeof TrackConfiguration> {
  return { TrackType: type, Description: type };
}

function jobOf({ view, recording, tracks }: Recording): ValueOf<typeof RecordingJobConfiguration> {
  return {
    RecordingToken: view.token,
    Mode: recording ? "Active" : "Idle",
    Priority: PRIORITY,
    Source: [
      {
        SourceToken: { Token: view.token, Type: PROFILE_TYPE },
        Tracks: tracks.map(({ token, type }) => ({ SourceTag: type, Destination: token })),
      },
    ],
  };
}

function stateOf({ view, recording, failing, tracks }: Recording): ValueOf<typeof RecordingJobStateInformation> {
  const State = failing ? "Error" : recording ? "Active" : "Idle";
  return {
    RecordingToken: view.token,
    State,
    Sources: [
      {
        SourceToken: { Token: view.token, Type: PROFILE_TYPE },
        State,
        Tracks: { Track: tracks.map(({ token, type }) => ({ SourceTag: type, Destination: token, State })) },
      },
    ],
  };
}
