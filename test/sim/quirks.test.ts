import { expect } from "chai";
import type { SimCamera, SimCameraOptions } from "../../sim/camera-options.ts";
import { QUIRKS, type Quirk } from "../../sim/quirks.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { adopt, beginningOf, NETWORK, nalTypesIn, startCamera } from "./fixture.ts";
import { type Ask, askSoap, exchange, type Framed, packetsIn, streamOf, udpArrivals } from "./raw.ts";

/** What a quirk looks like from outside, without our clients: a look at the raw answers, or at what was pulled. */
interface Sign {
  /** Whether a camera shows it. */
  readonly in: (camera: SimCamera, clock: VirtualClock) => Promise<string>;
  readonly shown: (seen: string) => boolean;
  /** It takes place over time: the camera gets a clock that the look moves. */
  readonly timed?: boolean;
  /** It is of what the camera has on a card. */
  readonly card?: boolean | "both";
}

const soap = (operation: string, prefix: "tds" | "tr2" = "tds", content = "", login: "open" | "digest" = "digest") => ({
  in: ({ deviceUrl }: { readonly deviceUrl: string }) => {
    const url = prefix === "tr2" ? deviceUrl.replace("device_service", "media2_service") : deviceUrl;
    return askSoap(url, prefix, operation, content, login);
  },
});
const streamUri = soap(
  "GetStreamUri",
  "tr2",
  "<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>main</tr2:ProfileToken>",
);
const rtsp = (...methods: readonly string[]) => ({
  in: ({ rtspUrl }: { readonly rtspUrl: string }) => exchange(rtspUrl, methods),
});
const pulled = {
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) => {
    const { reports, fmtp, nalTypes } = await beginningOf(new URL(rtspUrl), 12);
    return `reports ${reports} ${fmtp.includes("sprop") ? "described" : ""} ${nalTypes.includes(7) ? "in the stream" : ""}`;
  },
};

const udpSetup = {
  in: ({ rtspUrl }: { readonly rtspUrl: string }) =>
    exchange(rtspUrl, ["SETUP"], { transport: "RTP/AVP;unicast;client_port=40000-40001" }),
};
const arrivals = {
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) => {
    const sequences = (await udpArrivals(rtspUrl, 60)).map((packet) => packet.readUInt16BE(2));
    return sequences.map((sequence) => (sequence - (sequences[0] ?? 0)) & 0xffff).join();
  },
};
const feedback = {
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) => (await beginningOf(new URL(rtspUrl), 1)).feedback.join(),
};
/** So many clients set up the speaker, one while the other has it; what the last one is answered. */
const speaker = (clients: number) => ({
  in: async ({ rtspUrl }: SimCamera): Promise<string> => {
    const options = { track: 3, require: "www.onvif.org/ver20/backchannel" };
    let answer = "";
    const first = await exchange(rtspUrl, ["SETUP"], {
      ...options,
      during: async () => {
        if (clients > 1) answer = await exchange(rtspUrl, ["SETUP"], options);
      },
    });
    return clients > 1 ? answer : first;
  },
});
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
/** The first one, and then neighbours the wrong way round. */
const SWAPPED = numbers(60).map((index) => (index === 0 ? 0 : index % 2 === 0 ? index - 1 : index + 1));

/** What comes in so many seconds, put into words by `look`. */
const stream = (seconds: number, look: (frames: readonly Framed[]) => unknown) => ({
  timed: true,
  in: async (camera: SimCamera, clock: VirtualClock) => String(look(await streamOf(clock, camera, seconds * 1000))),
});
const on = (frames: readonly Framed[], channel: number): readonly Buffer[] =>
  frames.filter((one) => one.channel === channel).map(({ packet }) => packet);
const timestamps = (frames: readonly Framed[], channel: number): readonly number[] =>
  on(frames, channel)
    .map((packet) => packet.readUInt32BE(4))
    .filter((time, index, all) => time !== all[index - 1]);
const steps = (values: readonly number[]): readonly number[] =>
  values.slice(1).map((value, index) => (value - (values[index] ?? 0)) | 0);
const nalType = (packet: Buffer): number => (packet[12] ?? 0) & 0x1f;
const marked = (packet: Buffer): boolean => ((packet[1] ?? 0) & 0x80) !== 0;
/** NTP seconds of sender reports. */
const told = (frames: readonly Framed[]): readonly number[] =>
  on(frames, 1)
    .filter((packet) => packet[1] === 200 && packet.length > 20)
    .map((packet) => packet.readUInt32BE(8));
/** How much faster than it should a clock runs, in ppm, where timestamps should be `step` apart. */
const drift = (frames: readonly Framed[], channel: number, step: number): number => {
  const all = steps(timestamps(frames, channel));
  return Math.round((all.reduce((sum, one) => sum + one, 0) / all.length / step - 1) * 1e6);
};
/** How many sessions are left behind what `during` does. */
const alive = (during: (ask: Ask, clock: VirtualClock) => Promise<void>) => ({
  timed: true,
  in: async (camera: SimCamera, clock: VirtualClock) => {
    let sessions = 0;
    await exchange(camera.rtspUrl, ["SETUP", "PLAY"], {
      during: async (ask) => {
        await during(ask, clock);
        ({ sessions } = camera);
      },
    });
    return `${sessions} sessions`;
  },
});

type EventLook = (on: {
  readonly create: () => Promise<string>;
  /** Subscribes; `pull` fetches what there is, or waits. */
  readonly subscribe: () => Promise<{
    pull: (timeout?: string) => Promise<string>;
    ask: (operation: string) => Promise<string>;
  }>;
  readonly clock: VirtualClock;
}) => Promise<string>;
const events = (look: EventLook) => ({
  timed: true,
  in: (camera: SimCamera, clock: VirtualClock) => {
    const create = (): Promise<string> =>
      askSoap(camera.deviceUrl.replace("device_service", "event_service"), "tev", "CreatePullPointSubscription");
    return look({
      create,
      clock,
      subscribe: async () => {
        const point = /<wsa:Address>(.*?)</.exec(await create())?.[1] ?? "";
        return {
          pull: (timeout = "PT0S") =>
            askSoap(
              point,
              "tev",
              "PullMessages",
              `<tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>9</tev:MessageLimit>`,
            ),
          ask: (operation) => askSoap(point, "wsnt", operation),
        };
      },
    });
  },
});
/** A request for events of which there are none: answered at once, or held, and for how long. */
const held = (timeout: string) =>
  events(async ({ subscribe, clock }) => {
    const { pull } = await subscribe();
    await pull();
    const before = clock.pending;
    const state = { answered: false };
    const asked = pull(timeout).finally(() => {
      state.answered = true;
    });
    while (!state.answered && clock.pending <= before) await clock.advance(0);
    if (state.answered) return "at once";
    await clock.advance(1000);
    const late = clock.pending > before;
    await clock.advance(60_000);
    await asked;
    return late ? "later than a second" : "in time";
  });

const CARD_SERVICES = { tse: "search_service", trc: "recording_service", trp: "replay_service" } as const;
/** What a camera with a card is asked for of it. */
const card = (operation: string, content = "", prefix: "tse" | "trc" | "trp" = "tse") => ({
  card: "both" as const,
  in: ({ deviceUrl }: SimCamera) =>
    askSoap(deviceUrl.replace("device_service", CARD_SERVICES[prefix]), prefix, operation, content),
});
/** What is true of the packets of a replay: of half a minute that there is, the first ten seconds are asked for. */
const replay = (look: (packets: readonly Buffer[]) => boolean) => ({
  card: true,
  timed: true,
  in: async (camera: SimCamera, clock: VirtualClock): Promise<string> => {
    const begun = clock.now();
    await clock.advance(30_000);
    const at = (ms: number): string => new Date(begun + ms).toISOString().replace(/[-:]/g, "");
    let media = "";
    await exchange(camera.rtspUrl.replace("/live", "/recorded"), ["SETUP", "PLAY"], {
      range: `clock=${at(0)}-${at(10_000)}`,
      require: "onvif-replay",
      during: async (ask) => {
        // It sends as fast as it can: what comes between two answers is something as long as there is something.
        for (let quiet = 0; quiet < 5; ) {
          const text = await ask("GET_PARAMETER");
          media += text;
          quiet = packetsIn(text).length === 0 ? quiet + 1 : 0;
        }
      },
    });
    return String(look(packetsIn(media)));
  },
});
/** ONVIF Streaming 6.3: the flags of a packet that is dated. */
const replayFlags = (packet: Buffer): number | undefined =>
  ((packet[0] ?? 0) & 0x10) !== 0 && packet.readUInt16BE(12) === 0xabac ? packet[24] : undefined;

const SIGNS: Readonly<Record<Quirk, Sign>> = {
  "event-slots-leak": {
    ...events(async ({ create }) => {
      for (let count = 0; count < 4; count += 1) await create();
      return create();
    }),
    shown: (seen) => seen.includes("NotAuthorized"),
  },
  "unsubscribe-ends-all": {
    ...events(async ({ subscribe }) => {
      const [one, two] = [await subscribe(), await subscribe()];
      await one.ask("Unsubscribe");
      return two.pull();
    }),
    shown: (seen) => seen.includes("NoSubscription"),
  },
  "past-termination": {
    ...events(({ create }) => create()),
    shown: (seen) => {
      const [now = 0, end = 0] = ["CurrentTime", "TerminationTime"].map((name) =>
        Date.parse(new RegExp(`${name}>(.*?)<`).exec(seen)?.[1] ?? ""),
      );
      return end < now;
    },
  },
  "unended-motion": {
    ...events(async ({ subscribe, clock }) => {
      const { pull } = await subscribe();
      await clock.advance(15_000);
      return pull();
    }),
    shown: (seen) => !/"Changed".*?Value="false"/.test(seen) && seen.includes('"Changed"'),
  },
  "motion-by-rule": {
    ...events(async ({ subscribe }) => (await subscribe()).pull()),
    shown: (seen) => seen.includes("CellMotionDetector/Motion") && seen.includes("IsMotion"),
  },
  "misspelt-topic": {
    ...events(async ({ subscribe }) => (await subscribe()).pull()),
    shown: (seen) => seen.includes("VideoSoure/"),
  },
  "hasty-events": { ...held("PT1M"), shown: (seen) => seen === "at once" },
  "late-events": { ...held("PT1S"), shown: (seen) => seen === "later than a second" },
  "hidden-events": {
    ...soap("GetServices", "tds", "<tds:IncludeCapability>false</tds:IncludeCapability>"),
    shown: (seen) => !seen.includes("ver10/events/wsdl<"),
  },
  "subscription-parameters": {
    ...events(({ create }) => create()),
    shown: (seen) => seen.includes("SubscriptionId") && !seen.includes("?id="),
  },
  "searches-slowly": {
    ...card("GetRecordingSearchResults", "<tse:SearchToken>sim_search</tse:SearchToken>"),
    shown: (seen) => seen.includes(">Searching<"),
  },
  "no-recording-jobs": {
    ...card("GetRecordingJobs", "", "trc"),
    shown: (seen) => seen.includes("ActionNotSupported"),
  },
  "no-media-attributes": {
    ...card(
      "GetMediaAttributes",
      "<tse:RecordingTokens>sim_recording</tse:RecordingTokens><tse:Time>2026-01-01T00:00:00Z</tse:Time>",
    ),
    shown: (seen) => seen.includes("ActionNotSupported"),
  },
  "replays-the-main-stream": {
    ...card("GetReplayUri", "<trp:RecordingToken>sim_recording_sub</trp:RecordingToken>", "trp"),
    shown: (seen) => seen.includes("/recorded<"),
  },
  "no-find-recordings": { ...card("FindRecordings"), shown: (seen) => seen.includes("ActionNotSupported") },
  "dates-keys-alone": {
    ...replay((packets) =>
      packets.some(
        (packet, index) => marked(packets[index - 1] ?? packet) && index > 0 && replayFlags(packet) === undefined,
      ),
    ),
    shown: (seen) => seen === "true",
  },
  "replay-without-end": {
    ...replay((packets) => packets.some((packet) => ((replayFlags(packet) ?? 0) & 0x10) !== 0)),
    shown: (seen) => seen === "false",
  },
  "replay-overruns": {
    ...replay((packets) => packets.filter((packet) => ((replayFlags(packet) ?? 0) & 0x80) !== 0).length > 6),
    shown: (seen) => seen === "true",
  },
  "forgotten-subscription": {
    ...events(async ({ subscribe, clock }) => {
      const { pull } = await subscribe();
      await clock.advance(7000);
      await pull();
      await clock.advance(7000);
      return pull();
    }),
    shown: (seen) => seen.startsWith("200") && !seen.includes("NotificationMessage>"),
  },
  "backchannel-breaks": { ...speaker(1), shown: (seen) => seen.endsWith("hung up") },
  "one-speaker-session": { ...speaker(2), shown: (seen) => / 500 /.test(seen) },
  "wrong-host-uri": { ...streamUri, shown: (seen) => seen.includes("198.51.100.77") },
  "clock-off": {
    ...soap("GetSystemDateAndTime"),
    shown: (seen) => {
      const part = (name: string): number => Number(new RegExp(`<tt:${name}>(\\d+)</tt:${name}>`).exec(seen)?.[1]);
      const told = Date.UTC(part("Year"), part("Month") - 1, part("Day"), part("Hour"), part("Minute"));
      return Date.now() - told > 2 * 3_600_000;
    },
  },
  "clock-needs-login": { ...soap("GetSystemDateAndTime", "tds", "", "open"), shown: (seen) => seen.startsWith("401") },
  "token-only": {
    ...soap("GetDeviceInformation"),
    shown: (seen) => seen.startsWith("400") && !/www-authenticate/i.test(seen),
  },
  "many-challenges": {
    ...rtsp("DESCRIBE"),
    shown: (seen) => /Authenticate: Basic.*algorithm=MD5.*algorithm=SHA-256/s.test(seen),
  },
  "rtsp-qop": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes('qop="auth"') },
  "odd-challenge": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes('random="4711", stale="FALSE"') },
  "one-time-nonces": {
    in: async ({ rtspUrl }) => [...(await beginningOf(new URL(rtspUrl), 2)).quirks].join(),
    shown: (seen) => seen.includes("one-time-nonces"),
  },
  "doubled-scheme": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes("Content-Base: rtsp://rtsp://") },
  "late-session": {
    ...rtsp("SETUP", "PLAY"),
    shown: (seen) => (seen.match(/Session: /g) ?? []).length === 1 && seen.includes("RTP-Info"),
  },
  "foreign-payloads": {
    ...stream(2, (frames) => {
      const [one, two] = on(frames, 0);
      return `${(one?.[1] ?? 0) & 0x7f} ${(one?.readUInt16BE(2) ?? 0) === two?.readUInt16BE(2)}`;
    }),
    shown: (seen) => seen === "50 true",
  },
  "key-in-one-unit": {
    ...stream(2, (frames) => on(frames, 0).some((packet) => nalType(packet) === 28 && packet[13] === 0x87)),
    shown: (seen) => seen === "true",
  },
  "whole-fragments": {
    ...stream(2, (frames) => on(frames, 0).some((packet) => nalType(packet) === 28 && (packet[13] ?? 0) >> 6 === 3)),
    shown: (seen) => seen === "true",
  },
  "slash-control": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes("a=control:/trackID=1") },
  "no-control": { ...rtsp("DESCRIBE"), shown: (seen) => !seen.includes("trackID") },
  "one-channel": { ...rtsp("SETUP"), shown: (seen) => /interleaved=0;/.test(seen) },
  "no-channels": { ...rtsp("SETUP"), shown: (seen) => !seen.includes("interleaved") && / 200 /.test(seen) },
  "no-timeout": { ...rtsp("SETUP"), shown: (seen) => /Session: \w+\r/.test(seen) },
  "short-timeout": { ...rtsp("SETUP"), shown: (seen) => /Session: \w+;timeout=5\r/.test(seen) },
  "options-do-not-count": {
    ...alive(async (ask, clock) => {
      await clock.advance(40_000);
      await ask("OPTIONS");
      await clock.advance(40_000);
    }),
    shown: (seen) => seen === "0 sessions",
  },
  "silent-keepalive": {
    in: async ({ rtspUrl }) => {
      let answers = "";
      await exchange(rtspUrl, ["SETUP", "PLAY"], {
        // Whatever is answered to OPTIONS comes before what is answered to PAUSE.
        during: async (ask) => {
          answers = await ask("OPTIONS", "PAUSE");
        },
      });
      return answers;
    },
    shown: (seen) => !seen.includes("Public:"),
  },
  "reports-count-alone": {
    ...alive(async (_, clock) => {
      await clock.advance(20_000);
    }),
    shown: (seen) => seen === "0 sessions",
  },
  "describe-once": { ...rtsp("DESCRIBE", "DESCRIBE"), shown: (seen) => / 455 /.test(seen) },
  "no-mode": {
    in: ({ rtspUrl }) => exchange(rtspUrl, ["SETUP"], { transport: "RTP/AVP/TCP;unicast;interleaved=0-1;mode=play" }),
    shown: (seen) => / 400 /.test(seen),
  },
  "needs-range": { ...rtsp("SETUP", "PLAY"), shown: (seen) => / 457 /.test(seen) },
  redirects: { ...rtsp("DESCRIBE"), shown: (seen) => /302 .*Location: rtsp:\S+\/moved/s.test(seen) },
  "one-session": {
    in: async ({ rtspUrl }) => {
      await exchange(rtspUrl, ["SETUP"]);
      return exchange(rtspUrl, ["SETUP"]);
    },
    shown: (seen) => / 453 /.test(seen),
  },
  "stops-sending": {
    ...stream(20, (frames) => timestamps(frames, 0).length),
    shown: (seen) => Number(seen) < 150,
  },
  "torn-framing": {
    ...stream(5, (frames) => frames.every(({ channel }) => channel < 4)),
    shown: (seen) => seen === "false",
  },
  "odd-media": { ...rtsp("DESCRIBE"), shown: (seen) => /m=vana.*MERCURY.*m=video.*s=again/s.test(seen) },
  "all-sendonly": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes("sendonly") && !seen.includes("recvonly") },
  "broken-reports": {
    ...stream(2, (frames) => on(frames, 1).some((packet) => packet.length === 18)),
    shown: (seen) => seen === "true",
  },
  "reports-on-data-channel": {
    ...stream(2, (frames) => on(frames, 0).some((packet) => packet[1] === 200)),
    shown: (seen) => seen === "true",
  },
  // Before the answer to PLAY.
  "stray-data": { ...rtsp("SETUP", "PLAY"), shown: (seen) => /\$\0.*RTSP.*RTP-Info/s.test(seen) },
  "drops-packets": {
    ...stream(10, (frames) => steps(on(frames, 0).map((packet) => packet.readUInt16BE(2))).some((step) => step === 2)),
    shown: (seen) => seen === "true",
  },
  "large-datagrams": {
    in: async ({ rtspUrl }) => `${Math.max(...(await udpArrivals(rtspUrl, 3)).map(({ length }) => length))}`,
    shown: (seen) => Number(seen) > 1500,
  },
  "broken-sprop": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes("sprop-parameter-sets=Z0LA,?") },
  "annexb-sprop": { ...rtsp("DESCRIBE"), shown: (seen) => /sprop-parameter-sets=AAAAAW/.test(seen) },
  "other-sprop": {
    in: async ({ rtspUrl }) => {
      const { fmtp, sps } = await beginningOf(new URL(rtspUrl), 12);
      return `${fmtp} ${sps?.toString("base64")}`;
    },
    shown: (seen) => new Set(seen.match(/\bZ0[\w+/=]+/g)).size === 2,
  },
  "wrong-profile": { ...rtsp("DESCRIBE"), shown: (seen) => seen.includes("profile-level-id=276400") },
  "changing-size": {
    ...stream(
      21,
      (frames) =>
        new Set(
          on(frames, 0)
            .filter((packet) => nalType(packet) === 24)
            .map((packet) => packet.toString("hex", 12)),
        ).size,
    ),
    shown: (seen) => seen === "2",
  },
  "early-marker": {
    ...stream(2, (frames) => on(frames, 0).some((packet) => nalType(packet) === 24 && marked(packet))),
    shown: (seen) => seen === "true",
  },
  "split-times": {
    ...stream(2, (frames) => steps(timestamps(frames, 0)).some((step) => step === 1800)),
    shown: (seen) => seen === "true",
  },
  "no-marker": { ...stream(2, (frames) => on(frames, 0).some(marked)), shown: (seen) => seen === "false" },
  "adts-in-rtp": {
    ...stream(2, (frames) => on(frames, 2)[0]?.readUInt16BE(12).toString(16)),
    shown: (seen) => seen === "fff1",
  },
  "no-index-length": {
    ...rtsp("DESCRIBE"),
    shown: (seen) => seen.includes("mode=AAC-hbr") && !seen.includes("indexlength"),
  },
  "uneven-sound": {
    ...stream(5, (frames) => [653, 1395].map((step) => steps(timestamps(frames, 2)).includes(step)).join()),
    shown: (seen) => seen === "true,true",
  },
  "slow-sound": { ...stream(50, (frames) => drift(frames, 2, 320)), shown: (seen) => Number(seen) < -250 },
  "late-reports": { ...stream(11, (frames) => told(frames).length), shown: (seen) => seen === "0" },
  "wrong-reports": { ...stream(2, (frames) => told(frames)[0]), shown: (seen) => Number(seen) < 2_300_000_000 },
  "clock-steps": {
    ...stream(40, (frames) => steps(told(frames)).some((step) => step < 5)),
    shown: (seen) => seen === "true",
  },
  "time-from-zero": { ...stream(2, (frames) => timestamps(frames, 0)[0]), shown: (seen) => Number(seen) < 90_000 },
  "time-jumps": {
    ...stream(15, (frames) => steps(timestamps(frames, 0)).some((step) => step < 0)),
    shown: (seen) => seen === "true",
  },
  "fast-clock": { ...stream(50, (frames) => drift(frames, 0, 6000)), shown: (seen) => Number(seen) > 250 },
  "old-burst": { ...stream(0.2, (frames) => timestamps(frames, 0).length), shown: (seen) => Number(seen) > 25 },
  "sha256-only": {
    ...rtsp("DESCRIBE"),
    shown: (seen) => seen.includes("algorithm=SHA-256") && !seen.includes("MD5"),
  },
  "no-get-services": { ...soap("GetServices"), shown: (seen) => seen.includes("ActionNotSupported") },
  "media2-only": {
    ...soap("GetServices", "tds", "<tds:IncludeCapability>false</tds:IncludeCapability>"),
    shown: (seen) => seen.includes("ver20/media/wsdl<") && !seen.includes("ver10/media/wsdl<"),
  },
  "ragged-uri": { ...streamUri, shown: (seen) => /<tr2:Uri>\s+rtsp/.test(seen) },
  "query-control": { ...streamUri, shown: (seen) => seen.includes("?channel=1&amp;subtype=0") },
  "other-channels": { ...rtsp("SETUP"), shown: (seen) => seen.includes("interleaved=10-11") },
  "changing-session": {
    ...rtsp("SETUP", "SETUP"),
    shown: (seen) => new Set(seen.match(/Session: \w+/g)).size === 2,
  },
  "no-get-parameter": { ...rtsp("GET_PARAMETER"), shown: (seen) => / 501 /.test(seen) },
  "line-feeds": { ...rtsp("OPTIONS"), shown: (seen) => !seen.includes("\r") },
  "no-sprop": { ...pulled, shown: (seen) => !seen.includes("described") && seen.includes("in the stream") },
  "sprop-only": { ...pulled, shown: (seen) => seen.includes("described") && !seen.includes("in the stream") },
  "no-reports": { ...pulled, shown: (seen) => seen.startsWith("reports 0") },
  "udp-only": { ...rtsp("SETUP"), shown: (seen) => / 461 /.test(seen) },
  "no-server-port": { ...udpSetup, shown: (seen) => seen.includes("client_port") && !seen.includes("server_port") },
  "udp-reorder": { ...arrivals, shown: (seen) => seen === SWAPPED.join() },
  "udp-loss": {
    ...arrivals,
    shown: (seen) =>
      seen ===
      numbers(61)
        .filter((index) => index !== 49)
        .join(),
  },
  "long-groups": {
    ...stream(
      5,
      (frames) =>
        on(frames, 0)
          .flatMap(nalTypesIn)
          .filter((type) => type === 5).length,
    ),
    shown: (seen) => seen === "1",
  },
  "no-feedback": { ...feedback, shown: (seen) => seen === "" },
};

/** What a camera with sound sends. */
function encodingsOf(quirks: readonly Quirk[]): readonly string[] {
  if (quirks.includes("no-control")) return ["H264"];
  const aac = quirks.some((quirk) => ["adts-in-rtp", "no-index-length", "uneven-sound"].includes(quirk));
  return ["H264", aac ? "mpeg4-generic" : "PCMU"];
}

describe("simulated cameras with a quirk", () => {
  for (const [quirk, sign] of Object.entries(SIGNS) as [Quirk, Sign][]) {
    it(`show ${quirk} where it is switched on, and only there`, async () => {
      const clocks = [new VirtualClock(), new VirtualClock()];
      const options = (index: number): Partial<SimCameraOptions> => {
        const clock = clocks[index];
        return {
          audio: true,
          speaker: true,
          card: sign.card ?? false,
          address: `${NETWORK}.${index + 1}`,
          ...(sign.timed === true && clock ? { clock } : {}),
        };
      };
      const cameras = await Promise.all([startCamera({ ...options(0), quirks: [quirk] }), startCamera(options(1))]);
      try {
        const [odd = "", plain = ""] = await Promise.all(
          cameras.map((camera, index) => sign.in(camera, clocks[index] ?? new VirtualClock())),
        );
        expect(sign.shown(odd), odd).to.equal(true);
        expect(sign.shown(plain), plain).to.equal(false);
      } finally {
        await Promise.all(cameras.map((camera) => camera.close()));
      }
    });
  }

  const combinations: readonly (readonly Quirk[])[] = [
    [],
    ...(Object.keys(QUIRKS) as Quirk[]).map((quirk) => [quirk]),
    ["clock-off", "token-only"],
    ["clock-off", "token-only", "clock-needs-login"],
    ["ragged-uri", "query-control", "wrong-host-uri"],
    ["other-channels", "changing-session", "line-feeds", "no-get-parameter", "sha256-only"],
    ["udp-only", "no-server-port", "changing-session"],
    ["udp-only", "udp-reorder"],
    ["udp-only", "udp-loss", "no-server-port"],
  ];
  for (const quirks of combinations)
    it(`are adopted, and their picture and sound arrive: ${quirks.join(", ") || "no quirk"}`, async () => {
      const camera = await startCamera({ audio: true, quirks });
      try {
        const { streams, name } = await adopt(camera);
        const main = streams[0].url;
        expect(name).to.equal("Gate");
        expect(main.hostname).to.equal(new URL(camera.rtspUrl).hostname);
        const { encodings, nalTypes } = await beginningOf(main, 12);
        expect(encodings).to.deep.equal(encodingsOf(quirks));
        // The first of what stands in one unit.
        expect(nalTypes).to.include(quirks.includes("key-in-one-unit") ? 7 : 5);
      } finally {
        await camera.close();
      }
    });

  const overUdp: readonly (readonly [quirk: Quirk | undefined, lost: (index: number) => boolean])[] = [
    [undefined, () => false],
    ["udp-reorder", () => false],
    ["no-server-port", () => false],
    ["udp-loss", (index) => index % 50 === 49],
  ];
  for (const [quirk, lost] of overUdp)
    it(`send a picture over UDP of which nothing else is missing, in order: ${quirk ?? "no quirk"}`, async () => {
      const camera = await startCamera({ quirks: quirk === undefined ? [] : [quirk] });
      try {
        const { sequences } = await beginningOf(new URL(camera.rtspUrl), 120, ["udp"]);
        const seen = sequences.map((sequence) => (sequence - (sequences[0] ?? 0)) & 0xffff);
        const sent = numbers(140).filter((index) => !lost(index));
        expect(seen).to.deep.equal(sent.slice(0, 120));
      } finally {
        await camera.close();
      }
    });
});
