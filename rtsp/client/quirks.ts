import { isFault } from "../../base/fault.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import type { MediaDescription } from "../../media/sdp.ts";
import { pinnedToHost } from "../../net/sides.ts";
import { parseSession } from "../wire/session.ts";
import { type Pair, parseTransport, type TransportSpec } from "../wire/transport.ts";
import type { RtspQuirk } from "./known-quirks.ts";

// What cameras do differently from RFC 2326, and what we make of it: a function for each. Where a report is named, that is
// where the behavior was seen. `seen` is told the names of known quirks (known-quirks.ts); one may be told again and again.

const SCHEMES = ["rtsp", "rtsps"] as const;

type Seen = QuirkSeen<RtspQuirk>;

/** `read`, or undefined where what the camera wrote makes no sense. */
function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  }
}

/**
 * The address that relative control addresses are relative to (RFC 2326 C.1.1), at the camera that we dialed: behind address
 * translation, or with a second network card, cameras name a host that is not theirs, and it must not lead us elsewhere.
 */
export function baseOf(candidates: readonly (string | undefined)[], described: URL, seen: Seen): string {
  for (const candidate of candidates) {
    const text = candidate?.trim() ?? "";
    const base = text === "" ? undefined : tolerant(() => pinned(text, described, seen));
    if (base !== undefined) return base;
  }
  return described.href;
}

/**
 * A control address in full: as it stands where it is absolute (but at the camera's own host), the base where it is missing or
 * `*`, and otherwise put behind the base as text, with one slash between, even where the base ends with a query. That is what
 * FFmpeg does, and so what cameras are tested with (FFmpeg libavformat/rtsp.c; AlexxIT/go2rtc#1236). What cannot stand in a
 * request line is escaped: a blank would end the address, and of a letter beyond Latin-1 only the low byte would be sent.
 */
export function joinControl(base: string, control: string | undefined, described: URL, seen: Seen): string {
  const text = control?.trim() ?? "";
  if (text === "" || text === "*") return base;
  if (/^rtsps?:\/\//i.test(text)) return tolerant(() => pinned(text, described, seen)) ?? base;
  if (base.includes("?")) seen("query-control");
  if (text.startsWith("/")) seen("slash-control");
  const escaped = text.replace(/[^!-~]/gu, encodeURIComponent);
  return base.endsWith("/") || escaped.startsWith("/")
    ? `${base.replace(/\/$/, "")}/${escaped.replace(/^\//, "")}`
    : `${base}/${escaped}`;
}

/** An address at the camera that was dialed. A scheme that is written twice (AlexxIT/go2rtc#208) would stand for the host. */
function pinned(written: string, described: URL, seen: Seen): string {
  const uri = written.replace(/^rtsps?:\/\/(?=rtsps?:\/\/)/i, "");
  if (uri !== written) seen("doubled-scheme");
  const { href } = pinnedToHost(uri, described.hostname.replace(/^\[(.*)\]$/, "$1"), SCHEMES);
  if (URL.parse(uri)?.hostname !== described.hostname) seen("wrong-host-uri");
  return href;
}

/**
 * The media to set up. What is marked `sendonly` is for sound towards the camera (ONVIF Streaming 5.3) and left alone, and so
 * is what is inactive; unless everything is marked so, which CV-RTSPHandler does (bluenviron/mediamtx#5074).
 */
export function receivable(media: readonly MediaDescription[], seen: Seen): readonly MediaDescription[] {
  const some = media.filter(({ direction }) => direction !== "sendonly" && direction !== "inactive");
  if (some.length > 0) return some;
  seen("all-sendonly");
  return media;
}

/**
 * The interleaved channels of a track: what the camera answers counts, for there are cameras that choose others than they were
 * asked for, name a single one, or none (bluenviron/gortsplib#72, #142). Undefined: it wants to send over UDP. Cameras that
 * answer `RTP/AVP` without `/TCP` mean TCP if they name no UDP port (Escam Q6).
 */
export function channelsOf(
  transport: string | undefined,
  asked: Pair,
  isTaken: (channel: number) => boolean,
  seen: Seen,
): Pair | undefined {
  const spec: TransportSpec | undefined =
    transport === undefined ? undefined : tolerant(() => parseTransport(transport))?.[0];
  const udp = spec?.protocol.endsWith("/UDP") || spec?.serverPort !== undefined || spec?.delivery === "multicast";
  if (spec?.interleaved === undefined && udp) return undefined;
  if (spec?.interleaved === undefined) {
    seen("no-channels");
    return asked;
  }
  const [rtp, rtcp] = spec.interleaved;
  if (/interleaved=\d+\s*(?:;|$)/i.test(transport ?? "")) seen("one-channel");
  else if (rtp !== asked[0] || rtcp !== asked[1]) seen("other-channels");
  return rtp === rtcp || isTaken(rtp) || isTaken(rtcp) ? asked : spec.interleaved;
}

/**
 * The camera's UDP ports, in words where it wants to send another way than asked. Without ports (OpenIPC leaves them out,
 * others write zeros; AlexxIT/go2rtc pkg/rtsp/client.go) they are learned from what comes. What else it says of itself or of us,
 * as `source` and `destination`, is not believed: it sends from its own address to the one that asked, or not at all.
 */
export function udpPortsOf(transport: string | undefined, seen: Seen): Pair | "unknown" | { readonly refused: string } {
  const spec: TransportSpec | undefined =
    transport === undefined ? undefined : tolerant(() => parseTransport(transport))?.[0];
  if (spec?.protocol.endsWith("/TCP") || spec?.interleaved !== undefined) return { refused: "it chooses TCP" };
  if (spec?.delivery === "multicast") return { refused: "it chooses multicast" };
  const ports = spec?.serverPort;
  if (ports !== undefined && !ports.includes(0)) return ports;
  seen("no-server-port");
  return "unknown";
}

/** The session of an answer; there are cameras whose answers make no sense, or lack it. */
export function sessionOf(
  value: string | undefined,
): { readonly id: string; readonly timeoutSeconds?: number } | undefined {
  return value === undefined ? undefined : tolerant(() => parseSession(value));
}

/** RTCP on the channel of RTP: some cameras mix them up (bluenviron/gortsplib#1085). The types cannot be confused (RFC 5761 4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0;
  return type >= 192 && type <= 223;
}
