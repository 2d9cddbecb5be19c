import { expect } from "chai";
import { QUIRKS, type Quirk } from "../../sim/quirks.ts";
import { adopt, beginningOf, NETWORK, startCamera } from "./fixture.ts";
import { askSoap, exchange, udpArrivals } from "./raw.ts";

/** What a quirk looks like from outside, without our clients: a look at the raw answers, or at what was pulled. */
interface Sign {
  /** Whether a camera shows it. */
  readonly in: (camera: { readonly deviceUrl: string; readonly rtspUrl: string }) => Promise<string>;
  readonly shown: (seen: string) => boolean;
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
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) => (await udpArrivals(rtspUrl, 60)).join(),
};
/** In more than three seconds, for sound is sent 25 times a second. */
const keyFrames = {
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) =>
    (await beginningOf(new URL(rtspUrl), 80)).nalTypes.filter((type) => type === 5).join(),
};
const feedback = {
  in: async ({ rtspUrl }: { readonly rtspUrl: string }) => (await beginningOf(new URL(rtspUrl), 1)).feedback.join(),
};
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
/** The first one, and then neighbours the wrong way round. */
const SWAPPED = numbers(60).map((index) => (index === 0 ? 0 : index % 2 === 0 ? index - 1 : index + 1));

const SIGNS: Readonly<Record<Quirk, Sign>> = {
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
  "long-groups": { ...keyFrames, shown: (seen) => seen === "5" },
  "no-feedback": { ...feedback, shown: (seen) => seen === "" },
};

describe("simulated cameras with a quirk", () => {
  for (const [quirk, sign] of Object.entries(SIGNS) as [Quirk, Sign][]) {
    it(`show ${quirk} where it is switched on, and only there`, async () => {
      const cameras = await Promise.all([
        startCamera({ audio: true, quirks: [quirk] }),
        startCamera({ audio: true, address: `${NETWORK}.2` }),
      ]);
      try {
        const [odd = "", plain = ""] = await Promise.all(cameras.map((camera) => sign.in(camera)));
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
        const { main, name } = await adopt(camera);
        expect(name).to.equal("Gate");
        expect(main.hostname).to.equal(new URL(camera.rtspUrl).hostname);
        const { encodings, nalTypes } = await beginningOf(main, 12);
        expect(encodings).to.deep.equal(["H264", "PCMU"]);
        expect(nalTypes).to.include(5);
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
