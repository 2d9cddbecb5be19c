import { expect } from "chai";
import { asFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { CameraSpeaker } from "../../bridge/camera-side/speaker.ts";
import { cameraSide } from "../../net/sides.ts";
import { type Answer, type Asked, answer, FakeCamera, VIDEO_SDP } from "../rtsp/client/fake-camera.ts";
import { CREDENTIALS } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("a camera's speaker", () => {
  const speakerOf = ({ url }: FakeCamera, clock: VirtualClock): CameraSpeaker => {
    const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });
    const { signal } = new AbortController();
    return new CameraSpeaker({ url, credentials: CREDENTIALS, side, clock, log: silentLog(), signal });
  };
  const refusing = (asked: Asked): Answer =>
    answer(asked, ['WWW-Authenticate: Digest realm="c", nonce="n"'], "", "401 No");
  const hangingUp = (_asked: Asked, camera: FakeCamera): Answer => {
    camera.hangUp();
    return undefined;
  };
  const rows: readonly (readonly [
    what: string,
    describes: (asked: Asked, camera: FakeCamera) => Answer,
    everyMs: number,
  ])[] = [
    ["ten minutes after the camera has refused the log-in, which it may lock", refusing, 10 * MINUTE],
    ["a minute after the camera has hung up", hangingUp, MINUTE],
  ];
  for (const [what, describes, everyMs] of rows)
    it(`is asked for again ${what}`, async () => {
      const camera = await FakeCamera.start({ DESCRIBE: (asked) => describes(asked, camera) });
      const clock = new VirtualClock();
      const speaker = speakerOf(camera, clock);
      try {
        expect(await speaker.track()).to.equal(undefined);
        for (let passed = 0; passed < everyMs - SECOND; passed += 10 * SECOND) {
          await speaker.track();
          await clock.advance(10 * SECOND);
        }
        expect(camera.connections).to.equal(1);
        await clock.advance(SECOND);
        await speaker.track();
        expect(camera.connections).to.equal(2);
      } finally {
        await speaker.close();
        await camera.close();
      }
    });

  it("is asked anew by whoever has it, where it could not be had the first time", async () => {
    const sdp = `${VIDEO_SDP}m=audio 0 RTP/AVP 8\r\na=control:trackID=9\r\na=sendonly\r\n`;
    const camera = await FakeCamera.start({
      DESCRIBE: (asked) => answer(asked, [], sdp),
      PLAY: (asked) => answer(asked, [], "", asked.connection === 0 ? "503 Service Unavailable" : "200 OK"),
    });
    const speaker = speakerOf(camera, new VirtualClock());
    try {
      const talk = speaker.take(() => undefined);
      expect(await talk.start().then(() => undefined, asFault)).to.include({ kind: "busy" });
      await talk.start();
      expect(camera.connections).to.equal(2);
    } finally {
      await speaker.close();
      await camera.close();
    }
  });
});
