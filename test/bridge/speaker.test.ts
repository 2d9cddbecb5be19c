import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { CameraSpeaker } from "../../bridge/camera-side/speaker.ts";
import { cameraSide } from "../../net/sides.ts";
import { type Answer, type Asked, answer, FakeCamera } from "../rtsp/client/fake-camera.ts";
import { CREDENTIALS } from "../sim/fixture.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("a camera's speaker", () => {
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
      const side = cameraSide({ interfaces: ["127.0.0.0/8"], clientAddresses: [] });
      const { signal } = new AbortController();
      const speaker = new CameraSpeaker({
        url: camera.url,
        credentials: CREDENTIALS,
        side,
        clock,
        log: silentLog(),
        signal,
      });
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
});
