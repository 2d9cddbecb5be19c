import type { Principal } from "../../../auth/principal.ts";
import { SECOND } from "../../../base/units.ts";
import { type Service, serve } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ResponseOf } from "../../../wsdl/service.ts";
import { RECORDING } from "../../../wsdl/tables/trc.ts";
import type {
  RecordingConfiguration,
  RecordingEventFilter,
  RecordingJobConfiguration,
  RecordingJobStateInformation,
  TrackConfiguration,
} from "../../../wsdl/tables/tt-recording.ts";
import { type EventTriggers, LONGEST_MS } from "../../recording-plan.ts";
import { findRecording, type RecordedTrack, type Recording, recordings, sourceOf } from "./recorded.ts";
import type { OnvifSite } from "./site.ts";
import { played } from "./stream.ts";
import { find, missing } from "./view.ts";

export const RECORDING_CAPABILITIES: ResponseOf<
  (typeof RECORDING)["operations"]["GetServiceCapabilities"]
>["Capabilities"] = {
  DynamicRecordings: false,
  DynamicTracks: false,
  Encoding: ["H264", "H265", "JPEG", "AAC", "G711"],
  Options: true,
  MetadataRecording: true,
  EventRecording: true,
  BeforeEventLimit: LONGEST_MS.before,
  AfterEventLimit: LONGEST_MS.after,
};

/** A job's source is a profile of our own media services, by its token (Recording Control 5.14). */
const PROFILE_TYPE = "http://www.onvif.org/ver10/schema/Profile";

/** Every recording has one job that is always there, so jobs have no life of their own to tell priorities by. */
const PRIORITY = 1;

/** Recordings and what records them: what is recorded when is set in the bridge's own interface, and switched off and on here too. */
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
    SetRecordingJobMode: {
      needs: "record",
      camera: ({ JobToken }, { who }) => find(site, who, JobToken, "NoRecordingJob").camera.id,
      async run({ JobToken, Mode }, { who, peer }) {
        if (Mode !== "Active" && Mode !== "Idle")
          throw new SoapFault("invalid", "Sender", ["InvalidArgVal", "BadMode"], "The mode is Active or Idle");
        const on = Mode === "Active";
        await site.switchRecording(who, played((await job(who, JobToken)).view), { on, address: peer.address });
        return {};
      },
    },
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

/** A job that is active records when its hours and events say so: the state tells whether it does now. */
function jobOf({ view, plan, tracks }: Recording): ValueOf<typeof RecordingJobConfiguration> {
  return {
    RecordingToken: view.token,
    Mode: plan.mode === "off" ? "Idle" : "Active",
    Priority: PRIORITY,
    Source: [
      {
        SourceToken: { Token: view.token, Type: PROFILE_TYPE },
        Tracks: tracks.map(({ token, type }) => ({ SourceTag: type, Destination: token })),
      },
    ],
    EventFilter: plan.mode === "events" && plan.events !== undefined ? eventFilterOf(plan.events) : undefined,
  };
}

/** Undefined where a word of ours stands for more topics than a client would make of it. */
function eventFilterOf({
  of,
  beforeSeconds,
  afterSeconds,
}: EventTriggers): ValueOf<typeof RecordingEventFilter> | undefined {
  const topics = of.flatMap((what) => (what.startsWith("tns1:") ? `${what}//.` : (TOPICS.get(what) ?? [])));
  if (topics.length < of.length) return undefined;
  return {
    Filter: topics.map((Topic) => ({ Topic })),
    Before: beforeSeconds * SECOND,
    After: afterSeconds * SECOND,
  };
}

/** Words of ours that are told under one topic, whatever the camera's is. */
const TOPICS: ReadonlyMap<string, string> = new Map([
  ["motion", "tns1:VideoSource/MotionAlarm"],
  ["tamper", "tns1:VideoSource/GlobalSceneChange/ImagingService"],
]);

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
