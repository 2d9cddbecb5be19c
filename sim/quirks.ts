import type { Quirk as KnownQuirk } from "../base/quirk.ts";
import { MEDIA_QUIRKS } from "../media/known-quirks.ts";
import { RTSP_QUIRKS } from "../rtsp/client/known-quirks.ts";

/** Faults of cameras' ONVIF services. */
export const ONVIF_QUIRKS = {
  // Log-ins by UsernameToken are dated, and compared with this clock.
  "clock-off": {
    does: "its clock is three hours and some behind",
    source: "lumeohq/onvif-rs#79, #121; home-assistant/core#121952",
  },
  "clock-needs-login": {
    does: "tells the time only to those who are logged in",
    source: "Panasonic, Digital Barriers: agsh/onvif src/onvif.ts, getSystemDateAndTime",
  },
  "token-only": {
    does: "knows UsernameToken, but no HTTP digest",
    source: "devices of before HTTP digest: ONVIF Core 5.9.1",
  },
  "no-get-services": {
    does: "does not know GetServices, only GetCapabilities",
    source: "devices of before ONVIF 2.1: agsh/onvif README, connect()",
  },
  "media2-only": {
    does: "has the Media 2 service, but no Media 1",
    source: "Jazea/Onvif.Core#43",
  },
  "ragged-uri": {
    does: "puts line breaks around addresses and escapes them twice",
    source: 'Dahua: AlexxIT/go2rtc pkg/onvif/onvif_test.go, "Dahua stream formatted"',
  },
  "event-slots-leak": {
    does: "frees a place for events at Unsubscribe alone, and refuses the log-in when four are taken",
    source: "ZoneMinder 257ecafa4",
  },
  "unsubscribe-ends-all": {
    does: "ends all subscriptions with one",
    source: "home-assistant/core#92627",
  },
  "past-termination": {
    does: "says that a subscription ended an hour ago, and ends it after a minute unless it is renewed",
    source: "Axis: agsh/onvif src/events.ts",
  },
  "unended-motion": {
    does: "says that something moves, and never that it does not any more",
    source: "Reolink: ZoneMinder 2dc48e433",
  },
  "motion-by-rule": {
    does: "tells of motion under the topic of its detector alone",
    source: "dmitrif/onvif2mqtt#34; koush/scrypted onvif-api.ts",
  },
  "misspelt-topic": {
    does: "tells of motion under a topic with a typing error",
    source: "agsh/onvif#24",
  },
  "hasty-events": {
    does: "answers at once that nothing has happened, however long it was to wait",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "late-events": {
    does: "holds a request for events ten seconds longer than it was asked to",
    source: "ZoneMinder, clamp of pull_timeout; roleoroleo/onvif_simple_server 9277b77",
  },
  "hidden-events": {
    does: "does not list its event service",
    source: "koush/scrypted onvif-api.ts, supportsEvents; home-assistant/core#91089",
  },
  "subscription-parameters": {
    does: "names a subscription by a parameter beside its address, which is the same for all",
    source: "Axis: agsh/onvif lib/events.js, SubscriptionId",
  },
  "searches-slowly": {
    does: "tells of its recordings only when it was asked for them again and again",
    source: "ONVIF Recording Search 5.9: results come in pieces; not traced to a model",
  },
  "no-find-recordings": {
    does: "has a recording search service that knows no searches",
    source: "npm onvif 0.8.1 calls none of them; not traced to a model",
  },
  "no-recording-jobs": {
    does: "does not tell from which of its streams it records",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "no-media-attributes": {
    does: "does not tell how large the pictures of its recordings are",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "replays-the-main-stream": {
    does: "replays its main stream in the place of each other one",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "dates-keys-alone": {
    does: "tells in a replay the time of key frames alone",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "replay-without-end": {
    does: "falls silent at the end of a replay, and does not say that it is one",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "replay-overruns": {
    does: "replays beyond the end that it was asked for",
    source: "general knowledge of ONVIF clients; not traced to a model",
  },
  "forgotten-subscription": {
    does: "takes requests for events of a subscription that it has forgotten, and never tells any",
    source: "home-assistant/core#37711",
  },
} as const satisfies Readonly<Record<string, Pick<KnownQuirk, "does" | "source">>>;

/** Faults of real cameras, each a switch of its own. They can be combined. */
export const QUIRKS = { ...ONVIF_QUIRKS, ...RTSP_QUIRKS, ...MEDIA_QUIRKS };

export type Quirk = keyof typeof QUIRKS;

export function isQuirk(name: string): name is Quirk {
  return Object.hasOwn(QUIRKS, name);
}
