interface QuirkText {
  /** What the camera does, in a few words. */
  readonly summary: string;
  /** Where the behavior was seen in real cameras. */
  readonly source: string;
}

/** Faults of real cameras, each a switch of its own. They can be combined. */
export const QUIRKS = {
  // Behind address translation, or with a second network card.
  "wrong-host-uri": {
    summary: "names another host in its service and stream addresses",
    source: "blakeblackshear/frigate#18352; agsh/onvif#41, #170",
  },
  // Log-ins by UsernameToken are dated, and compared with this clock.
  "clock-off": {
    summary: "its clock is three hours and some behind",
    source: "lumeohq/onvif-rs#79, #121; home-assistant/core#121952",
  },
  "clock-needs-login": {
    summary: "tells the time only to those who are logged in",
    source: "Panasonic, Digital Barriers: agsh/onvif src/onvif.ts, getSystemDateAndTime",
  },
  "token-only": {
    summary: "knows UsernameToken, but no HTTP digest",
    source: "devices of before HTTP digest: ONVIF Core 5.9.1",
  },
  "sha256-only": {
    summary: "takes digest log-ins with SHA-256 alone, over HTTP and RTSP",
    source: "AlexxIT/go2rtc#2344, #2451, #2476",
  },
  "no-get-services": {
    summary: "does not know GetServices, only GetCapabilities",
    source: "devices of before ONVIF 2.1: agsh/onvif README, connect()",
  },
  "media2-only": {
    summary: "has the Media 2 service, but no Media 1",
    source: "Jazea/Onvif.Core#43",
  },
  "ragged-uri": {
    summary: "puts line breaks around addresses and escapes them twice",
    source: 'Dahua: AlexxIT/go2rtc pkg/onvif/onvif_test.go, "Dahua stream formatted"',
  },
  "query-control": {
    summary: "has a query in its stream's address, and relative track addresses behind it",
    source: "Dahua: AlexxIT/go2rtc#1236; koush/scrypted rtsp-server.ts",
  },
  "other-channels": {
    summary: "chooses other interleaved channels than it was asked for",
    source: "bluenviron/gortsplib#72, #142",
  },
  "changing-session": {
    summary: "names another session in each answer to SETUP, and means the first",
    source: "scottlamb/retina 0.4.6",
  },
  "no-get-parameter": {
    summary: "refuses GET_PARAMETER, so that sessions live by OPTIONS",
    source: "AlexxIT/go2rtc#2409",
  },
  "line-feeds": {
    summary: "ends the lines of RTSP answers with LF alone",
    source: "RFC 2326 4: receivers should be prepared for CR and LF by themselves",
  },
  "no-sprop": {
    summary: "sends parameter sets in the stream, but not in its description",
    source: "bluenviron/mediamtx#787, #861",
  },
  "sprop-only": {
    summary: "sends parameter sets in its description, but not in the stream",
    source: "kerberos-io/agent#105",
  },
  "no-reports": {
    summary: "never sends RTCP sender reports",
    source: "scottlamb/moonfire-nvr design/time.md",
  },
  "udp-only": {
    summary: "refuses RTP inside the RTSP connection (461)",
    source: "Avonic REC200: deepch/RTSPtoWebRTC#195; blakeblackshear/frigate#1907",
  },
  "no-server-port": {
    summary: "sends over UDP without saying from which ports",
    source: "OpenIPC: AlexxIT/go2rtc pkg/rtsp/client.go, SetupMedia",
  },
  "udp-reorder": {
    summary: "sends neighbouring packets over UDP the wrong way round",
    source: "Reolink: scottlamb/retina#40",
  },
  "udp-loss": {
    summary: "loses every 50th packet over UDP",
    source: "Axis, on a network without room for it: bluenviron/gortsplib#192",
  },
  "long-groups": {
    summary: "sends a key frame a minute, unless one is asked for",
    source: "Axis with Zipstream: AxisCommunications/acap-rs#246",
  },
  "no-feedback": {
    summary: "takes no requests for key frames in RTCP",
    source: "ONVIF Streaming 5.1.3.2 only recommends them",
  },
} as const satisfies Readonly<Record<string, QuirkText>>;

export type Quirk = keyof typeof QUIRKS;

export function isQuirk(name: string): name is Quirk {
  return Object.hasOwn(QUIRKS, name);
}
