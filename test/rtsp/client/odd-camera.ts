import { asFault, type Fault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { TrackReceiver } from "../../../media/receiver.ts";
import { writeRtpHeader } from "../../../media/rtp.ts";
import type { Track } from "../../../media/track.ts";
import { cameraSide } from "../../../net/sides.ts";
import { pull } from "../../../rtsp/client/session.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { type Asked, answer, FakeCamera, framed, type Script, VIDEO_SDP } from "./fake-camera.ts";

const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });

/** A picture in one packet: an IDR slice that begins at the first macroblock. */
export function picture(sequence: number): Buffer {
  const packet = Buffer.alloc(32, 0x55);
  writeRtpHeader(packet, { marker: true, payloadType: 96, sequence, timestamp: sequence * 3600, ssrc: 7 });
  packet[12] = 0x65;
  packet[13] = 0x88;
  return packet;
}

export const described = (sdp: string, headers: readonly string[] = []): Script => ({
  DESCRIBE: (asked) => answer(asked, ["Content-Type: application/sdp", ...headers], sdp),
});
export const setUp = (...headers: readonly string[]): Script => ({ SETUP: (asked) => answer(asked, headers) });
/** Every answer, changed. */
export const changed = (change: (text: string, asked: Asked) => string | Buffer): Script => {
  const honest: Readonly<Record<string, (asked: Asked) => string>> = {
    OPTIONS: (asked) => answer(asked, ["Public: DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]),
    DESCRIBE: (asked) => answer(asked, [`Content-Base: ${asked.uri}/`], VIDEO_SDP),
    SETUP: (asked) => answer(asked, [`Transport: ${asked.header("transport")}`, "Session: 1234;timeout=60"]),
    PLAY: (asked) => answer(asked, ["Session: 1234"]),
  };
  return Object.fromEntries(
    Object.entries(honest).map(([method, script]) => [method, (asked: Asked) => change(script(asked), asked)]),
  );
};

/** What came of a camera, and what it was asked. */
export interface Pulled {
  readonly pictures: number;
  readonly fault: Fault | undefined;
  /** Known ones that were noticed. */
  readonly quirks: readonly string[];
  readonly asked: readonly Asked[];
}

/** Pulls until two pictures have come, or the session has failed. `between`: what the camera sends between the first and the second. */
export async function pullPictures(script: Script, between: Buffer = Buffer.alloc(0)): Promise<Pulled> {
  const camera = await FakeCamera.start(script);
  const stop = new AbortController();
  const quirks = new Set<string>();
  let pictures = 0;
  let receiver: TrackReceiver | undefined;
  const pulling = pull({
    url: camera.url,
    side,
    clock: new VirtualClock(),
    log: silentLog(),
    signal: stop.signal,
    events: {
      described: ([media]) => {
        const deliver = (): void => {
          pictures += 1;
          if (pictures === 2) stop.abort();
        };
        receiver = new TrackReceiver({ index: 0, track: media?.track as Track, deliver });
        camera.send(Buffer.concat([framed(0, picture(1)), between, framed(0, picture(2)), framed(0, picture(3))]));
      },
      rtp: (_, packet, at) => receiver?.rtp(packet, at),
      rtcp: (_, packet, at) => receiver?.rtcp(packet, at),
      quirk: (name) => quirks.add(name),
    },
  });
  const fault = await pulling.then(() => undefined, asFault);
  await camera.close();
  return { pictures, fault, quirks: [...quirks], asked: camera.asked };
}
