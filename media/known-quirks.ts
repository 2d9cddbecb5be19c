import type { Quirk } from "../base/quirk.ts";

/** Faults in what cameras send as picture, sound and time, each of which a simulated camera can show. */
export const MEDIA_QUIRKS = {
  "no-sprop": {
    does: "sends parameter sets in the stream, but not in its description",
    copes: "waits for them, and puts them into what clients are told",
    source: "bluenviron/mediamtx#787, #861",
    shown: true,
  },
  "sprop-only": {
    does: "sends parameter sets in its description, but not in the stream",
    copes: "keeps them for recordings and descriptions",
    source: "kerberos-io/agent#105",
    shown: false,
  },
  "broken-sprop": {
    does: "describes parameter sets that are empty, cut short or no base64",
    copes: "takes those of the stream",
    source: "bluenviron/gortsplib pkg/format/h264.go; scottlamb/retina 0.3.5",
    shown: true,
  },
  "annexb-sprop": {
    does: "describes parameter sets with start codes before them",
    copes: "cuts them off",
    source: "FFmpeg/FFmpeg#181; scottlamb/retina 0.4.11",
    shown: false,
  },
  "other-sprop": {
    does: "describes other parameter sets than it sends",
    copes: "believes the stream, and describes it anew to clients",
    source: "bluenviron/mediamtx#707; bluenviron/gortsplib pkg/format/h264.go",
    shown: true,
  },
  "wrong-profile": {
    does: "describes another profile than its parameter sets have",
    copes: "tells clients the one of the parameter sets",
    source: "Eufy: AlexxIT/go2rtc#155",
    shown: true,
  },
  "changing-size": {
    does: "changes its picture's size in a running stream, every ten seconds",
    copes: "keeps the session; new description, new segment",
    source: "roleoroleo/yi-hack-Allwinner-v2#1153; scottlamb/moonfire-nvr#217",
    shown: false,
  },
  "early-marker": {
    does: "marks parameter sets as the end of a picture",
    copes: "joins them to the picture behind",
    source: "scottlamb/moonfire-nvr#352",
    shown: true,
  },
  "split-times": {
    does: "gives parameter sets another timestamp than the picture behind them",
    copes: "joins them to the picture, with its time",
    source: "scottlamb/retina codec/h264.rs; bluenviron/gortsplib pkg/format/rtph264",
    shown: true,
  },
  "no-marker": {
    does: "never marks the end of a picture",
    copes: "ends it where the timestamp changes",
    source: "FLIR M400: scottlamb/retina codec/h264.rs",
    shown: true,
  },
  "long-groups": {
    does: "sends a key frame a minute, unless one is asked for",
    copes: "asks for one where somebody cannot decode without, and never in a flood",
    source: "Axis with Zipstream: AxisCommunications/acap-rs#246; frigate docs, camera_specific",
    shown: false,
  },
  "no-feedback": {
    does: "takes no requests for key frames in RTCP",
    copes: "asks over ONVIF, where that is there, or waits",
    source: "ONVIF Streaming 5.1.3.2 only recommends them",
    shown: false,
  },
  "adts-in-rtp": {
    does: "sends AAC with ADTS headers inside RTP",
    copes: "unwraps it for recordings; live it stays as it is",
    source: "AlexxIT/go2rtc#1328",
    shown: false,
  },
  "no-index-length": {
    does: "does not say how long AAC headers are",
    copes: "takes the usual lengths of the mode (RFC 3640 3.3.6)",
    source: "bluenviron/gortsplib b1674ff9; scottlamb/retina 0.3.8",
    shown: false,
  },
  "uneven-sound": {
    does: "stamps sound unevenly: 653 and 1395 samples on where 1024 were sent",
    copes: "counts samples, and follows the stamps slowly",
    source: "themactep/thingino-firmware#1082",
    shown: true,
  },
  "slow-sound": {
    does: "has a slower clock for sound than for the picture",
    copes: "finds the time of each track by itself, as sender reports and arrivals say",
    source: "AlexxIT/go2rtc#2303, #2308",
    shown: false,
  },
  "stray-data": {
    does: "sends packets of an older session at the beginning of a new one",
    copes: "changes to the other source as soon as that sends two packets in a row",
    source: "scottlamb/retina#17, client/rtp.rs",
    shown: true,
  },
  "foreign-payloads": {
    does: "sends packets of another payload type in between, with the number of the packet behind them",
    copes: "leaves them out, and misses nothing for them",
    source: "Uniview, Uniarch: AlexxIT/go2rtc#1570, #1722; BogdanovKirill/RtspClientSharp#98",
    shown: true,
  },
  "key-in-one-unit": {
    does: "sends a key frame and its parameter sets as one NAL unit, with start codes inside",
    copes: "takes them apart for recordings; live it stays as it is",
    source: "V380: scottlamb/retina#68, #108; bluenviron/gortsplib#199",
    shown: false,
  },
  "whole-fragments": {
    does: "says of fragments that they are the first and the last of their unit at once",
    copes: "takes them for whole units",
    source: "OpenIPC: scottlamb/retina#131; CostarHD: bluenviron/gortsplib#649",
    shown: false,
  },
  "broken-reports": {
    does: "sends RTCP that cannot be read",
    copes: "passes over it",
    source: "Hanwha: bluenviron/mediamtx#5355",
    shown: true,
  },
  "drops-packets": {
    does: "loses packets before it sends them, even over TCP",
    copes: "marks what is broken, and lets nobody begin with it",
    source: "scottlamb/retina client/rtp.rs",
    shown: true,
  },
  "no-reports": {
    does: "never sends RTCP sender reports",
    copes: "goes by the earliest arrivals, and says so with the recording",
    source: "scottlamb/moonfire-nvr design/time.md",
    shown: true,
  },
  "late-reports": {
    does: "sends its first RTCP sender report after 12 s",
    copes: "goes by arrivals until then, and approaches without a jump",
    source: "general knowledge",
    shown: false,
  },
  "wrong-reports": {
    does: "tells a time in its RTCP sender reports that is far from ours",
    copes: "does not believe reports that are more than 5 s behind or 1 s ahead of our clock",
    source: "general knowledge; clocks that are hours off: home-assistant/core#121952",
    shown: true,
  },
  "clock-steps": {
    does: "sets its clock back and forth by a second and a half, so that its sender reports jump",
    copes: "approaches the new time by at most 10 %, and never turns back",
    source: "scottlamb/moonfire-nvr design/time.md",
    shown: false,
  },
  "time-from-zero": {
    does: "begins its timestamps at 0 in every session",
    copes: "gives clients and recordings timestamps of its own, which go on",
    source: "TP-Link Tapo: AlexxIT/go2rtc#1943",
    shown: false,
  },
  "time-jumps": {
    does: "moves its timestamps by seconds now and then",
    copes: "begins time anew at the arrival, marks it, and begins a new segment",
    source: "gtxaspec/raptor#43; blakeblackshear/frigate#9676",
    shown: true,
  },
  "fast-clock": {
    does: "has a clock that runs 300 ppm fast",
    copes: "follows it by at most 500 ppm",
    source: "scottlamb/moonfire-nvr design/time.md",
    shown: false,
  },
  "old-burst": {
    does: "begins with the pictures of the last two seconds, all at once",
    copes: "dates them by the reports; without reports as one burst, and what follows by the right delay",
    source: "scottlamb/moonfire-nvr design/time.md",
    shown: false,
  },
} as const satisfies Readonly<Record<string, Quirk>>;

export type MediaQuirk = keyof typeof MEDIA_QUIRKS;
