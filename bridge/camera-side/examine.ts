import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, type FaultKind } from "../../base/fault.ts";
import type { Finding } from "../../base/finding.ts";
import { type Log, withoutLogIns } from "../../base/log.ts";
import { isoOf, later, MINUTE, SECOND, type UnixMillis } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import type { CameraTls } from "../../net/tcp.ts";
import type { CameraDescription } from "../../onvif/client/camera.ts";
import { readControls } from "../../onvif/client/controls.ts";
import { Conversation } from "../../onvif/client/conversation.ts";
import { readEdgeRecordings } from "../../onvif/client/edge.ts";
import { type PullOptions, pull } from "../../rtsp/client/session.ts";
import type { UpstreamTransport } from "../../rtsp/wire/transport.ts";
import { chooseStreams } from "./adopt.ts";
import type { AdoptedStream } from "./adoption.ts";
import { describeEncrypted, encryptedStreams, NeedsPlainText } from "./encryption.ts";
import { transportsFor, tunnelDoor } from "./transport.ts";

/** How long a picture is waited for. */
const PICTURE_MS = 10 * SECOND;
/** A clock that is further off makes log-ins by UsernameToken fail at clients, and times in the picture wrong. */
const CLOCK_MS = 5 * SECOND;

export type CameraFinding = Finding<"log-in" | "clock" | "streams" | "picture" | "controls" | "own recording">;

export interface ExamineOptions {
  readonly ip: string;
  /** Addresses of its device service; empty: the usual ones are tried. */
  readonly xaddrs: readonly string[];
  /** It may be spoken to without TLS. */
  readonly plainText: boolean;
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends it, without a further finding. */
  readonly signal: AbortSignal;
}

/** With what the camera is known by. */
type Known = ExamineOptions & Pick<PullOptions, "tunnelAt"> & { readonly tls: CameraTls };

const NEXT: Readonly<Partial<Record<FaultKind, string>>> = {
  unauthenticated: "Check user and password in the camera: many keep users for ONVIF apart from those of its pages.",
  unavailable: "Check cable, address and power, and that ONVIF is switched on in the camera.",
  denied: "Check that the address is on a camera network, and what the account may do in the camera.",
  invalid: "Check that ONVIF is switched on in the camera; without it, adopt the camera by its RTSP address.",
};

const NEXT_IN_PLAIN =
  "Check cable and address, too. Where a camera has no encryption, --plain-text looks at it without.";

/** Looks at a camera as adopting and pulling it would, and hands on what works and what does not, one thing after the other. */
export async function* examineCamera(o: ExamineOptions): AsyncGenerator<CameraFinding> {
  for await (const finding of findings(o)) {
    // What was called off has not failed.
    if (o.signal.aborted) return;
    yield finding;
  }
}

async function* findings(o: ExamineOptions): AsyncGenerator<CameraFinding> {
  let pin: string | undefined;
  const unknown: CameraTls = { onPin: (spki) => (pin ??= spki) };
  let described: CameraDescription;
  try {
    described = await describeEncrypted({ ...o, tls: unknown });
  } catch (error) {
    yield failed("log-in", error);
    return;
  }
  const { manufacturer, model, firmware, deviceUrl, clockOffsetMs, profiles } = described;
  yield {
    what: "log-in",
    result: "works",
    says: `${manufacturer} ${model}, firmware ${firmware}, at ${withoutLogIns(deviceUrl.href)}`,
  };
  yield clockFinding(clockOffsetMs);
  let main: AdoptedStream;
  try {
    [main] = await encryptedStreams(chooseStreams(described), { ...o, tls: pin === undefined ? unknown : { pin } });
  } catch (error) {
    yield failed("streams", error);
    return;
  }
  const sizes = profiles.map(({ video }) =>
    video ? `${video.encoding} ${video.width}x${video.height}` : "no picture",
  );
  yield { what: "streams", result: "works", says: sizes.join(", ") };
  const tunnelAt = tunnelDoor(deviceUrl.href);
  const known = { ...o, tls: pin === undefined ? {} : { pin }, ...(tunnelAt === undefined ? {} : { tunnelAt }) };
  let comes = false;
  for (const transport of transportsFor("auto", undefined, main.url.protocol === "rtsps:")) {
    // It is for cameras that do nothing else.
    if (transport === "http" && comes) continue;
    const finding = await picture(main.url, transport, known);
    comes ||= finding.result === "works";
    yield finding;
  }
  yield await controls(deviceUrl, main.url, known);
  yield await ownRecording(deviceUrl, clockOffsetMs, known);
}

function failed(what: CameraFinding["what"], error: unknown, prefix = ""): CameraFinding {
  const { kind, tell = "the camera's answer cannot be used" } = asFault(error);
  const next = error instanceof NeedsPlainText ? NEXT_IN_PLAIN : NEXT[kind];
  return { what, result: "fails", says: `${prefix}${tell}`, ...(next === undefined ? {} : { next }) };
}

function clockFinding(offsetMs: number): CameraFinding {
  const seconds = Math.round(offsetMs / SECOND);
  if (Math.abs(offsetMs) < CLOCK_MS) return { what: "clock", result: "works", says: "right to five seconds" };
  const far =
    Math.abs(seconds) < 2 * (MINUTE / SECOND) ? `${Math.abs(seconds)} s` : `${Math.round(Math.abs(seconds) / 60)} min`;
  return {
    what: "clock",
    result: "note",
    says: `${far} ${seconds < 0 ? "behind" : "ahead"}`,
    next: "Set a time server (NTP) in the camera. The bridge copes: footage has the bridge's time.",
  };
}

async function picture(url: URL, transport: UpstreamTransport, o: Known): Promise<CameraFinding> {
  const came = new AbortController();
  const late = new AbortController();
  const timer = o.clock.after(PICTURE_MS, () => late.abort());
  const quirks = new Set<string>();
  try {
    await pull({
      ...o,
      url,
      transports: [transport],
      signal: AbortSignal.any([o.signal, came.signal, late.signal]),
      events: {
        described: () => undefined,
        quirk: (name) => void quirks.add(name),
        rtp: () => came.abort(),
        rtcp: () => undefined,
      },
    });
  } catch (error) {
    return failed("picture", error, `${transport.toUpperCase()}: `);
  } finally {
    timer.cancel();
  }
  const known = quirks.size === 0 ? "" : `; known faults that are coped with: ${[...quirks].join(", ")}`;
  if (came.signal.aborted)
    return { what: "picture", result: "works", says: `comes over ${transport.toUpperCase()}${known}` };
  return {
    what: "picture",
    result: "fails",
    says: `${transport.toUpperCase()}: the camera said that it would send, and nothing came for ${PICTURE_MS / SECOND} s`,
    next: transport === "udp" ? "A firewall may drop UDP; leave the transport at auto." : "Restart the camera.",
  };
}

/** What a card in the camera has, by our clock. */
async function ownRecording(device: URL, aheadMs: number, o: Known): Promise<CameraFinding> {
  const what = "own recording";
  try {
    const recordings = await readEdgeRecordings(new Conversation({ ...o, device }));
    if (recordings === undefined || recordings.length === 0)
      return { what, result: "works", says: "none: gaps cannot be filled from it" };
    const at = (time: UnixMillis | undefined, otherwise: string): string =>
      time === undefined ? otherwise : isoOf(later(time, -aheadMs));
    const has = recordings.map(({ token, from, to }) => `${token} ${at(from, "?")} to ${at(to, "now")}`);
    return { what, result: "works", says: `${has.join(", ")}: gaps can be filled from it (recording.edge)` };
  } catch (error) {
    return failed(what, error);
  }
}

async function controls(device: URL, stream: URL, o: Known): Promise<CameraFinding> {
  try {
    const conversation = new Conversation({ ...o, device });
    const streams = [stream];
    const found = await readControls(conversation, { ...o, device, streams });
    const { ptz, imagingSource, encoders, relays, inputs, snapshot } = found;
    const has = [
      ...(ptz === undefined ? [] : ["pan, tilt or zoom"]),
      ...(imagingSource === undefined ? [] : ["picture settings"]),
      ...(encoders[0] === undefined ? [] : ["encoder settings"]),
      ...(relays.length === 0 ? [] : [`${relays.length} outputs`]),
      ...(inputs.length === 0 ? [] : [`${inputs.length} inputs`]),
      ...(snapshot === undefined ? [] : ["snapshots"]),
    ];
    return { what: "controls", result: "works", says: has.join(", ") || "none" };
  } catch (error) {
    return failed("controls", error);
  }
}
