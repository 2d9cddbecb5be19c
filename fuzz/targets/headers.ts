import { isDeepStrictEqual } from "node:util";
import { denotesSame } from "../../auth/scheme/uri.ts";
import { plainAddress } from "../../base/address.ts";
import { unixMillis } from "../../base/units.ts";
import { timeAddress } from "../../bridge/client-side/time-address.ts";
import { parseSdp, printSdp } from "../../media/sdp.ts";
import { pinnedToHost } from "../../net/sides.ts";
import { baseOf, joinControl } from "../../rtsp/client/quirks.ts";
import { controlAddresses, parseAddress, trackAddress } from "../../rtsp/server/address.ts";
import { chooseTransport } from "../../rtsp/server/transport.ts";
import { printRequest } from "../../rtsp/wire/print.ts";
import { parseRange, printRange } from "../../rtsp/wire/range.ts";
import { ALL_FRAMES, parseManner } from "../../rtsp/wire/replay.ts";
import { parseRtpInfo, printRtpInfo } from "../../rtsp/wire/rtp-info.ts";
import { parseSession, printSession } from "../../rtsp/wire/session.ts";
import { parseTransport, printTransport, type TransportSpec } from "../../rtsp/wire/transport.ts";
import { holds, type Target, target } from "../target.ts";

/** The address of the camera, and of the client, in here. */
const PEER = "10.1.2.3";
const GROUP = { address: "239.1.2.3", ports: [5000, 5001], ttl: 4 } as const;
const NOW = unixMillis(Date.UTC(2026, 10, 24));

/** Lines, for targets that read several values: in a value there is no line end and no NUL. */
const linesOf = (input: Buffer): readonly string[] =>
  input
    .toString("latin1")
    .split(/[\r\n\0]/)
    .map((line) => line.trim());
/** A header's value as it comes out of a message. */
const textOf = (input: Buffer): string => linesOf(input)[0] ?? "";

/** What was read is printed, and read again as the same. */
function returns<T>(parse: (text: string) => T, print: (value: T) => string): (input: Buffer) => void {
  return (input) => {
    const value = parse(textOf(input));
    holds(isDeepStrictEqual(parse(print(value)), value), "what was read is read again as it was printed");
  };
}

/** Texts of others with marks of the syntax in them, which stood in quotation marks, are compared and never printed. */
function isPrintable({ source = "", destination = "", mode = "" }: TransportSpec): boolean {
  return !/["';,]/.test(source + destination + mode);
}

const ignored = (): void => undefined;

/** What cameras name, wherever it points, leads to the camera. */
function leadsToCamera(uri: string): void {
  const { hostname, username, password } = new URL(uri);
  holds(plainAddress(hostname) === PEER && username === "" && password === "", `${uri} leads to the camera`);
  printRequest({ method: "SETUP", uri, headers: [] });
}

export const TARGETS: readonly Target[] = [
  target({
    name: "transport",
    words:
      'RTP/AVP RTP/AVP/TCP RTP/SAVP RTP/AVP/UDP unicast multicast interleaved= client_port= server_port= port= ttl= source= destination= ssrc= mode= "PLAY" , ; - 0-1 255',
    run(input) {
      const specs = parseTransport(textOf(input));
      for (const spec of specs.filter(isPrintable)) {
        const again = parseTransport(printTransport(spec));
        holds(isDeepStrictEqual(again, [spec]), "what was read is read again as it was printed");
      }
      const { way, pair } = chooseTransport(textOf(input), {
        isTaken: () => false,
        udpTo: PEER,
        srtpTo: PEER,
        multicast: GROUP,
        others: undefined,
      });
      holds(pair[0] !== pair[1], "RTP and RTCP have ways of their own");
      holds(way !== "multicast" || pair === GROUP.ports, "no group but the stream's own is sent to");
      holds(way === "interleaved" || pair.every((port) => port >= 1024 && port < 65_536), "no service is shot at");
    },
  }),
  target({
    name: "range",
    words: "clock= npt= now - 20261124T130509.120Z : . ;time=",
    run: returns(parseRange, printRange),
  }),
  target({ name: "rtp-info", words: "url= ;seq= ;rtptime= , rtsp://h/a", run: returns(parseRtpInfo, printRtpInfo) }),
  target({ name: "session", words: ";timeout= 60", run: returns(parseSession, printSession) }),
  target({
    name: "replay-headers",
    words: "Scale Speed Rate-Control Frames intra/ all yes no -1.0 0.5 256",
    run(input) {
      const headers = linesOf(input).map((line): [string, string] => [
        line.split(":", 1)[0] ?? "",
        line.slice(line.indexOf(":") + 1).trim(),
      ]);
      const { scale, speed } = parseManner({ headers }, { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES });
      holds(Math.abs(scale) > 0 && Math.abs(scale) <= 256 && speed > 0 && speed <= 256, "it can be played");
    },
  }),
  target({
    name: "sdp",
    maxBytes: 16_384,
    words:
      "v=0 m=video m=audio m=application RTP/AVP 96 a=rtpmap: a=fmtp: a=control: a=sendonly H264/90000 MPEG4-GENERIC/48000/2 sprop-parameter-sets= \r\n \n \r",
    run(input) {
      const { media } = parseSdp(input.toString("latin1"));
      const printed = printSdp({
        name: "camera",
        sessionId: "1",
        address: PEER,
        control: "*",
        media: media.map(({ track }, index) => ({ track, control: `track${index}` })),
      });
      const again = parseSdp(printed).media.map(({ track }) => ({ ...track, kind: "" }));
      holds(
        isDeepStrictEqual(
          again,
          media.map(({ track }) => ({ ...track, kind: "" })),
        ),
        "tracks are read again as they were printed",
      );
    },
  }),
  target({
    name: "control",
    words:
      "rtsp:// rtsps:// http:// @ / ? # 127.0.0.1 169.254.169.254 [::1] localhost : 0.0.0.0 user:pass@ trackID=0 * \\ %2f",
    run(input) {
      const described = new URL(`rtsp://${PEER}/stream`);
      const [base = "", control] = linesOf(input);
      const from = baseOf([base], described, ignored);
      leadsToCamera(from);
      leadsToCamera(joinControl(from, control, described, ignored));
      leadsToCamera(pinnedToHost(base, PEER, ["rtsp", "rtsps", "http", "https"]).href);
    },
  }),
  target({
    name: "address",
    words: "rtsp:// rtsps:// ws:// /live/ /track0 /track999 ? ?at=-5m & @ % %2f %00 ; //",
    run(input) {
      const uri = textOf(input);
      const address = parseAddress(uri);
      const track = parseAddress(trackAddress(address, 7));
      holds(track.key === address.key && track.track === 7, "a track's address names its presentation");
      const control = controlAddresses(address);
      const third = control.track(3);
      const joined = parseAddress(third.includes("://") ? third : `${control.contentBase}${third}`);
      holds(joined.key === address.key && joined.track === 3, "clients find back from a control address");
      holds(denotesSame(uri, uri, "rtsp", "SETUP"), "an address denotes what it denotes");
    },
  }),
  target({
    name: "time-address",
    words: "at= for= speed= frames= & 2026-11-24T10:00:00Z -15m 90s 1d 999999999d intra/1000 +01:00 0.5",
    run(input) {
      const { from, to } = timeAddress(new URLSearchParams(textOf(input)), NOW);
      if (from !== undefined) printRange({ unit: "clock", from, ...(to === undefined ? {} : { to }) });
    },
  }),
];
