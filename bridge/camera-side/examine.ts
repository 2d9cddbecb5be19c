import type { Credentials } from "../../auth/scheme/http.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, type FaultKind } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import type { CameraSide } from "../../net/sides.ts";
import { type CameraDescription, describeCamera } from "../../onvif/client/camera.ts";
import { readControls } from "../../onvif/client/controls.ts";
import { Conversation } from "../../onvif/client/conversation.ts";
import { pull } from "../../rtsp/client/session.ts";
import type { UpstreamTransport } from "../../rtsp/wire/transport.ts";
import { chooseStreams } from "./adopt.ts";

/** How long a picture is waited for. */
const PICTURE_MS = 10 * SECOND;
/** A clock that is further off makes log-ins by UsernameToken fail at clients, and times in the picture wrong. */
const CLOCK_MS = 5 * SECOND;

/** One thing that was looked at, in words that hold no credentials. */
export interface Finding {
  readonly what: "log-in" | "clock" | "streams" | "picture" | "controls";
  /** `note`: it works, but somebody should know. */
  readonly result: "works" | "note" | "fails";
  readonly says: string;
  /** What to do. */
  readonly next?: string;
}

export interface ExamineOptions {
  readonly ip: string;
  readonly credentials?: Credentials;
  readonly side: CameraSide;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const NEXT: Readonly<Partial<Record<FaultKind, string>>> = {
  unauthenticated: "Check user and password in the camera: many keep users for ONVIF apart from those of its pages.",
  unavailable: "Check cable, address and power, and that ONVIF is switched on in the camera.",
  denied: "Check that the address is on a camera network, and what the account may do in the camera.",
  invalid: "Check that ONVIF is switched on in the camera; without it, adopt the camera by its RTSP address.",
};

/** Looks at a camera as adopting and pulling it would, and hands on what works and what does not, one thing after the other. */
export async function* examineCamera(o: ExamineOptions): AsyncGenerator<Finding> {
  let described: CameraDescription;
  try {
    described = await describeCamera({ ...o, xaddrs: [], tls: {} });
  } catch (error) {
    yield failed("log-in", error);
    return;
  }
  const { manufacturer, model, firmware, deviceUrl, clockOffsetMs, profiles } = described;
  yield {
    what: "log-in",
    result: "works",
    says: `${manufacturer} ${model}, firmware ${firmware}, at ${deviceUrl.href}`,
  };
  yield clockFinding(clockOffsetMs);
  const [main] = chooseStreams(described);
  const sizes = profiles.map(({ video }) =>
    video ? `${video.encoding} ${video.width}x${video.height}` : "no picture",
  );
  yield { what: "streams", result: "works", says: sizes.join(", ") };
  // What is inside TLS has no UDP beside it.
  const transports = main.url.protocol === "rtsps:" ? (["tcp"] as const) : (["tcp", "udp"] as const);
  for (const transport of transports) yield await picture(main.url, transport, o);
  yield await controls(deviceUrl, main.url, o);
}

function failed(what: Finding["what"], error: unknown, prefix = ""): Finding {
  const { kind, tell = "the camera's answer cannot be used" } = asFault(error);
  const next = NEXT[kind];
  return { what, result: "fails", says: `${prefix}${tell}`, ...(next === undefined ? {} : { next }) };
}

function clockFinding(offsetMs: number): Finding {
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

async function picture(url: URL, transport: UpstreamTransport, o: ExamineOptions): Promise<Finding> {
  const came = new AbortController();
  const late = new AbortController();
  const timer = o.clock.after(PICTURE_MS, () => late.abort());
  const quirks = new Set<string>();
  try {
    await pull({
      ...o,
      url,
      tls: {},
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

async function controls(device: URL, stream: URL, o: ExamineOptions): Promise<Finding> {
  try {
    const conversation = new Conversation({ ...o, device, tls: {} });
    const { ptz, imagingSource, relays, inputs, snapshot } = await readControls(conversation, { ...o, device, stream });
    const has = [
      ...(ptz === undefined ? [] : ["pan, tilt or zoom"]),
      ...(imagingSource === undefined ? [] : ["picture settings"]),
      ...(relays.length === 0 ? [] : [`${relays.length} outputs`]),
      ...(inputs.length === 0 ? [] : [`${inputs.length} inputs`]),
      ...(snapshot === undefined ? [] : ["snapshots"]),
    ];
    return { what: "controls", result: "works", says: has.join(", ") || "none" };
  } catch (error) {
    return failed("controls", error);
  }
}
