import { isoOf } from "../base/units.ts";
import { escapeXml, findPath } from "../wsdl/xml.ts";
import { type Device, VIDEO_SOURCE } from "./device.ts";
import type { Asked, Operations } from "./onvif.ts";
import { SoapFault } from "./soap.ts";

/** Tokens of the one recording, of its track, and of a search. */
const RECORDING = "sim_recording";
const TRACK = "VIDEO001";
const SEARCH = "sim_search";

/** How often a search that is slow is asked for before it finds anything. */
const SLOW_ROUNDS = 3;

export const CARD_CAPABILITIES = {
  trc: `<trc:Capabilities DynamicRecordings="false" DynamicTracks="false" Encoding="H264" MaxRecordings="1"/>`,
  tse: `<tse:Capabilities MetadataSearch="false" GeneralStartEvents="false"/>`,
  trp: `<trp:Capabilities ReversePlayback="false" RTP_RTSP_TCP="true"/>`,
};

/** Recording, recording search and replay (ONVIF Profile G), as far as somebody needs them to find and fetch what is on a card. */
export function cardOperations(device: Device): Readonly<Record<"trc" | "tse" | "trp", Operations>> {
  let rounds = 0;
  // Its port is not known before it listens.
  const source = (): string =>
    `<tt:Source><tt:SourceId>${VIDEO_SOURCE}</tt:SourceId><tt:Name>Camera</tt:Name><tt:Location/><tt:Description/><tt:Address>${escapeXml(device.url("/"))}</tt:Address><tt:VideoSourceToken>${VIDEO_SOURCE}</tt:VideoSourceToken></tt:Source>`;
  const information = (): string => {
    const [from, to] = [isoOf(device.card?.from ?? device.now()), isoOf(device.now())];
    return `<tt:RecordingToken>${RECORDING}</tt:RecordingToken>${source()}
<tt:EarliestRecording>${from}</tt:EarliestRecording><tt:LatestRecording>${to}</tt:LatestRecording><tt:Content>card</tt:Content>
<tt:Track><tt:TrackToken>${TRACK}</tt:TrackToken><tt:TrackType>Video</tt:TrackType><tt:Description/><tt:DataFrom>${from}</tt:DataFrom><tt:DataTo>${to}</tt:DataTo></tt:Track>
<tt:RecordingStatus>Recording</tt:RecordingStatus>`;
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
        ? `<tt:SearchState>Completed</tt:SearchState><tt:RecordingInformation>${information()}</tt:RecordingInformation>`
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
      GetRecordings:
        () => `<trc:GetRecordingsResponse><trc:RecordingItem><tt:RecordingToken>${RECORDING}</tt:RecordingToken>
<tt:Configuration>${source()}<tt:Content>card</tt:Content><tt:MaximumRetentionTime>PT0S</tt:MaximumRetentionTime></tt:Configuration>
<tt:Tracks><tt:Track><tt:TrackToken>${TRACK}</tt:TrackToken><tt:Configuration><tt:TrackType>Video</tt:TrackType><tt:Description/></tt:Configuration></tt:Track></tt:Tracks></trc:RecordingItem></trc:GetRecordingsResponse>`,
    },
    tse: {
      GetServiceCapabilities: capabilities("tse"),
      GetRecordingSummary: () =>
        `<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>${isoOf(device.card?.from ?? device.now())}</tt:DataFrom><tt:DataUntil>${isoOf(device.now())}</tt:DataUntil><tt:NumberRecordings>1</tt:NumberRecordings></tse:Summary></tse:GetRecordingSummaryResponse>`,
      GetRecordingInformation: (asked) => {
        assertToken(asked, "RecordingToken", RECORDING);
        return `<tse:GetRecordingInformationResponse><tse:RecordingInformation>${information()}</tse:RecordingInformation></tse:GetRecordingInformationResponse>`;
      },
      ...(device.quirks.has("no-find-recordings") ? {} : searches),
    },
    trp: {
      GetServiceCapabilities: capabilities("trp"),
      GetReplayUri: (asked) => {
        assertToken(asked, "RecordingToken", RECORDING);
        return `<trp:GetReplayUriResponse><trp:Uri>${escapeXml(device.card?.url ?? "")}</trp:Uri></trp:GetReplayUriResponse>`;
      },
    },
  };
}

function assertToken({ element }: Asked, name: string, token: string): void {
  if (findPath(element, name)?.text.trim() !== token)
    throw new SoapFault("Sender", ["InvalidArgVal", "InvalidToken"], "There is no such recording");
}

function capabilities(prefix: "trc" | "tse" | "trp"): () => string {
  return () =>
    `<${prefix}:GetServiceCapabilitiesResponse>${CARD_CAPABILITIES[prefix]}</${prefix}:GetServiceCapabilitiesResponse>`;
}
