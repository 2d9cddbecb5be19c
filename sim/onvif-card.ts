import { isoOf } from "../base/units.ts";
import { escapeXml, findPath } from "../wsdl/xml.ts";
import { type CardRecording, type Device, VIDEO_SOURCE } from "./device.ts";
import type { Asked, Operations } from "./onvif.ts";
import { SoapFault } from "./soap.ts";

/** Tokens of the recordings, of the track of each, and of a search. */
const RECORDINGS = { main: "sim_recording", sub: "sim_recording_sub" } as const;
const TRACK = "VIDEO001";
const SEARCH = "sim_search";

/** How often a search that is slow is asked for before it finds anything. */
const SLOW_ROUNDS = 3;

export const CARD_CAPABILITIES = {
  trc: `<trc:Capabilities DynamicRecordings="false" DynamicTracks="false" Encoding="H264" MaxRecordings="2"/>`,
  tse: `<tse:Capabilities MetadataSearch="false" GeneralStartEvents="false"/>`,
  trp: `<trp:Capabilities ReversePlayback="false" RTP_RTSP_TCP="true"/>`,
};

/** Recording, recording search and replay (ONVIF Profile G), as far as somebody needs them to find and fetch what is on a card. */
export function cardOperations(device: Device): Readonly<Record<"trc" | "tse" | "trp", Operations>> {
  let rounds = 0;
  const all = (): readonly CardRecording[] => device.card ?? [];
  // Its port is not known before it listens.
  const source = (): string =>
    `<tt:Source><tt:SourceId>${VIDEO_SOURCE}</tt:SourceId><tt:Name>Camera</tt:Name><tt:Location/><tt:Description/><tt:Address>${escapeXml(device.url("/"))}</tt:Address><tt:VideoSourceToken>${VIDEO_SOURCE}</tt:VideoSourceToken></tt:Source>`;
  const track = (from: string): string =>
    `<tt:TrackToken>${TRACK}</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/><tt:DataFrom>${from}</tt:DataFrom><tt:DataTo>${isoOf(device.now())}</tt:DataTo>`;
  const information = (one: CardRecording): string => {
    const [from, to] = [isoOf(one.from), isoOf(device.now())];
    return `<tt:RecordingToken>${RECORDINGS[one.stream.token]}</tt:RecordingToken>${source()}
<tt:EarliestRecording>${from}</tt:EarliestRecording><tt:LatestRecording>${to}</tt:LatestRecording><tt:Content>card</tt:Content>
<tt:Track>${track(from)}</tt:Track>
<tt:RecordingStatus>Recording</tt:RecordingStatus>`;
  };
  const item = ({ stream }: CardRecording): string =>
    `<trc:RecordingItem><tt:RecordingToken>${RECORDINGS[stream.token]}</tt:RecordingToken>
<tt:Configuration>${source()}<tt:Content>card</tt:Content><tt:MaximumRetentionTime>PT0S</tt:MaximumRetentionTime></tt:Configuration>
<tt:Tracks><tt:Track><tt:TrackToken>${TRACK}</tt:TrackToken><tt:Configuration><tt:TrackType>Video</tt:TrackType><tt:Description/></tt:Configuration></tt:Track></tt:Tracks></trc:RecordingItem>`;
  const attributes = ({ stream: { token, feed }, from }: CardRecording): string =>
    `<tse:MediaAttributes><tt:RecordingToken>${RECORDINGS[token]}</tt:RecordingToken><tt:TrackAttributes><tt:TrackInformation>${track(isoOf(from))}</tt:TrackInformation>
<tt:VideoAttributes><tt:Width>${feed.size.width}</tt:Width><tt:Height>${feed.size.height}</tt:Height><tt:Encoding>H264</tt:Encoding><tt:Framerate>${feed.fps}</tt:Framerate></tt:VideoAttributes></tt:TrackAttributes><tt:From>${isoOf(from)}</tt:From><tt:Until>${isoOf(device.now())}</tt:Until></tse:MediaAttributes>`;
  const named = (asked: Asked, name: string): CardRecording => {
    const wanted = findPath(asked.element, name)?.text.trim();
    const found = all().find(({ stream }) => RECORDINGS[stream.token] === wanted);
    if (found === undefined) throw noRecording();
    return found;
  };
  const searches: Operations = {
    FindRecordings: () => {
      rounds = 0;
      return `<tse:FindRecordingsResponse><tse:SearchToken>${SEARCH}</tse:SearchToken></tse:FindRecordingsResponse>`;
    },
    GetRecordingSearchResults: (asked) => {
      assertToken(asked, "SearchToken", SEARCH);
      rounds += 1;
      const isDone = rounds >= SLOW_ROUNDS || !device.quirks.has("searches-slowly");
      const found = isDone
        ? `<tt:SearchState>Completed</tt:SearchState>${all()
            .map((one) => `<tt:RecordingInformation>${information(one)}</tt:RecordingInformation>`)
            .join("")}`
        : "<tt:SearchState>Searching</tt:SearchState>";
      return `<tse:GetRecordingSearchResultsResponse><tse:ResultList>${found}</tse:ResultList></tse:GetRecordingSearchResultsResponse>`;
    },
    EndSearch: (asked) => {
      assertToken(asked, "SearchToken", SEARCH);
      return `<tse:EndSearchResponse><tse:Endpoint>${isoOf(device.now())}</tse:Endpoint></tse:EndSearchResponse>`;
    },
  };
  return {
    trc: {
      GetServiceCapabilities: capabilities("trc"),
      GetRecordings: () => `<trc:GetRecordingsResponse>${all().map(item).join("")}</trc:GetRecordingsResponse>`,
      ...(device.quirks.has("no-recording-jobs")
        ? {}
        : {
            GetRecordingJobs: () =>
              `<trc:GetRecordingJobsResponse>${all().map(job).join("")}</trc:GetRecordingJobsResponse>`,
          }),
    },
    tse: {
      GetServiceCapabilities: capabilities("tse"),
      GetRecordingSummary: () =>
        `<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>${isoOf(all()[0]?.from ?? device.now())}</tt:DataFrom><tt:DataUntil>${isoOf(device.now())}</tt:DataUntil><tt:NumberRecordings>${all().length}</tt:NumberRecordings></tse:Summary></tse:GetRecordingSummaryResponse>`,
      GetRecordingInformation: (asked) =>
        `<tse:GetRecordingInformationResponse><tse:RecordingInformation>${information(named(asked, "RecordingToken"))}</tse:RecordingInformation></tse:GetRecordingInformationResponse>`,
      ...(device.quirks.has("no-media-attributes")
        ? {}
        : {
            GetMediaAttributes: (asked: Asked) =>
              `<tse:GetMediaAttributesResponse>${attributes(named(asked, "RecordingTokens"))}</tse:GetMediaAttributesResponse>`,
          }),
      ...(device.quirks.has("no-find-recordings") ? {} : searches),
    },
    trp: {
      GetServiceCapabilities: capabilities("trp"),
      GetReplayUri: (asked) =>
        `<trp:GetReplayUriResponse><trp:Uri>${escapeXml(named(asked, "RecordingToken").url)}</trp:Uri></trp:GetReplayUriResponse>`,
    },
  };
}

/** It records the stream of the profile with the same token. */
function job({ stream: { token } }: CardRecording): string {
  return `<trc:JobItem><tt:JobToken>job_${token}</tt:JobToken><tt:JobConfiguration><tt:RecordingToken>${RECORDINGS[token]}</tt:RecordingToken><tt:Mode>Active</tt:Mode><tt:Priority>1</tt:Priority>
<tt:Source><tt:SourceToken Type="http://www.onvif.org/ver10/schema/Profile"><tt:Token>${token}</tt:Token></tt:SourceToken><tt:Tracks><tt:SourceTag>video</tt:SourceTag><tt:Destination>${TRACK}</tt:Destination></tt:Tracks></tt:Source></tt:JobConfiguration></trc:JobItem>`;
}

function assertToken({ element }: Asked, name: string, token: string): void {
  if (findPath(element, name)?.text.trim() !== token) throw noRecording();
}

function noRecording(): SoapFault {
  return new SoapFault("Sender", ["InvalidArgVal", "InvalidToken"], "There is no such recording");
}

function capabilities(prefix: "trc" | "tse" | "trp"): () => string {
  return () =>
    `<${prefix}:GetServiceCapabilitiesResponse>${CARD_CAPABILITIES[prefix]}</${prefix}:GetServiceCapabilitiesResponse>`;
}
