import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import { adoptCamera } from "../../bridge/camera-side/adopt.ts";
import type { AdoptedCamera } from "../../bridge/camera-side/adoption.ts";
import { cameraSide } from "../../net/sides.ts";
import { type PullOptions, pull } from "../../rtsp/client/session.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera, SimCameraOptions } from "../../sim/camera-options.ts";

export const LOGIN = { user: "service", password: 'c4mera "pass" &' };
export const CREDENTIALS = { user: LOGIN.user, password: new Secret(LOGIN.password) };

/** A loopback network that only these tests use. */
export const NETWORK = "127.0.9";
export const side = cameraSide({ interfaces: [`${NETWORK}.0/24`], clientAddresses: [] });

export function startCamera(more: Partial<SimCameraOptions> = {}): Promise<SimCamera> {
  return startSimCamera({
    name: "Gate",
    address: `${NETWORK}.1`,
    httpPort: 0,
    rtspPort: 0,
    ...LOGIN,
    clock: systemClock,
    log: silentLog(),
    ...more,
  });
}

/** The stream's address with user and password, for players. */
export function playable(camera: SimCamera, login: { user: string; password: string } = LOGIN): string {
  const url = new URL(camera.rtspUrl);
  url.username = encodeURIComponent(login.user);
  url.password = encodeURIComponent(login.password);
  return url.href;
}

export function adopt(camera: SimCamera, credentials = CREDENTIALS): Promise<AdoptedCamera> {
  const target = { ip: new URL(camera.deviceUrl).hostname, xaddrs: [camera.deviceUrl] };
  return adoptCamera({ target, plainText: true, credentials, side, clock: systemClock, log: silentLog() });
}

/** What a camera's first packets say. */
export interface Beginning {
  readonly encodings: readonly string[];
  /** Of the picture. */
  readonly fmtp: string;
  /** How it can be asked for a key frame in RTCP. */
  readonly feedback: readonly string[];
  /** H.264 NAL unit types, as they came first in packets, fragments counted as what they are of. */
  readonly nalTypes: readonly number[];
  readonly reports: number;
  /** The first sequence parameter set in the stream. */
  readonly sps: Buffer | undefined;
  /** Known quirks that our client noticed. */
  readonly quirks: ReadonlySet<string>;
  /** Of the picture, by the camera's numbering. */
  readonly sequences: readonly number[];
}

/** Pulls with our own client until each track has sent so many packets, and whatever else is wanted of it has come. */
export async function beginningOf(
  url: URL,
  packets = 40,
  transports?: PullOptions["transports"],
  enough: (so: Pick<Beginning, "reports" | "sequences">) => boolean = () => true,
): Promise<Beginning> {
  const stop = new AbortController();
  let encodings: readonly string[] = [];
  let fmtp = "";
  let feedback: readonly string[] = [];
  let reports = 0;
  const nalTypes: number[] = [];
  const sequences: number[] = [];
  const quirks = new Set<string>();
  let sps: Buffer | undefined;
  const counts = new Map<number, number>();
  const stopWhereEnough = (): void => {
    const isThere = encodings.every((_, index) => (counts.get(index) ?? 0) >= packets);
    if (isThere && enough({ reports, sequences })) stop.abort();
  };
  await pull({
    url,
    credentials: CREDENTIALS,
    side,
    clock: systemClock,
    log: silentLog(),
    signal: stop.signal,
    ...(transports && { transports }),
    events: {
      described(media) {
        encodings = media.map(({ track }) => track.encoding);
        fmtp = media[0]?.track.fmtp ?? "";
        feedback = media[0]?.feedback ?? [];
      },
      rtp(track, packet) {
        counts.set(track, (counts.get(track) ?? 0) + 1);
        if (track === 0) {
          const nals = nalsOf(Buffer.from(packet.subarray(12)));
          nalTypes.push(...nals.map(typeOf));
          sps ??= nals.find((nal) => typeOf(nal) === 7);
          sequences.push(packet.readUInt16BE(2));
        }
        stopWhereEnough();
      },
      rtcp() {
        reports += 1;
        stopWhereEnough();
      },
      quirk: (name) => quirks.add(name),
    },
  });
  return { encodings, fmtp, feedback, nalTypes, reports, sps, quirks, sequences };
}

const typeOf = (nal: Buffer): number => (nal[0] ?? 0) & 0x1f;

/** Of what begins in a packet of the picture. */
export const nalTypesIn = (packet: Buffer): readonly number[] => nalsOf(packet.subarray(12)).map(typeOf);

/** RFC 6184 5.4: a NAL unit, several (24), or the first piece of one (28), with the type of the whole. */
function nalsOf(payload: Buffer): readonly Buffer[] {
  if (typeOf(payload) === 28) return ((payload[1] ?? 0) & 0x80) === 0 ? [] : [Buffer.of((payload[1] ?? 0) & 0x1f)];
  if (typeOf(payload) !== 24) return [payload];
  const nals: Buffer[] = [];
  for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at))
    nals.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
  return nals;
}
