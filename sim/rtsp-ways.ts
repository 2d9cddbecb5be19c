import { asFault } from "../base/fault.ts";
import { InterleavedOutlet } from "./rtsp-interleaved.ts";
import type { Line } from "./rtsp-line.ts";
import type { MulticastStream } from "./rtsp-multicast.ts";
import type { RtspOptions } from "./rtsp-options.ts";
import { UdpOutlet } from "./rtsp-udp.ts";
import type { MediaName } from "./sdp.ts";
import type { Outlet } from "./viewer.ts";

/** How a track goes to a client, and how that is answered: to the client alone, or to a group. */
export type Way =
  | { readonly outlet: Outlet; readonly transport: string; readonly channels?: readonly [number, number] }
  | { readonly group: MulticastStream; readonly transport: string };

/** A client may ask for another way (461), or try later (503). */
export type NoWay = "refused" | "failed";

/** What a way is opened for. */
export interface WayOptions {
  /** The channels to choose where the camera chooses them itself. */
  readonly own: number;
  /** The stream to a group; undefined where there is none, as for sound towards the camera. */
  readonly multicast: () => Promise<MulticastStream> | undefined;
  readonly name: MediaName;
  readonly onReport: (packet: Buffer) => void;
  /** The client sends packets of sound, too. */
  readonly onRtp: ((packet: Buffer) => void) | undefined;
}

/** The way that a Transport header asks for (RFC 2326 12.39), where the camera has it. */
export async function openWay(asked: string, line: Line, options: RtspOptions, o: WayOptions): Promise<Way | NoWay> {
  const { quirks, transports, log } = options;
  try {
    if (/^RTP\/AVP(?:\/UDP)?;(?:.*;)?multicast\b/.test(asked)) return grouped(await o.multicast(), o.name);
    const udp = /^RTP\/AVP(?:\/UDP)?;(?:.*;)?client_port=(\d{1,5})-(\d{1,5})/.exec(asked);
    if (udp !== null)
      return transports.has("udp") ? await overUdp([Number(udp[1]), Number(udp[2])], line, options, o) : "refused";
  } catch (error) {
    log.debug({ err: asFault(error) }, "simulated camera: no ports");
    return "failed";
  }
  const inside = transports.has(line.tunnelled ? "http" : "tcp") && !quirks.has("udp-only");
  return inside && /^RTP\/AVP\/TCP\b/.test(asked) ? interleaved(asked, line, options, o) : "refused";
}

function grouped(group: MulticastStream | undefined, name: MediaName): Way | NoWay {
  const transport = group?.transportOf(name);
  return group === undefined || transport === undefined ? "refused" : { group, transport };
}

async function overUdp(
  ports: readonly [number, number],
  line: Line,
  { address, quirks }: RtspOptions,
  o: WayOptions,
): Promise<Way> {
  const client = { address: line.clientAddress, ports };
  const outlet = await UdpOutlet.open({ address, client, quirks, onReport: o.onReport, onRtp: o.onRtp });
  if (line.closed) outlet.close();
  const own = quirks.has("no-server-port") ? "" : `;server_port=${outlet.ports.join("-")}`;
  return { outlet, transport: `RTP/AVP;unicast;client_port=${ports.join("-")}${own}` };
}

function interleaved(asked: string, line: Line, { quirks }: RtspOptions, { own }: WayOptions): Way {
  const [, first = 0, second = Number(first) + 1] = /;interleaved=(\d{1,3})(?:-(\d{1,3}))?/.exec(asked) ?? [];
  const channels = quirks.has("other-channels")
    ? ([own, own + 1] as const)
    : ([Number(first), Number(second)] as const);
  const told = quirks.has("one-channel") ? `${channels[0]}` : channels.join("-");
  const transport = quirks.has("no-channels") ? "RTP/AVP;unicast" : `RTP/AVP/TCP;unicast;interleaved=${told}`;
  return { outlet: new InterleavedOutlet(line, channels, quirks), transport, channels };
}
